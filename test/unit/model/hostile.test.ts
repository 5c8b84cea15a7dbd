import fc from 'fast-check';
import { formatProblem, parseClusterSpec } from '../../../src/model/spec';
import { demoFile } from './demoFile';

type Path = (string | number)[];

/** Every place of a value that holds no further values. */
function leaves(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [path];
  const entries: [string | number, unknown][] = Array.isArray(value) ? value.map((entry, i) => [i, entry]) : Object.entries(value);
  return entries.flatMap(([key, entry]) => leaves(entry, [...path, key]));
}
const read = (value: any, path: Path) => path.reduce((here, key) => here?.[key], value);
function write(file: any, path: Path, value: unknown): any {
  read(file, path.slice(0, -1))[path.at(-1)!] = value;
  return file;
}
const texts = leaves(demoFile()).filter((path) => typeof read(demoFile(), path) === 'string');

const hostile: [string, string][] = [
  ['a line break', '\nrm -rf /'],
  ['a carriage return', '\r'],
  ['a NUL character', '\0'],
  ['an escape', '\x1b[31m'],
  ['a double quote', '"'],
  ['a single quote', '\''],
  ['a backtick', '`id`'],
  ['a right-to-left mark', '\u202e'],
  ['a zero-width space', '\u200b'],
  ['half a surrogate pair', '\ud800'],
  ['a line separator', '\u2028'],
  ['10 kB', 'a'.repeat(10_240)],
];

describe('in every text of the file', () => {
  test.each(hostile)('%s is refused', (_, bad) => {
    for (const path of texts) {
      const { problems } = parseClusterSpec(write(demoFile(), path, String(read(demoFile(), path)) + bad));
      expect([path, problems?.some((problem) => JSON.stringify(problem.path) === JSON.stringify(path))]).toEqual([path, true]);
      // What is shown to people is itself harmless and short.
      for (const line of problems!.map(formatProblem)) expect(line).toMatch(/^[^\p{C}\p{Zl}\p{Zp}]{1,600}$/u);
    }
  });
  test('what a shell would read is refused wherever it would become part of a command or path on a host', () => {
    const onHosts: Path[] = [['product', 'fileDriveHome'], ['product', 'user'], ['product', 'installer', 'package'], ['sites', 'prod', 'sharedFiles', 'path'], ['sites', 'prod', 'loadBalancer', 'map'], ['sites', 'prod', 'loadBalancer', 'mapKey'], ['sites', 'prod', 'servers', 1, 'name'], ['defaults', 'ssh', 'user']];
    for (const path of onHosts) {
      for (const bad of ['$(id)', ';id', ' x', '|id', '&', '>', '*', '?', '\\', '%', '!', '#', '{a,b}']) {
        expect([path, bad, parseClusterSpec(write(demoFile(), path, `${read(demoFile(), path)}${bad}`)).problems?.length]).toEqual([path, bad, 1]);
      }
    }
  });
});

describe('values that are no files', () => {
  test('keys that would change an object\'s prototype', () => {
    for (const key of ['__proto__', 'constructor', 'prototype']) {
      const file = demoFile();
      file.sites = JSON.parse(`{"${key}": {"servers": []}}`);
      expect(parseClusterSpec(file).problems).toEqual([{ path: ['sites'], message: `the key ${key} is not allowed` }]);
    }
    expect(({} as any).servers).toBeUndefined();
  });
  test('a value that contains itself, nests deeply or is huge', () => {
    const loop: any = demoFile();
    loop.sites.self = loop;
    const deep = JSON.parse('['.repeat(5000) + ']'.repeat(5000));
    const wide = demoFile();
    wide.sites.prod.servers = Array.from({ length: 100_000 }, () => ({}));
    for (const value of [loop, deep, wide, { sites: deep }]) expect(parseClusterSpec(value).problems).toHaveLength(1);
  });
});

test('a zero with a sign is a zero', () => {
  const file = demoFile();
  file.policies = { ...file.policies, failover: { maximumDataLoss: -0 } };
  expect(parseClusterSpec(file).spec!.policies.failover.maximumDataLoss).toBe(0);
});

describe('a file changed at random', () => {
  const anything = fc.oneof(
    fc.anything({ maxDepth: 2 }),
    fc.string({ unit: 'binary' }),
    fc.constantFrom<unknown>('st[1:9]', '[1:2]', 'file:', 'env:', '/', '..', 'C:\\', '-1', '1e999', NaN, -0, 1e21, null, [], {}, [[]], undefined, Symbol('x'), 1n),
  );
  const places = [...leaves(demoFile()), ...leaves(demoFile()).map((path) => path.slice(0, -1)), ...leaves(demoFile()).map((path) => path.slice(0, 2))].filter((path) => path.length > 0);

  test('never crashes the parser, and what it accepts it accepts again unchanged (500 files)', () => {
    fc.assert(
      fc.property(fc.array(fc.record({ place: fc.constantFrom(...places), value: anything, rename: fc.option(fc.string({ maxLength: 20 })) }), { minLength: 1, maxLength: 4 }), (edits) => {
        const file = demoFile();
        for (const { place, value, rename } of edits) {
          const parent = read(file, place.slice(0, -1));
          if (typeof parent !== 'object' || parent === null) continue;
          try {
            if (rename !== null && !Array.isArray(parent)) parent[rename] = parent[place.at(-1)!];
            else parent[place.at(-1)!] = value;
          } catch {
            continue; // A frozen or odd object made by fc.anything can't be changed further.
          }
        }
        const parsed = parseClusterSpec(file);
        if (parsed.spec) expect(parseClusterSpec(JSON.parse(JSON.stringify(parsed.spec)))).toEqual({ spec: parsed.spec });
        else expect(parsed.problems!.length).toBeGreaterThan(0);
      }),
      // Always the same, so that a failure can be repeated; more and others by test/unit/input/mutations.
      { numRuns: 500, seed: 1 },
    );
  });
});
