/** The sshd of a lab's host, gone for a while: its sessions are ended, and nobody answers a new one. The host's other processes go on. */
import { execFile } from 'node:child_process';
import type { Lab } from '../lab';

const asRoot = process.getuid?.() === 0 ? [] : ['sudo', '-n', '--'];

function run(argv: readonly string[]): Promise<string> {
  return new Promise((done, fail) => {
    const [program = '', ...args] = [...asRoot, ...argv];
    execFile(program, args, { timeout: 10_000 }, (error, stdout, stderr) => (error ? fail(new Error(`${argv.join(' ')}: ${stderr || error.message}`)) : done(stdout)));
  });
}

/** Answers what brings it back. The daemon itself is process 1 of the host, whose end would be the host's: it stands still instead. */
export async function stopSshd(lab: Lab, host: string): Promise<() => Promise<void>> {
  const { hosts } = await lab.status();
  const pid = hosts.find(({ name }) => name === host)?.pids['sshd'];
  if (pid === undefined) throw new Error(`${host} is off`);
  await run(['kill', '-STOP', String(pid)]);
  // Sessions are the children that sshd has; those end with exit code 1 when one was gone already.
  const sessions = (await run(['ps', '--no-headers', '-o', 'pid=,comm=', '--ppid', String(pid)]).catch(() => '')).split('\n').filter((line) => /\bsshd/.test(line)).map((line) => line.trim().split(/\s+/)[0]!);
  if (sessions.length > 0) await run(['kill', '-KILL', ...sessions]).catch(() => undefined);
  return async () => void (await run(['kill', '-CONT', String(pid)]));
}
