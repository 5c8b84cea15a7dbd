/**
 * Logging in to Administration Tools without ever locking the account. The product counts wrong passwords for the whole cluster, so a refusal on one
 * Server stops that credential everywhere, and a credential that nobody has accepted yet is tried on one Server at a time.
 */
import { StError } from '../model/errors';
import type { AdminAccess } from '../model/targets';
import { createRefusals } from './refusals';
import { credentialFingerprint, resolveSecret, type SecretOptions } from './secrets';

export interface Logins {
  /** Runs `tryPassword` when this credential may be tried. @throws StError AuthenticationFailed when it was refused, now or before. */
  logIn<T>(access: AdminAccess, tryPassword: (password: string) => Promise<T>): Promise<T>;
  /** Keeps a refusal that came later than at the login; answers the error to throw. */
  refused(access: AdminAccess, message: string): Promise<StError>;
  forget(access?: AdminAccess): void;
}

export function createLogins(options: SecretOptions): Logins {
  const refusals = createRefusals();
  const accepted = new Map<string, string>();
  const queues = new Map<string, Promise<unknown>>();
  const nameOf = (access: AdminAccess): string => `${access.user} ${access.password}`;

  async function attempt<T>(access: AdminAccess, state: string, tryPassword: (password: string) => Promise<T>): Promise<T> {
    const name = nameOf(access);
    refusals.check(name, state);
    const password = await resolveSecret(access.password, options);
    try {
      const result = await tryPassword(password.reveal());
      accepted.set(name, state);
      return result;
    } catch (error) {
      if (!(error instanceof StError) || error.code !== 'AuthenticationFailed') throw error;
      accepted.delete(name);
      throw refusals.remember(name, state, error.message);
    }
  }

  return {
    async logIn(access, tryPassword) {
      const name = nameOf(access);
      const state = await credentialFingerprint(access.password, options);
      if (accepted.get(name) === state) return attempt(access, state, tryPassword);
      const turn = (queues.get(name) ?? Promise.resolve()).catch(() => undefined).then(() => attempt(access, state, tryPassword));
      queues.set(name, turn.catch(() => undefined));
      return turn;
    },
    async refused(access, message) {
      accepted.delete(nameOf(access));
      return refusals.remember(nameOf(access), await credentialFingerprint(access.password, options), message);
    },
    forget: (access) => refusals.forget(access && nameOf(access)),
  };
}
