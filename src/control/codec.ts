/**
 * Encrypts payloads (inputs, results, details of failures) with AES-256-GCM before they leave the process.
 * Layout of the data: 12 bytes of nonce, the ciphertext, 16 bytes of tag; the layout and the metadata are those of Temporal's own sample,
 * so that codec servers made for it read ours.
 */
import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import type { Payload, PayloadCodec } from '@temporalio/common';
import { temporal } from '@temporalio/proto';
import { StError } from '../model/errors';

const encoding = 'binary/encrypted';
const cipherName = 'aes-256-gcm';
const nonceBytes = 12;
const tagBytes = 16;
const keyBytes = 32;

export interface EncryptionKey {
  /** Stands in the clear beside every payload; tells which key opens it. */
  id: string;
  key: Buffer;
}

/**
 * Reads a key from its text: 32 bytes as 64 hexadecimal digits or as base64. Its id is a digest of it, so that nobody has to name keys.
 * @param name how messages call this key (never the value)
 * @throws StError InvalidInput
 */
export function parseKey(text: string, name: string): EncryptionKey {
  const trimmed = text.trim();
  const key = /^[0-9a-fA-F]{64}$/.test(trimmed) ? Buffer.from(trimmed, 'hex') : /^[A-Za-z0-9+/_-]{43}=?$/.test(trimmed) ? Buffer.from(trimmed, 'base64') : Buffer.alloc(0);
  if (key.length !== keyBytes) {
    throw new StError('InvalidInput', `${name} must hold a key of ${keyBytes} bytes, as 64 hexadecimal digits or as base64; make one with: openssl rand -hex ${keyBytes}`);
  }
  return { id: createHash('sha256').update('st-orchestrator payload key id\0').update(key).digest('hex').slice(0, 16), key };
}

/**
 * The codec: encrypts with the first key, decrypts with any of them, so that a new key is put in front and the old ones stay until
 * the last history that needs them is gone. What was never encrypted (input typed into the `temporal` CLI) passes as it is.
 */
export function encryptionCodec(keys: readonly [EncryptionKey, ...EncryptionKey[]]): PayloadCodec {
  const [current] = keys;
  const byId = new Map(keys.map((key) => [key.id, key]));
  return {
    encode: async (payloads) => payloads.map((payload) => seal(payload, current)),
    decode: async (payloads) => payloads.map((payload) => (textOf(payload, 'encoding') === encoding ? open(payload, byId) : payload)),
  };
}

function seal(payload: Payload, { id, key }: EncryptionKey): Payload {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv(cipherName, key, nonce, { authTagLength: tagBytes });
  const plain = temporal.api.common.v1.Payload.encode(payload).finish();
  const data = Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
  return { metadata: { encoding: Buffer.from(encoding), 'encryption-key-id': Buffer.from(id) }, data };
}

function open(payload: Payload, keys: ReadonlyMap<string, EncryptionKey>): Payload {
  const id = textOf(payload, 'encryption-key-id');
  const known = keys.get(id);
  if (!known) {
    throw new StError('InvalidInput', `A payload is encrypted with key ${id || '(unnamed)'}, which is not configured here (known: ${[...keys.keys()].join(', ')}). Add it to ST_ENCRYPTION_OLD_KEYS.`);
  }
  const data = Buffer.from(payload.data ?? []);
  try {
    const decipher = createDecipheriv(cipherName, known.key, data.subarray(0, nonceBytes), { authTagLength: tagBytes });
    decipher.setAuthTag(data.subarray(data.length - tagBytes));
    const plain = Buffer.concat([decipher.update(data.subarray(nonceBytes, data.length - tagBytes)), decipher.final()]);
    return temporal.api.common.v1.Payload.decode(plain);
  } catch (cause) {
    throw new StError('Refused', `A payload encrypted with key ${id} was changed or cut on its way or in store: it does not open with that key.`, { cause });
  }
}

const textOf = (payload: Payload, name: string): string => Buffer.from(payload.metadata?.[name] ?? []).toString('utf8');
