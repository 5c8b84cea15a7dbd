/**
 * Logging in to Administration Tools without ever locking the account. The product counts wrong passwords for the whole cluster, so a refusal on one
 * Server stops that credential everywhere, and a credential that nobody has accepted yet is tried on one Server at a time.
 */
import { StError } from '../model/errors';
import { endpoint } from '../model/fields';
import type { AdminAccess } from '../model/targets';
import { createRefusals } from './refusals';
import { credentialFingerprint, resolveSecret, type SecretOptions } from './secrets';

export interface Logins {
  /** Runs `tryPassword` when this credential may be tried. @throws StError AuthenticationFailed when it was refused, now or before. */
  logIn<T>(access: AdminAccess, tryPassword: (password: string, fingerprint: string) => Promise<T>): Promise<T>;
  /** Which state of its credential this access has now; of a `command:` it may be up to half a minute old. */
  fingerprint(access: AdminAccess): Promise<string>;
  /** Keeps a refusal that came later than at the login; answers the error to throw. */
  refused(access: AdminAccess, message: string): Promise<StError>;
  forget(access?: AdminAccess): void;
}

/** Running a `command:` costs a process, and often a login at a vault: too much for each call of a session. In milliseconds. */
const commandAgeMs = 30_000;

export function createLogins(options: SecretOptions): Logins {
  const refusals = createRefusals();
  const accepted = new Map<string, string>();
  const queues = new Map<string, Promise<unknown>>();
  const commands = new Map<string, { state: string; readAt: number }>();
  const nameOf = (access: AdminAccess): string => `${access.user} ${access.password}`;
  const placeOf = ({ address, port }: AdminAccess): string => endpoint(address, port);

  async function fresh({ password }: AdminAccess): Promise<string> {
    const state = await credentialFingerprint(password, options);
    if (password.startsWith('command:')) commands.set(password, { state, readAt: performance.now() });
    return state;
  }

  async function attempt<T>(access: AdminAccess, state: string, tryPassword: (password: string, fingerprint: string) => Promise<T>): Promise<T> {
    const name = nameOf(access);
    refusals.check(name, state, placeOf(access));
    const password = await resolveSecret(access.password, options);
    try {
      const result = await tryPassword(password.reveal(), state);
      accepted.set(name, state);
      return result;
    } catch (error) {
      if (!(error instanceof StError) || error.code !== 'AuthenticationFailed') throw error;
      accepted.delete(name);
      throw refusals.remember(name, state, error.message, placeOf(access));
    }
  }

  return {
    async logIn(access, tryPassword) {
      const name = nameOf(access);
      const state = await fresh(access);
      if (accepted.get(name) === state) return attempt(access, state, tryPassword);
      const turn = (queues.get(name) ?? Promise.resolve()).catch(() => undefined).then(() => attempt(access, state, tryPassword));
      queues.set(name, turn.catch(() => undefined));
      return turn;
    },
    async fingerprint(access) {
      const known = commands.get(access.password);
      return known && performance.now() - known.readAt < commandAgeMs ? known.state : fresh(access);
    },
    async refused(access, message) {
      accepted.delete(nameOf(access));
      return refusals.remember(nameOf(access), await fresh(access), message, placeOf(access));
    },
    forget: (access) => refusals.forget(access && nameOf(access)),
  };
}
