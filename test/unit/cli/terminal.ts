/** A terminal for tests: keeps what is written, answers questions, and can be interrupted. */
import type { Io } from '../../../src/cli/cli';
import { run } from '../../../src/cli/program';

export interface Terminal extends Io {
  stdout: string;
  stderr: string;
  interrupt(): void;
}

export function terminal(over: Partial<Io> = {}): Terminal {
  const stop = new AbortController();
  const made: Terminal = {
    stdout: '',
    stderr: '',
    env: {},
    tty: { in: false, out: false, err: false },
    size: () => ({ columns: 100, rows: 30 }),
    ask: async (question) => {
      throw new Error(`nobody is there to answer ${question}`);
    },
    readIn: () => Buffer.from(''),
    interrupted: stop.signal,
    out: (text) => void (made.stdout += text),
    err: (text) => void (made.stderr += text),
    interrupt: () => stop.abort(),
    ...over,
  };
  return made;
}

export interface Ran {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs one command to its end. */
export async function stctl(words: string[], over: Partial<Io> = {}): Promise<Ran> {
  const io = terminal(over);
  const code = await run(words, io);
  return { code, stdout: io.stdout, stderr: io.stderr };
}
