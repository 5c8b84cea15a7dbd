/** A folder with faked programs that come first on PATH, for tests of the shell scripts. */
import { spawn } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

export interface Ran {
  status: number | null;
  stdout: string;
  stderr: string;
}

export interface Sandbox {
  folder: string;
  /** Makes a program of this name, a POSIX shell script; answers its path. */
  program(name: string, body: string, where?: string): string;
  path(...parts: string[]): string;
  read(...parts: string[]): string;
  write(text: string, ...parts: string[]): string;
  exists(...parts: string[]): boolean;
  /** Copies scripts of ours to `scripts/` of the folder, which then is the checkout that they work on. */
  copy(...scripts: string[]): void;
  /** Runs one of our scripts, the copy where there is one, with the faked programs first on PATH. */
  run(script: string, env?: Record<string, string>, options?: { arguments?: string[]; onStderr?: (text: string, pid: number) => void }): Promise<Ran>;
  remove(): void;
}

const scripts = join(__dirname, '../../../scripts');

export function sandbox(): Sandbox {
  const folder = mkdtempSync(join(tmpdir(), 'st-script-'));
  const path = (...parts: string[]) => join(folder, ...parts);
  const write = (text: string, ...parts: string[]) => {
    mkdirSync(dirname(path(...parts)), { recursive: true });
    writeFileSync(path(...parts), text);
    return path(...parts);
  };
  return {
    folder,
    path,
    write,
    read: (...parts) => readFileSync(path(...parts), 'utf8'),
    exists: (...parts) => existsSync(path(...parts)),
    program: (name, body, where = 'bin') => {
      const file = write(`#!/bin/sh\n${body}\n`, where, name);
      chmodSync(file, 0o755);
      return file;
    },
    copy: (...names) => {
      mkdirSync(path('scripts'), { recursive: true });
      // With their modes.
      for (const name of names) copyFileSync(join(scripts, name), path('scripts', name));
    },
    run: (script, env = {}, { arguments: arguments_ = [], onStderr } = {}) =>
      new Promise((resolve, reject) => {
        const { TEMPORAL_ADDRESS: _address, TEMPORAL_CLI_PATH: _cli, ...own } = process.env;
        const child = spawn('bash', [existsSync(path('scripts', script)) ? path('scripts', script) : join(scripts, script), ...arguments_], { env: { ...own, PATH: `${path('bin')}:${own.PATH ?? ''}`, HOME: folder, ...env } });
        let stdout = '';
        let stderr = '';
        child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
        child.stderr.on('data', (chunk: Buffer) => {
          stderr += chunk.toString();
          onStderr?.(stderr, child.pid!);
        });
        child.once('error', reject);
        child.once('close', (status) => resolve({ status, stdout, stderr }));
      }),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
