import { addressProblem, canonicalAddress, durationMs, durationText, isLoopback, mailProblem } from '../../../src/model/fields';
import { describe as inWords, didYouMean, formatPath } from '../../../src/model/problems';

describe('addresses', () => {
  test.each(['10.0.0.1', '192.168.255.254', 'st1', 'st1.fra.example', 'a-b.c', 'fd00::1', '2001:db8:0:0:0:0:0:1', '::ffff:10.0.0.1', 'x'.repeat(63)])('%s is one', (text) => expect(addressProblem(text)).toBeUndefined());
  test.each(['', ' ', '10.0.0.1/24', '10.0.0.1:22', 'st1.', '.st1', 'x'.repeat(64), `${'x'.repeat(60)}.`.repeat(5), 'ff02::1', '::', '255.255.255.255', 'st 1', '[fd00::1]', 'http://st1', 'ops@st1', 'ünïcode'])('%p is none', (text) => expect(addressProblem(text)).toMatch(/^expected /));
  test.each([['FD00::1', 'fd00:0:0:0:0:0:0:1'], ['::', '::0'], ['::ffff:10.0.0.1', '::FFFF:a00:1'], ['ST1.Example', 'st1.example'], ['1::', '1:0::0']])('%s and %s are the same', (a, b) => expect(canonicalAddress(a)).toBe(canonicalAddress(b)));
  test.each([['fd00::1', 'fd00::1:0'], ['st1', 'st2'], ['10.0.0.1', '10.0.0.10']])('%s and %s differ', (a, b) => expect(canonicalAddress(a)).not.toBe(canonicalAddress(b)));
  test('loopback is known by its names', () => expect(['127.0.0.1', '127.9.9.9', '::1', 'localhost', 'localhost.localdomain', '10.0.0.1', 'localhost2'].map(isLoopback)).toEqual([true, true, true, true, true, false, false]));
});

describe('durations', () => {
  test.each<[string | number, number | undefined]>([['30s', 30_000], ['5m', 300_000], ['1500ms', 1500], ['2h', 7_200_000], ['1d', 86_400_000], [250, 250], [0, 0], ['0s', 0], ['30', undefined], ['-1s', undefined], ['1.5s', undefined], [1.5, undefined], [-1, undefined], [NaN, undefined], ['1s ', undefined], ['9999999999s', undefined], ['', undefined]])('%p is %p ms', (text, ms) => expect(durationMs(text)).toBe(ms));
  test('are written in their largest whole unit', () => expect([0, 1500, 90_000, 120_000, 7_200_000, 86_400_000].map(durationText)).toEqual(['0ms', '1500ms', '90s', '2m', '2h', '1d']));
});

describe('mail addresses', () => {
  test.each(['mft@example.com', 'a.b+c@x-y.example.org', 'o_1@sub.example.co'])('%s is one', (text) => expect(mailProblem(text)).toBeUndefined());
  test.each(['root@localhost', 'x@localhost.localdomain'])('%s is nobody', (text) => expect(mailProblem(text)).toContain('nobody reads it'));
  test.each(['', '@', 'a@', '@b.c', 'a b@example.com', 'a@b', 'a@10.0.0.1', 'a..b@example.com', '.a@example.com', 'Ops <ops@example.com>', 'a@exam_ple.com', 'a@b@', `${'a'.repeat(65)}@example.com`, 'a@example.com,b@example.com'])('%p is none', (text) => expect(mailProblem(text)).toMatch(/^expected a mail address/));
});

describe('words for people', () => {
  test.each([['adress', 'address'], ['Address', 'address'], ['sevrers', 'servers'], ['knownhosts', 'knownHosts'], ['licenses', 'licences']])('%s was meant as %s', (word, meant) => expect(didYouMean(word, ['address', 'servers', 'knownHosts', 'licences', 'port', 'to'])).toBe(`; did you mean "${meant}"?`));
  test.each(['x', 'something', '', 'a'.repeat(10_000)])('%.20s was meant as nothing known', (word) => expect(didYouMean(word, ['address', 'to', 'ssh'])).toBe(''));
  test('a path reads like code', () => expect(formatPath(['sites', 'prod', 'servers', 2, 'a key', 'x.y'])).toBe('sites.prod.servers[2]["a key"]["x.y"]'));
  test('a value is described in one safe, short line', () => {
    expect([null, '', [], [1], {}, true, 7, 'a'.repeat(99), 'a\nb\u202ec'].map(inWords)).toEqual(['nothing', 'an empty text', 'an empty list', 'a list', 'a mapping', 'true', '7', `"${'a'.repeat(40)}…"`, '"a\\nb\\u{202e}c"']);
  });
});
