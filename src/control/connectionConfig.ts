/**
 * Where the Temporal server is and how payloads are encrypted: the same for the worker, `stctl` and the web page.
 * The server is named by the `temporal` CLI's own profiles (`~/.config/temporalio/temporal.toml`) and variables (TEMPORAL_ADDRESS, …).
 */
import type { DataConverter } from '@temporalio/common';
import { loadClientConnectConfig, type ClientConnectConfig } from '@temporalio/envconfig';
import { resolveSecret } from '../clients/secrets';
import { StError } from '../model/errors';
import type { SecretRef } from '../model/targets';
import { encryptionCodec, parseKey } from './codec';

export interface ConnectionConfig {
  /** Address, TLS, API key and headers, as both of the SDK's kinds of connection take them. */
  connectionOptions: ClientConnectConfig['connectionOptions'];
  namespace: string;
  encryption?: { key: SecretRef; oldKeys: SecretRef[] };
}

export type Environment = Record<string, string | undefined>;

export const defaultAddress = 'localhost:7233';

/** `env:NAME`, `file:/absolute/path` or `command:program args`. */
const isReference = (text: string): boolean => /^(env:[A-Za-z_][A-Za-z0-9_]*|file:\/.+|command:.+)$/.test(text);

/**
 * Reads the connection's part of the environment.
 * @param problems every problem found is added here, in words that name the variable; values of secrets are never repeated
 */
export function readConnectionConfig(env: Environment, problems: string[]): ConnectionConfig {
  const encryption = readEncryption(env, problems);
  try {
    const { connectionOptions, namespace } = loadClientConnectConfig({ overrideEnvVars: defined(env) });
    return { connectionOptions: { ...connectionOptions, address: connectionOptions.address || defaultAddress }, namespace: namespace || 'default', encryption };
  } catch (error) {
    problems.push(`The Temporal profile${env.TEMPORAL_PROFILE ? ` "${env.TEMPORAL_PROFILE}"` : ''} can't be used: ${error instanceof Error ? error.message : String(error)}`);
    return { connectionOptions: { address: defaultAddress }, namespace: 'default', encryption };
  }
}

/** The same for callers with nothing else to read. @throws StError InvalidInput with all problems */
export function connectionConfig(env: Environment = process.env): ConnectionConfig {
  const problems: string[] = [];
  const config = readConnectionConfig(env, problems);
  if (problems.length) throw new StError('InvalidInput', problems.join('\n'));
  return config;
}

function readEncryption(env: Environment, problems: string[]): ConnectionConfig['encryption'] {
  const key = env.ST_ENCRYPTION_KEY?.trim();
  const oldKeys = (env.ST_ENCRYPTION_OLD_KEYS ?? '').split(',').map((ref) => ref.trim()).filter(Boolean);
  const wrong = 'must be a reference, env:NAME, file:/absolute/path or command:program args; the key itself does not belong here';
  if (key && !isReference(key)) problems.push(`ST_ENCRYPTION_KEY ${wrong}`);
  oldKeys.forEach((ref, index) => {
    if (!isReference(ref)) problems.push(`ST_ENCRYPTION_OLD_KEYS: entry ${index + 1} ${wrong}`);
  });
  if (!key && oldKeys.length) problems.push('ST_ENCRYPTION_OLD_KEYS is set without ST_ENCRYPTION_KEY: name the key to encrypt with');
  return key ? { key, oldKeys } : undefined;
}

/**
 * The data converter for clients and workers: with a key configured all payloads are encrypted, otherwise none.
 * @throws StError SecretUnavailable or InvalidInput when a key can't be read
 */
export async function dataConverterFor({ encryption }: Pick<ConnectionConfig, 'encryption'>): Promise<DataConverter> {
  if (!encryption) return {};
  const read = async (ref: SecretRef, name: string) => parseKey((await resolveSecret(ref)).reveal(), name);
  const current = await read(encryption.key, 'ST_ENCRYPTION_KEY');
  const old = await Promise.all(encryption.oldKeys.map((ref, index) => read(ref, `ST_ENCRYPTION_OLD_KEYS, entry ${index + 1},`)));
  return { payloadCodecs: [encryptionCodec([current, ...old])] };
}

const defined = (env: Environment): Record<string, string> => Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined));
