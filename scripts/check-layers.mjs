// Holds the layers of the design: which folder of src/ may import which, and what workflow code must not contain. Every violation is named as
// `src/clients/x.ts:3: …`; exit code 1 when there is one.
//   node scripts/check-layers.mjs [ROOT]
import { readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, posix, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

/**
 * For each layer: the other layers it may use (`types` by `import type` only), and the packages it may use.
 * `packages` are those allowed; without it everything but `not`.
 */
const layers = {
  model: { uses: [], packages: ['zod'], why: 'the model imports nothing but zod' },
  clients: { uses: ['model'], not: ['@temporalio/'], why: 'clients know no Temporal' },
  activities: { uses: ['model', 'clients'] },
  workflows: { uses: ['model'], types: ['activities'], packages: ['@temporalio/workflow', '@temporalio/common'], why: 'workflow code runs in a sandbox without Node' },
  control: { uses: ['model', 'clients'], types: ['workflows'] },
  worker: { uses: ['model', 'clients', 'activities', 'workflows', 'control'] },
  cli: { uses: ['model', 'control'], why: 'doors reach the product by control alone' },
  web: { uses: ['model', 'control'], why: 'doors reach the product by control alone' },
};

/** Folders of the repository that the product must not know of. */
const outsideSrc = ['lab', 'test', 'bench', 'scripts'];
const plainErrors = new Set(['Error', 'TypeError', 'RangeError', 'SyntaxError', 'EvalError', 'StError']);
const builtin = new Set(builtinModules);

const root = process.argv[2] ?? join(dirname(fileURLToPath(import.meta.url)), '..');
const violations = sourceFiles(join(root, 'src')).flatMap((file) => check(relative(root, file).split(sep).join('/'), readFileSync(file, 'utf8')));
for (const violation of violations) console.log(violation);
console.log(violations.length ? `layers: ${violations.length} violations` : 'layers: held');
process.exit(violations.length ? 1 : 0);

function sourceFiles(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? sourceFiles(path) : /\.[cm]?tsx?$/.test(entry.name) ? [path] : [];
  });
}

function check(file, text) {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.ES2022, true);
  const layer = file.split('/')[1];
  const rules = layers[layer];
  const found = [];
  const report = (node, message) => found.push(`${file}:${source.getLineAndCharacterOfPosition(node.getStart()).line + 1}: ${message}`);
  if (!rules) return [`${file}:1: src/${layer} is no layer of the design (known: ${Object.keys(layers).join(', ')})`];
  const visit = (node) => {
    const imported = importOf(node);
    if (imported) {
      const wrong = judge(file, layer, rules, imported);
      if (wrong) report(node, wrong);
    }
    if (layer === 'workflows' && ts.isThrowStatement(node) && ts.isNewExpression(node.expression) && plainErrors.has(node.expression.expression.getText())) {
      report(node, `throws ${node.expression.expression.getText()}: in a workflow a plain error wedges the run for ever; throw an ApplicationFailure`);
    }
    if (layer === 'workflows' && ts.isPropertyAccessExpression(node) && node.getText() === 'Date.now') {
      report(node, 'asks the clock: what hangs on it may differ when a history is replayed for a query; count instead, and stamp with new Date().toISOString()');
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/** What a node imports: `{ name, typeOnly }`, by import, export from, import(), require() or an import type. */
function importOf(node) {
  if (ts.isImportDeclaration(node)) {
    const clause = node.importClause;
    const bindings = clause?.namedBindings;
    const everyNameIsType = bindings && ts.isNamedImports(bindings) && !clause.name && bindings.elements.length > 0 && bindings.elements.every((element) => element.isTypeOnly);
    return { name: node.moduleSpecifier.text, typeOnly: Boolean(clause?.isTypeOnly || everyNameIsType) };
  }
  if (ts.isExportDeclaration(node) && node.moduleSpecifier) return { name: node.moduleSpecifier.text, typeOnly: node.isTypeOnly };
  if (ts.isImportEqualsDeclaration(node) && ts.isExternalModuleReference(node.moduleReference)) return { name: node.moduleReference.expression.text, typeOnly: node.isTypeOnly };
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) return { name: node.argument.literal.text, typeOnly: true };
  if (ts.isCallExpression(node) && node.arguments.length > 0 && ts.isStringLiteralLike(node.arguments[0])) {
    const callee = node.expression;
    const isRequire = ts.isIdentifier(callee) && callee.text === 'require';
    const isResolve = ts.isPropertyAccessExpression(callee) && callee.getText() === 'require.resolve';
    if (isRequire || callee.kind === ts.SyntaxKind.ImportKeyword) return { name: node.arguments[0].text, typeOnly: false };
    if (isResolve) return { name: node.arguments[0].text, typeOnly: true };
  }
  return undefined;
}

/** Why this import is not allowed, or nothing. */
function judge(file, layer, rules, { name, typeOnly }) {
  const because = rules.why ? ` (${rules.why})` : '';
  if (!name.startsWith('.')) {
    const isBuiltin = name.startsWith('node:') || builtin.has(name);
      if (rules.packages && !rules.packages.includes(name)) return `src/${layer} imports ${isBuiltin ? 'the Node module ' : ''}${name}${because}`;
    const forbidden = rules.not?.find((prefix) => name.startsWith(prefix));
    return forbidden ? `src/${layer} imports ${name}${because}` : undefined;
  }
  const target = posix.normalize(posix.join(posix.dirname(file), name)).split('/');
  if (target[0] !== 'src') {
    return outsideSrc.includes(target[0]) || target[0] === '..' ? `src imports ${target.slice(0, 2).join('/')}: the product must not know of ${target[0]}/` : undefined;
  }
  const other = target[1];
  if (other === layer || rules.uses.includes(other) || (typeOnly && rules.types?.includes(other))) return undefined;
  if (rules.types?.includes(other)) return `src/${layer} imports more than types from src/${other}: use "import type"`;
  return `src/${layer} imports src/${other}${because || `; it may use ${[...rules.uses, ...(rules.types ?? []).map((one) => `types of ${one}`)].join(', ')}`}`;
}
