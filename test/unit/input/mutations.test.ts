/**
 * 5,000 cluster files and inputs with mistakes in them, through the doors that people use: never a crash, never a change, never a hang, and what is
 * accepted is the same spec again after a round trip. `npm run faults` tries 100,000.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import * as fc from 'fast-check';
import { stringify } from 'yaml';
import { loadClusterBytes, loadClusterFile } from '../../../src/control/clusterFile';
import { parseInput, setUpClusterInput } from '../../../src/model/inputs';
import { formatProblem, parseClusterSpec, type ClusterSpec } from '../../../src/model/spec';
import { mutatedFile, mutatedText, trials } from '../../helpers/faults/mutations';

jest.setTimeout(600_000);

const load = (text: string) => loadClusterFile(text, 'cluster.yaml', { baseDir: '/estate' });
/** Shown to people: one line each, short, nothing that acts on a terminal. */
const harmless = /^[^\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]{1,900}$/u;
const placed = /^cluster\.yaml:\d+:\d+ /;
/** Longest that one look may take, in milliseconds: the pauses of a busy machine, not a search without end. */
const limitMs = 3_000;

const frozen = <T>(value: T): T => {
  if (typeof value === 'object' && value !== null) Object.values(Object.freeze(value)).forEach(frozen);
  return value;
};

let slowest = 0;
function timed<T>(act: () => T): T {
  const began = performance.now();
  const result = act();
  slowest = Math.max(slowest, performance.now() - began);
  return result;
}
let accepted = 0;
beforeEach(() => { [slowest, accepted] = [0, 0]; });
afterEach(() => {
  expect(({} as Record<string, unknown>)['a']).toBeUndefined();
  expect(slowest).toBeLessThan(limitMs);
  // A property that never sees an accepted one says nothing about those.
  expect(accepted).toBeGreaterThan(10);
});

/** Plain JSON comes back as it is, and as YAML the same spec is read again. */
function holdsOnARoundTrip(spec: ClusterSpec): void {
  accepted += 1;
  expect(isDeepStrictEqual(JSON.parse(JSON.stringify(spec)), spec)).toBe(true);
  expect(load(stringify(spec))).toEqual({ spec });
}

test('as values and as inputs of setUpCluster: the same problems, with the field in place of line and column', () => {
  fc.assert(fc.property(mutatedFile, (file) => {
    const before = JSON.stringify(file);
    const parsed = timed(() => parseClusterSpec(frozen(file)));
    expect(JSON.stringify(file)).toBe(before);
    const name = parsed.spec?.metadata.name ?? 'demo';
    const input = timed(() => parseInput(setUpClusterInput, frozen({ cluster: name, spec: file })));
    if (parsed.spec) {
      accepted += 1;
      expect(input).toEqual({ value: { cluster: name, spec: parsed.spec } });
      return expect(parseClusterSpec(parsed.spec)).toEqual(parsed);
    }
    const lines = parsed.problems.map(formatProblem);
    expect(lines.length).toBeGreaterThan(0);
    expect(lines.filter((line) => !harmless.test(line))).toEqual([]);
    const told = (input as { problems: string[] }).problems;
    // A file's door tells one problem of each place; of several keys with forbidden characters in one place the input's door tells each.
    const ofKeys = /(^|: )a key contains .+, which is not allowed$/;
    const several = lines.some((line) => ofKeys.test(line));
    const same = told.filter((line) => !several || !ofKeys.test(line)).map((line) => line.replace(/^spec(\.|: |(?=\[))/, '')).sort();
    // What can't be looked at safely is all that is told; the input's door comes to it a step earlier.
    if (lines.some((line) => /the key |a key is|entries; at most/.test(line))) expect(lines).toEqual(expect.arrayContaining(same));
    else expect(same).toEqual([...new Set(lines)].filter((line) => !several || !ofKeys.test(line)).sort());
  }), trials(3_200));
});

test('as YAML files: every problem has its line and column', () => {
  fc.assert(fc.property(mutatedFile, (file) => {
    const loaded = timed(() => load(stringify(file)));
    if ('spec' in loaded) return holdsOnARoundTrip(loaded.spec);
    expect(loaded.problems.length).toBeGreaterThan(0);
    expect(loaded.problems.filter((line) => !placed.test(line) || !harmless.test(line))).toEqual([]);
  }), trials(800));
});

test('as texts that were cut into, and as bytes', () => {
  const example = readFileSync(join(__dirname, '../../../examples/cluster.yaml'), 'utf8').replaceAll(/ +#.*$/gm, '');
  fc.assert(fc.property(mutatedText(example), fc.option(fc.tuple(fc.nat(), fc.integer({ min: 0x80, max: 0xff }))), (text, byte) => {
    const bytes = Buffer.from(text);
    if (byte) bytes[byte[0] % bytes.length] = byte[1];
    const loaded = timed(() => loadClusterBytes(bytes, 'cluster.yaml', { baseDir: '/estate' }));
    if ('spec' in loaded) return holdsOnARoundTrip(loaded.spec);
    expect(loaded.problems.filter((line) => !placed.test(line) || !harmless.test(line))).toEqual([]);
  }), trials(1_000));
});
