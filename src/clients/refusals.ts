/**
 * Remembers refused logins, so that one refusal stops every further try with that credential: a second wrong password
 * can lock the account that people need. A changed credential, or `forget`, opens the way again.
 */
import { StError } from '../model/errors';

export interface Refusals {
  /** @throws StError AuthenticationFailed when this very credential was refused before. */
  check(login: string, fingerprint: string): void;
  /** Keeps the refusal and answers the error to throw. */
  remember(login: string, fingerprint: string, message: string): StError;
  forget(login?: string): void;
}

/** One memory per client; `login` says whom and where, `fingerprint` which state of the credential. */
export function createRefusals(): Refusals {
  const refused = new Map<string, { fingerprint: string; message: string }>();
  return {
    check(login, fingerprint) {
      const known = refused.get(login);
      if (known?.fingerprint === fingerprint) {
        throw new StError('AuthenticationFailed', `${known.message} Not tried again with this credential; change it, or restart the worker, once the cause is cured.`);
      }
    },
    remember(login, fingerprint, message) {
      refused.set(login, { fingerprint, message });
      return new StError('AuthenticationFailed', message);
    },
    forget(login) {
      if (login === undefined) refused.clear();
      else refused.delete(login);
    },
  };
}
