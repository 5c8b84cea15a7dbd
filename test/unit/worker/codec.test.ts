import { randomBytes } from 'node:crypto';
import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import fc from 'fast-check';
import { encryptionCodec, parseKey, type EncryptionKey } from '../../../src/control/codec';
import { dataConverterFor } from '../../../src/control/connectionConfig';

const newKey = (): EncryptionKey => parseKey(randomBytes(32).toString('hex'), 'KEY');
const payloadOf = (value: unknown): Payload => defaultPayloadConverter.toPayload(value)!;
const valueOf = (payload: Payload): unknown => defaultPayloadConverter.fromPayload(payload);
const text = (bytes: Uint8Array | null | undefined): string => Buffer.from(bytes ?? []).toString('latin1');

describe('the payload codec', () => {
  const key = newKey();
  const codec = encryptionCodec([key]);

  it('gives back any JSON value as it was', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.jsonValue({ stringUnit: 'grapheme' }), { maxLength: 4 }), async (values) => {
        const back = await codec.decode(await codec.encode(values.map(payloadOf)));
        expect(back.map(valueOf)).toEqual(JSON.parse(JSON.stringify(values)));
      }),
      { numRuns: 100 },
    );
  });

  it('lets nothing of the content or its kind through, only the id of the key', async () => {
    const [sealed] = await codec.encode([payloadOf({ password: 'correct horse' })]);
    expect(text(sealed!.data)).not.toContain('horse');
    expect(text(sealed!.data)).not.toContain('json/plain');
    expect(Object.fromEntries(Object.entries(sealed!.metadata!).map(([name, value]) => [name, text(value)]))).toEqual({ encoding: 'binary/encrypted', 'encryption-key-id': key.id });
    expect(key.id).toMatch(/^[0-9a-f]{16}$/);
    expect(key.key.toString('hex')).not.toContain(key.id);
  });

  it('never encrypts the same content to the same bytes', async () => {
    const [one, two] = await codec.encode([payloadOf('same'), payloadOf('same')]);
    expect(text(one!.data)).not.toBe(text(two!.data));
  });

  it('passes on what was never encrypted', async () => {
    const plain = payloadOf({ cluster: 'demo' });
    expect(await codec.decode([plain])).toEqual([plain]);
  });

  it('encrypts with the new key and still reads the old one', async () => {
    const newer = newKey();
    const rotated = encryptionCodec([newer, key]);
    const [old] = await codec.encode([payloadOf('written before')]);
    const [fresh] = await rotated.encode([payloadOf('written after')]);
    expect((await rotated.decode([old!, fresh!])).map(valueOf)).toEqual(['written before', 'written after']);
    expect(text(fresh!.metadata!['encryption-key-id'])).toBe(newer.id);
  });

  it('names the key that is missing and where to put it', async () => {
    const [sealed] = await codec.encode([payloadOf(1)]);
    await expect(encryptionCodec([newKey()]).decode([sealed!])).rejects.toMatchObject({ code: 'InvalidInput', message: expect.stringMatching(new RegExp(`${key.id}.*ST_ENCRYPTION_OLD_KEYS`)) });
  });

  it('refuses a payload with any one byte changed or cut', async () => {
    const [sealed] = await codec.encode([payloadOf({ node: 'st2' })]);
    const bytes = Buffer.from(sealed!.data!);
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), async (at, flip) => {
        const changed = Buffer.from(bytes);
        changed[at]! ^= flip;
        await expect(codec.decode([{ ...sealed, data: changed }])).rejects.toMatchObject({ code: 'Refused', message: expect.stringContaining('changed or cut') });
        await expect(codec.decode([{ ...sealed, data: bytes.subarray(0, at) }])).rejects.toMatchObject({ code: 'Refused' });
      }),
      { numRuns: 60 },
    );
  });
});

describe('an encryption key', () => {
  it('is read from hexadecimal and from base64 alike', () => {
    const bytes = randomBytes(32);
    const [hex, base64, url] = (['hex', 'base64', 'base64url'] as const).map((form) => parseKey(`${bytes.toString(form)}\n`, 'KEY'));
    expect(hex!.key.equals(bytes)).toBe(true);
    expect(base64).toEqual(hex);
    expect(url).toEqual(hex);
  });

  it.each(['', 'short', 'g'.repeat(64), randomBytes(31).toString('hex'), randomBytes(33).toString('base64')])('is refused with the command that makes one when it is %j', (wrong) => {
    expect(() => parseKey(wrong, 'ST_ENCRYPTION_KEY')).toThrow('ST_ENCRYPTION_KEY must hold a key of 32 bytes, as 64 hexadecimal digits or as base64; make one with: openssl rand -hex 32');
  });

  it('is not needed: without one nothing is encrypted', async () => {
    expect(await dataConverterFor({})).toEqual({});
  });

  it('is resolved from its reference, the old ones too', async () => {
    process.env.ST_TEST_KEY = randomBytes(32).toString('hex');
    process.env.ST_TEST_OLD_KEY = randomBytes(32).toString('hex');
    const { payloadCodecs } = await dataConverterFor({ encryption: { key: 'env:ST_TEST_KEY', oldKeys: ['env:ST_TEST_OLD_KEY'] } });
    const [old] = await encryptionCodec([parseKey(process.env.ST_TEST_OLD_KEY, 'OLD')]).encode([payloadOf('old')]);
    expect((await payloadCodecs![0]!.decode([old!])).map(valueOf)).toEqual(['old']);
  });
});
