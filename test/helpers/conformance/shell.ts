import { execFile } from 'node:child_process';

export interface Ran {
  code: number;
  stdout: string;
  stderr: string;
}

/** `argv` starts a shell that reads what it runs from its standard input; `$home` is FILEDRIVEHOME there. */
export function runShell(argv: readonly string[], fileDriveHome: string, text: string): Promise<Ran> {
  return new Promise((done) => {
    const [program = '', ...args] = argv;
    const child = execFile(program, args, { timeout: 60_000 }, (error, stdout, stderr) =>
      done({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : -1, stdout, stderr }));
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(`home='${fileDriveHome}'\n${text}\n`);
  });
}
