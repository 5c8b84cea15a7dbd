/** What reaches the workflow sandbox: our workflows and the model, and nothing that touches the world; and every activity they name exists. */
import { readFileSync, readdirSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { join } from 'node:path';
import { createContext, runInContext } from 'node:vm';
import ts from 'typescript';
import { createActivities } from '../../src/activities';
import type { ActivityDependencies } from '../../src/activities';
import { operations, watchers } from '../../src/model/ids';

const root = join(__dirname, '../..');
const code = readFileSync(process.env['ST_WORKFLOW_BUNDLE']!, 'utf8');

/** The modules of the bundle, by the headings that webpack writes: `./src/model/ids.ts`, `fs (ignored)`. */
const modules = [...code.matchAll(/^ {2}!\*\*\* (.+) \*\*\*!$/gm)].map(([, name]) => name!);

test('holds our workflows and the model, and no other part of ours', () => {
  const ours = new Set(modules.flatMap((name) => /^\.\/(?:dist\/)?src\/(\w+)/.exec(name)?.slice(1) ?? []));
  expect([...ours].sort()).toEqual(['model', 'workflows']);
});

test('holds no module of Node, and of the packages those alone that a workflow has a use for: no ssh2, pg, undici or nodemailer', () => {
  const ignored = modules.filter((name) => name.endsWith('(ignored)')).map((name) => name.replace(' (ignored)', ''));
  // The two that stand for a converter of one's own, and no module that was asked for in vain.
  expect(ignored.filter((name) => !name.startsWith('__temporal_custom_'))).toEqual([]);
  expect(modules.filter((name) => builtinModules.includes(name.replace(/^node:/, '')))).toEqual([]);
  const packages = new Set(modules.flatMap((name) => /^\.\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(name)?.slice(1) ?? []));
  expect([...packages].sort()).toEqual(['@temporalio/common', '@temporalio/workflow', 'long', 'ms', 'nexus-rpc', 'zod']);
});

test('exports exactly the entity, the operations, what watches and what tells', () => {
  // What the worker gives to every workflow's sandbox.
  const sandbox = createContext({ __webpack_module_cache__: {}, TextEncoder, TextDecoder, AbortController });
  runInContext(code, sandbox);
  expect((runInContext('Object.keys(__TEMPORAL__.importWorkflows())', sandbox) as string[]).sort()).toEqual(['checkEnds', 'cluster', 'keepMaintenance', 'notify', ...operations, ...watchers].sort());
});

test('every activity that a workflow names is registered, and every registered one is named', () => {
  // These are proxied by their whole names, without a lease and its authority.
  const byWholeName = ['maintenance.keep', 'notifications.mail', 'notifications.program', 'notifications.webhook'];
  const registered = Object.keys(createActivities({ clients: {}, temporal: {}, taskQueue: 'any' } as ActivityDependencies));
  expect([...namedActivities(), ...byWholeName].sort()).toEqual(registered.sort());
});

/** `hosts.checkHost(` of a builder that `operation/groups.ts` has: the only way in which workflows name activities. */
function namedActivities(): string[] {
  const named = new Set<string>();
  const parse = (file: string): ts.SourceFile => ts.createSourceFile(file, readFileSync(join(root, 'src/workflows', file), 'utf8'), ts.ScriptTarget.ES2022, true);
  const builders = new Map<string, string>();
  for (const declaration of parse('operation/groups.ts').statements.filter(ts.isVariableStatement).flatMap(({ declarationList }) => [...declarationList.declarations])) {
    builders.set(declaration.name.getText(), ((declaration.initializer as ts.CallExpression).arguments[0] as ts.StringLiteral).text);
  }
  for (const file of readdirSync(join(root, 'src/workflows'), { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'))) {
    const groups = new Map<string, string>();
    const visit = (node: ts.Node): void => {
      if (ts.isImportDeclaration(node) && node.moduleSpecifier.getText().endsWith('/groups\'')) {
        for (const { name, propertyName = name } of (node.importClause!.namedBindings as ts.NamedImports).elements) groups.set(name.text, builders.get(propertyName.text)!);
      }
      if (ts.isCallExpression(node) && ts.isPropertyAccessExpression(node.expression)) {
        const group = groups.get(node.expression.expression.getText());
        if (group !== undefined) named.add(`${group}.${node.expression.name.text}`);
      }
      ts.forEachChild(node, visit);
    };
    visit(parse(file));
  }
  return [...named];
}
