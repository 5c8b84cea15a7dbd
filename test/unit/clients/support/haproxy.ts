/** A real HAProxy on loopback for one test file, as the user of the test's sshd; ended by its process. */
import { spawn } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from './ports';
import { unprivilegedUser, type TestSshd } from './sshd';

export interface TestHaproxy {
  folder: string;
  socket: string;
  /** Ends it and starts it anew, with what its files say. */
  restart(): Promise<void>;
  end(): Promise<void>;
}

/** `files`: content by name, below the folder. `config`: the lines after those of the admin socket, with the folder given. */
export async function startHaproxy(sshd: TestSshd, config: (folder: string) => string[], files: Record<string, string> = {}): Promise<TestHaproxy> {
  const user = unprivilegedUser();
  const root = process.getuid?.() === 0;
  const folder = join(sshd.dir, 'haproxy');
  const socket = join(folder, 'admin.sock');
  const own = (path: string): void => { if (root) chownSync(path, user.uid, user.gid); };
  mkdirSync(folder);
  own(folder);
  for (const [name, content] of Object.entries({ ...files, 'haproxy.cfg': ['global', `  stats socket ${socket} mode 666 level admin`, ...config(folder), ''].join('\n') })) {
    writeFileSync(join(folder, name), content);
    own(join(folder, name));
  }
  const start = async () => {
    const child = spawn('/usr/sbin/haproxy', ['-db', '-f', join(folder, 'haproxy.cfg')], { stdio: 'ignore', ...(root ? { uid: user.uid, gid: user.gid } : {}) });
    await until('haproxy answers', () => existsSync(socket));
    return child;
  };
  let balancer = await start();
  const end = async (): Promise<void> => {
    if (balancer.exitCode !== null || balancer.signalCode !== null) return;
    const gone = new Promise((resolve) => balancer.once('exit', resolve));
    balancer.kill('SIGKILL');
    await gone;
    rmSync(socket, { force: true });
  };
  return {
    folder, socket, end,
    async restart() {
      await end();
      balancer = await start();
    },
  };
}
