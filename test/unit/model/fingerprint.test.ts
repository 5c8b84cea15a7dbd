import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { canonicalJson, fingerprint, sha256Hex } from '../../../src/model/fingerprint';

const reference = (text: string) => createHash('sha256').update(text).digest('hex');

test('SHA-256 is that of node:crypto, at every length around a block and for every kind of text', () => {
  for (let length = 0; length < 200; length++) expect(sha256Hex('x'.repeat(length))).toBe(reference('x'.repeat(length)));
  fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => expect(sha256Hex(text)).toBe(reference(text))));
  expect(sha256Hex('a\ud800b')).toBe(reference('a\ud800b'));
  const large = 'é'.repeat(100_000);
  expect(sha256Hex(large)).toBe(reference(large));
});

test('the order of keys and what is undefined make no difference', () => {
  expect(canonicalJson({ b: 1, a: { d: [1, { y: 2, x: 1 }], c: undefined } })).toBe('{"a":{"d":[1,{"x":1,"y":2}]},"b":1}');
  expect(fingerprint({ b: 1, a: 2 })).toBe(fingerprint({ a: 2, b: 1, c: undefined }));
  expect(fingerprint([1, 2])).not.toBe(fingerprint([2, 1]));
});

test('canonical JSON says the same as JSON', () => {
  fc.assert(fc.property(fc.jsonValue(), (value) => expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)))));
});

test('a fingerprint is 12 hexadecimal digits and stays what it is', () => {
  expect(fingerprint({})).toBe('44136fa355b3');
  expect(fingerprint(undefined)).toMatch(/^[0-9a-f]{12}$/);
  expect(() => fingerprint({ a: 1n })).toThrow(TypeError);
});
