/** One authenticated SSH connection to one host, or the reason why not in a word that callers can act on. */
import { endpoint } from '../model/fields';
import { readFile } from 'node:fs/promises';
import type { Duplex } from 'node:stream';
import { Client, type ConnectConfig, type ServerHostKeyAlgorithm } from 'ssh2';
import { StError } from '../model/errors';
import type { SshAccess } from '../model/targets';
import { fingerprint, hostKeyAlgorithms, lookupName, parseKnownHosts, whyRefused, type HostEntries } from './knownHosts';
import type { Refusals } from './refusals';
import { credentialFingerprint, resolveSecret } from './secrets';

/** All of `SshAccess` but the way there. */
export type SshLogin = Omit<SshAccess, 'jump'>;

export interface ConnectSettings {
  env?: NodeJS.ProcessEnv;
  /** From the first packet to the end of the login, in milliseconds. */
  connectTimeoutMs: number;
  /** A peer that answers nothing for interval x count is given up. */
  keepaliveIntervalMs: number;
  keepaliveCountMax: number;
  refusals: Refusals;
}

/** Names a login in messages and in the memory of refusals. */
export const loginName = (access: SshLogin): string => `${access.user}@${endpoint(access.address, access.port)}`;

/** What a refusal is remembered by: the same key may be welcome on another host. */
export const credentialName = (access: SshLogin): string => `${loginName(access)} ${access.key}`;

/**
 * Connects, verifies the host key and logs in with the key. `through` is an open way to the host (a jump), else TCP is dialled.
 * @throws StError Unreachable, AuthenticationFailed, HostKeyMismatch, SecretUnavailable, Refused (no common algorithm).
 */
export async function connect(access: SshLogin, settings: ConnectSettings, through?: Duplex): Promise<Client> {
  const credential = credentialName(access);
  const state = await credentialFingerprint(access.key, settings);
  settings.refusals.check(credential, state);
  const entries = await knownKeys(access);
  const key = (await resolveSecret(access.key, settings)).reveal();
  const passphrase = access.passphrase === undefined ? undefined : (await resolveSecret(access.passphrase, settings)).reveal();
  let refusedKey: string | undefined;
  const config: ConnectConfig = {
    host: access.address,
    port: access.port,
    sock: through,
    username: access.user,
    privateKey: key,
    passphrase,
    authHandler: ['publickey'],
    algorithms: { serverHostKey: hostKeyAlgorithms(entries.accepted) as ServerHostKeyAlgorithm[] },
    hostVerifier: (shown: Buffer) => {
      refusedKey = whyRefused(entries, shown);
      return refusedKey === undefined;
    },
    keepaliveInterval: settings.keepaliveIntervalMs,
    keepaliveCountMax: settings.keepaliveCountMax,
    readyTimeout: 0,
  };
  try {
    return await dial(access, config, settings.connectTimeoutMs);
  } catch (error) {
    const failure = explain(access, error as SshFailure, refusedKey, entries);
    throw failure.code === 'AuthenticationFailed' ? settings.refusals.remember(credential, state, failure.message) : failure;
  }
}

function dial(access: SshLogin, config: ConnectConfig, timeoutMs: number): Promise<Client> {
  return new Promise((resolve, reject) => {
    const client = new Client();
    const timer = setTimeout(() => fail(new Error(`no login within ${timeoutMs} ms`)), timeoutMs);
    const fail = (error: Error): void => {
      clearTimeout(timer);
      reject(error);
      client.destroy();
    };
    client.on('error', fail);
    client.once('close', () => fail(new Error('the host closed the connection before the login')));
    client.once('ready', () => {
      clearTimeout(timer);
      resolve(client);
    });
    try {
      client.connect(config);
      // From the first packet on: in the handshake small packets follow each other, and each would wait for the far side's delayed acknowledgement.
      client.setNoDelay(true);
    } catch (error) {
      fail(error as Error);
    }
  });
}

async function knownKeys(access: SshLogin): Promise<HostEntries> {
  const text = await readFile(access.knownHosts, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new StError('FileUnavailable', `The known_hosts file ${access.knownHosts} could not be read (${error.code}); host keys are always verified.`);
  });
  const entries = parseKnownHosts(text)(access.address, access.port);
  if (entries.accepted.length > 0) return entries;
  const notes = entries.ignored.length > 0 ? ` Not used: ${entries.ignored.join('; ')}.` : '';
  throw new StError(
    'HostKeyMismatch',
    `${access.knownHosts} holds no key for ${lookupName(access.address, access.port)}.${notes} Verify the host's key by another way, then add it (ssh-keyscan -p ${access.port} ${access.address}).`,
  );
}

interface SshFailure extends Error {
  level?: string;
  code?: string | number;
}

function explain(access: SshLogin, error: SshFailure, refusedKey: string | undefined, entries: HostEntries): StError {
  const who = loginName(access);
  const keys = entries.accepted.map((key) => `${key.type} ${fingerprint(Buffer.from(key.key, 'base64'))}`).join(', ');
  if (refusedKey !== undefined) {
    return new StError('HostKeyMismatch', `${who}: ${refusedKey} (${access.knownHosts}). The host was re-installed, or something stands between; verify before changing the file.`, { cause: error });
  }
  if (error.level === 'client-authentication') {
    return new StError('AuthenticationFailed', `${who} refused the login with ${access.key}. Check the user's authorized_keys and the key.`, { cause: error });
  }
  if (/no matching host key format/.test(error.message)) {
    return new StError('HostKeyMismatch', `${who} shows no host key of a type that ${access.knownHosts} holds for it (${keys}).`, { cause: error });
  }
  if (/no matching/.test(error.message)) return new StError('Refused', `${who}: no common SSH algorithm (${error.message}).`, { cause: error });
  if (/privateKey|private key|passphrase/i.test(error.message)) {
    // The parser's own words name formats only, never the content.
    return new StError('SecretUnavailable', `The private key ${access.key} could not be used: ${error.message}`);
  }
  return new StError('Unreachable', `${who} could not be reached over SSH: ${error.message || String(error.code)}.`, { cause: error });
}
