/** scripts/node-modules-fit.mjs decides whether `npm ci` is needed, by content and not by time. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const script = join(__dirname, '../../../scripts/node-modules-fit.mjs');
let root: string;
beforeEach(() => (root = mkdtempSync(join(tmpdir(), 'st-fit-'))));
afterEach(() => rmSync(root, { recursive: true, force: true }));

type Packages = Record<string, { version: string; optional?: boolean }>;

function fits(wanted: Packages, installed?: Packages): boolean {
  writeFileSync(join(root, 'package-lock.json'), JSON.stringify({ packages: { '': { version: '0.1.0' }, ...wanted } }));
  if (installed) {
    mkdirSync(join(root, 'node_modules'));
    writeFileSync(join(root, 'node_modules/.package-lock.json'), JSON.stringify({ packages: installed }));
  }
  return spawnSync(process.execPath, [script, root]).status === 0;
}

const zod = { 'node_modules/zod': { version: '4.6.7' } };

test('a checkout where nothing was ever installed does not fit', () => expect(fits(zod)).toBe(false));
test('the same packages fit', () => expect(fits(zod, zod)).toBe(true));
test('another version does not fit', () => expect(fits(zod, { 'node_modules/zod': { version: '4.0.0' } })).toBe(false));
test('a missing package does not fit', () => expect(fits({ ...zod, 'node_modules/pg': { version: '8.0.0' } }, zod)).toBe(false));
test('a package too many does not fit', () => expect(fits(zod, { ...zod, 'node_modules/pg': { version: '8.0.0' } })).toBe(false));
test("an optional package of another platform may be missing", () => expect(fits({ ...zod, 'node_modules/win': { version: '1.0.0', optional: true } }, zod)).toBe(true));
