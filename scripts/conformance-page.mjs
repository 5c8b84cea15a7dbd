// Prints docs/conformance.md: which test holds which behaviour of SecureTransport, taken from the titles of the conformance tests.
//   node scripts/conformance-page.mjs > docs/conformance.md
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = join(dirname(fileURLToPath(import.meta.url)), '../test/helpers/conformance');
const title = /\(\s*(['"`])(§(?:\\.|(?!\1).)*)\1,/g;

const sections = readdirSync(folder).sort().flatMap((file) => {
  const source = readFileSync(join(folder, file), 'utf8');
  const titles = [...source.matchAll(title)].map(([, , text]) => text.replaceAll(/\\(.)/g, '$1').replaceAll('%s', '…'));
  if (titles.length === 0) return [];
  const rows = titles.map((text) => {
    const [, section, behaviour] = /^(§[\d.]+) (.*)$/s.exec(text);
    return `| ${section} | ${behaviour.replaceAll('|', '\\|')} |`;
  });
  return [`## ${file}`, '| | Behaviour |', '| --- | --- |', ...rows, ''];
});

process.stdout.write(`${[
  '# Conformance: the behaviours of SecureTransport this project is built on',
  '',
  'One test each; the sections are those of the fact sheet. How to run them against a lab or a standing Server, and what other tests hold:',
  '[lab/standin/README.md](../lab/standin/README.md#conformance). Written by `scripts/conformance-page.mjs` from the titles in `test/helpers/conformance/`.',
  '',
  ...sections,
].join('\n').trimEnd()}\n`);
