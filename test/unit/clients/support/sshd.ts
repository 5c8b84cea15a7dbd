/** A real OpenSSH server on loopback for one test file: own port, keys and home; ended by its pid. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import type { SshAccess } from '../../../../src/model/targets';
import { freePort, until } from './ports';

export interface TestSshd {
  access: SshAccess;
  dir: string;
  /** `$HOME` of the login. */
  home: string;
  /** The user the server runs and logs in as. */
  user: string;
  /** Another key pair, which the server does not know. */
  strangerKey: string;
  hostKeyLine(type: 'ed25519' | 'ecdsa'): string;
  /** A known_hosts line set, written to a file of its own. */
  writeKnownHosts(name: string, text: string): string;
  stop(): Promise<void>;
  start(): Promise<void>;
  /** Ends the server and removes its files. */
  remove(): Promise<void>;
}

/** sshd gives signals on to commands only of unprivileged users, as on real hosts: root lends the database's account. */
export function unprivilegedUser(): { name: string; uid: number; gid: number } {
  const me = userInfo();
  if (me.uid !== 0) return { name: me.username, uid: me.uid, gid: me.gid };
  const line = readFileSync('/etc/passwd', 'utf8').split('\n').find((one) => one.startsWith('postgres:'));
  if (!line) throw new Error('these tests need the user "postgres" when they run as root (apt-get install postgresql)');
  const fields = line.split(':');
  return { name: fields[0]!, uid: Number(fields[2]), gid: Number(fields[3]) };
}

/** In a mount namespace of its own with terminals as a host has them: those of many containers can't be given to a login. */
const withTerminals = `
mount -t devpts -o newinstance,gid=5,ptmxmode=0666,mode=0620 devpts /dev/pts && mount --bind /dev/pts/ptmx /dev/ptmx || exit
exec setpriv --reuid "$1" --regid "$2" --clear-groups /usr/sbin/sshd -D -e -f "$3"`;

export async function startSshd(extra: string[] = []): Promise<TestSshd> {
  const user = unprivilegedUser();
  const dir = mkdtempSync(join(tmpdir(), 'st-sshd-'));
  const home = join(dir, 'home');
  mkdirSync(home);
  const generate = (name: string, type: string): void => void execFileSync('ssh-keygen', ['-q', '-t', type, '-N', '', '-C', name, '-f', join(dir, name)]);
  generate('host_ed25519', 'ed25519');
  generate('host_ecdsa', 'ecdsa');
  generate('login', 'ed25519');
  generate('stranger', 'ed25519');
  const port = await freePort();
  writeFileSync(join(dir, 'authorized_keys'), readFileSync(join(dir, 'login.pub')));
  writeFileSync(join(dir, 'sshd_config'), [
    `Port ${port}`, 'ListenAddress 127.0.0.1', 'UsePAM no', 'StrictModes no', 'PasswordAuthentication no', 'KbdInteractiveAuthentication no',
    `HostKey ${dir}/host_ed25519`, `HostKey ${dir}/host_ecdsa`, `AuthorizedKeysFile ${dir}/authorized_keys`, `PidFile ${dir}/sshd.pid`,
    `SetEnv HOME=${home}`, ...extra, '',
  ].join('\n'));
  chmodSync(dir, 0o755);
  for (const name of ['host_ed25519', 'host_ecdsa', 'home']) chownSync(join(dir, name), user.uid, user.gid);
  const hostKeyLine = (type: 'ed25519' | 'ecdsa'): string => readFileSync(join(dir, `host_${type}.pub`), 'utf8').split(' ').slice(0, 2).join(' ');
  const writeKnownHosts = (name: string, text: string): string => {
    writeFileSync(join(dir, name), text);
    return join(dir, name);
  };
  const knownHosts = writeKnownHosts('known_hosts', `[127.0.0.1]:${port} ${hostKeyLine('ed25519')}\n`);
  let server: ChildProcess | undefined;

  async function start(): Promise<void> {
    let log = '';
    // A group of its own, so that the sessions end with it.
    const [program, ...args] = process.getuid?.() === 0
      ? ['unshare', '--mount', '--', '/bin/sh', '-c', withTerminals, 'sh', String(user.uid), String(user.gid), join(dir, 'sshd_config')]
      : ['/usr/sbin/sshd', '-D', '-e', '-f', join(dir, 'sshd_config')];
    server = spawn(program!, args, { detached: true, stdio: ['ignore', 'ignore', 'pipe'] });
    server.stderr!.on('data', (chunk: Buffer) => { log = (log + chunk.toString()).slice(-4000); });
    const exited = new Promise<never>((_, reject) => server!.once('exit', (code) => reject(new Error(`sshd ended with ${code}: ${log}`))));
    exited.catch(() => undefined);
    await Promise.race([exited, until('sshd answers', () => answers(port))]);
  }

  async function stop(): Promise<void> {
    const running = server;
    if (!running || running.exitCode !== null || running.signalCode !== null) return;
    const gone = new Promise((resolve) => running.once('exit', resolve));
    process.kill(-running.pid!, 'SIGKILL');
    await gone;
  }

  await start();
  return {
    access: { address: '127.0.0.1', port, user: user.name, key: `file:${dir}/login`, knownHosts },
    dir, home, user: user.name, strangerKey: `file:${dir}/stranger`,
    hostKeyLine, writeKnownHosts, start, stop,
    async remove() {
      await stop();
      if (existsSync(dir)) rmSync(dir, { recursive: true, force: true });
    },
  };
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('data', () => { socket.destroy(); resolve(true); });
    socket.once('error', () => resolve(false));
  });
}
