/** What every group of conformance tests works with. */
import { until } from '../../../lab/shell';
import { basic, callAt, type Answer, type Call } from './caller';
import type { LabTarget, Target } from './target';

export interface Suite {
  target(): Target;
  /** Only for tests that are registered for a lab alone. */
  lab(): LabTarget;
  /** A call with Basic credentials, unless it brings headers of its own for that. */
  call(method: string, path: string, call?: Call): Promise<Answer>;
  /** A call without credentials. */
  bare(method: string, path: string, call?: Call): Promise<Answer>;
  /** The JSON of a GET that must be 200. */
  get(path: string): Promise<any>;
  /** Registers what is to be undone after the test that runs now, whatever its end. */
  undo(path: string): void;
  clean(): Promise<void>;
}

export function makeSuite(target: () => Target | LabTarget): Suite {
  const made: string[] = [];
  const suite: Suite = {
    target,
    lab: () => target() as LabTarget,
    call: (method, path, call = {}) => callAt(target(), method, path, { ...call, headers: { ...basic(target()).headers, ...call.headers } }),
    bare: (method, path, call) => callAt(target(), method, path, call),
    async get(path) {
      const answer = await suite.call('GET', path);
      if (answer.status !== 200) throw new Error(`GET ${path}: ${answer.status} ${answer.text}`);
      return answer.json;
    },
    undo: (path) => void made.push(path),
    async clean() {
      for (const path of made.splice(0).reverse()) await suite.call('DELETE', path);
    },
  };
  return suite;
}

/** A name that nothing else on the Server has. */
export const unique = (what: string): string => `conformance-${what}-${process.pid}-${(counter += 1)}`;
let counter = 0;

/** Waits until a status has this word. */
export const reaches = (suite: Suite, path: string, field: string, word: string): Promise<boolean> =>
  until(`${path} to say ${word}`, async () => (await suite.get(path))[field] === word, 15_000, 50);

export const running = (suite: Suite, word: 'Running' | 'Not running'): Promise<boolean> => reaches(suite, '/daemons', 'sshStatus', word);
export const transactionManagerIs = (suite: Suite, word: 'Running.' | 'Not running.'): Promise<boolean> => reaches(suite, '/transactionManager', 'status', word);
