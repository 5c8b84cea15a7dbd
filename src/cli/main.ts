/** The process of `stctl`. */
import { createInterface } from 'node:readline/promises';
import { isatty } from 'node:tty';
import { largestFileBytes } from '../control/clusterFile';
import { readBounded } from '../control/textFile';
import type { Io } from './cli';
import { run } from './program';

const { stdout, stderr } = process;
let standardInput: Buffer | undefined;
const interrupt = new AbortController();
// The first Ctrl-C lets go of what is followed; a second one kills.
process.once('SIGINT', () => interrupt.abort());
// Whoever reads us may stop reading: `stctl history demo | head -1`.
for (const stream of [stdout, stderr]) stream.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

const io: Io = {
  env: process.env,
  out: (text) => void stdout.write(text),
  err: (text) => void stderr.write(text),
  // To touch `stdin` would make a pipe there one that can't be waited for.
  tty: { in: isatty(0), out: isatty(1), err: isatty(2) },
  size: () => ({ columns: stderr.columns || 80, rows: stderr.rows || 24 }),
  readIn: () => (standardInput ??= readBounded(0, largestFileBytes)),
  interrupted: interrupt.signal,
  ask: async (question) => {
    const reader = createInterface({ input: process.stdin, output: stderr });
    // In a question Ctrl-C comes as a key, and Ctrl-D as the end of the input.
    reader.once('SIGINT', () => interrupt.abort());
    const closed = new Promise<string>((resolve) => reader.once('close', () => resolve('')));
    try {
      return await Promise.race([reader.question(question), closed]);
    } finally {
      reader.close();
    }
  },
};

// What was written reaches a pipe before the end; nothing that still waits for a far side holds it up.
void run(process.argv.slice(2), io).then((code) => stdout.write('', () => stderr.write('', () => process.exit(code))));
