/**
 * Remembers refused logins, so that one refusal stops every further try with that credential: a second wrong password
 * can lock the account that people need. A changed credential, or `forget`, opens the way again.
 */
import { StError } from '../model/errors';

export interface Refusals {
  /** @throws StError AuthenticationFailed when this very credential was refused before; `at`: where it would be tried now, for a login that is used in several places. */
  check(login: string, fingerprint: string, at?: string): void;
  /** Keeps the refusal and answers the error to throw; `at`: who refused. */
  remember(login: string, fingerprint: string, message: string, at?: string): StError;
  forget(login?: string): void;
}

/** One memory per client; `login` says whom and where, `fingerprint` which state of the credential. */
export function createRefusals(): Refusals {
  const refused = new Map<string, { fingerprint: string; message: string; at?: string | undefined }>();
  return {
    check(login, fingerprint, at) {
      const known = refused.get(login);
      if (known?.fingerprint === fingerprint) {
        // Else the line about one place would be about the address of another.
        const elsewhere = at !== undefined && known.at !== undefined && at !== known.at ? `${at} was not asked, since ${known.at} has refused this login: ` : '';
        throw new StError('AuthenticationFailed', `${elsewhere}${known.message} Not tried again with this credential; change it, or restart the worker, once the cause is cured.`);
      }
    },
    remember(login, fingerprint, message, at) {
      refused.set(login, { fingerprint, message, at });
      return new StError('AuthenticationFailed', message);
    },
    forget(login) {
      if (login === undefined) refused.clear();
      else refused.delete(login);
    },
  };
}
