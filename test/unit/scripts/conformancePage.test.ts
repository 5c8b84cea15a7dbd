/** docs/conformance.md lists the conformance tests as they are. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(__dirname, '../../..');

test('the page of behaviours names every conformance test: node scripts/conformance-page.mjs > docs/conformance.md', () => {
  const { stdout } = spawnSync(process.execPath, [join(root, 'scripts/conformance-page.mjs')], { encoding: 'utf8' });
  expect(stdout.match(/^\| §/gm)!.length).toBeGreaterThan(100);
  expect(readFileSync(join(root, 'docs/conformance.md'), 'utf8')).toBe(stdout);
});
