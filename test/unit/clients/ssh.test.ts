import { chmodSync, existsSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { script } from '../../../src/clients/quote';
import { createSshPool, type SshPool } from '../../../src/clients/ssh';
import type { SshAccess } from '../../../src/model/targets';
import { startRelay, until, type Relay } from './support/ports';
import { startSshd, type TestSshd } from './support/sshd';

jest.setTimeout(30_000);

let sshd: TestSshd;
let pool: SshPool;
const relays: Relay[] = [];
beforeAll(async () => { sshd = await startSshd(); });
afterAll(() => sshd.remove());
beforeEach(() => { pool = createSshPool(); });
afterEach(async () => {
  await pool.close();
  await Promise.all(relays.splice(0).map((relay) => relay.close()));
});

const quick = { timeoutMs: 10_000 };

/** The same server through a relay that tests can break. */
async function relayed(): Promise<{ access: SshAccess; relay: Relay }> {
  const relay = await startRelay(sshd.access.port);
  relays.push(relay);
  const knownHosts = sshd.writeKnownHosts(`known_${relay.port}`, `[127.0.0.1]:${relay.port} ${sshd.hostKeyLine('ed25519')}\n`);
  return { relay, access: { ...sshd.access, port: relay.port, knownHosts } };
}

const strangerKeyLine = (): string => readFileSync(join(sshd.dir, 'stranger.pub'), 'utf8').split(' ').slice(0, 2).join(' ');

describe('the end of a command', () => {
  test('exit code, output and error output are told apart', async () => {
    const result = await pool.exec(sshd.access, script('echo out; echo err >&2; exit 7'), quick);
    expect(result).toMatchObject({ code: 7, stdout: 'out\n', stderr: 'err\n', lost: false, timedOut: false, truncated: false });
  });

  test('a signal is no exit code', async () => {
    const result = await pool.exec(sshd.access, script('kill -KILL $$'), quick);
    expect(result).toMatchObject({ code: null, signal: 'KILL', lost: false });
  });

  test('standard input arrives whole and is closed', async () => {
    const stdin = 'x'.repeat(3_000_000);
    const result = await pool.exec(sshd.access, ['wc', '-c'], { ...quick, stdin });
    expect(result.stdout.trim()).toBe('3000000');
    expect((await pool.exec(sshd.access, ['cat'], quick)).stdout).toBe('');
  });

  test('a command that reads no input still ends well', async () => {
    expect(await pool.exec(sshd.access, ['true'], { ...quick, stdin: 'y'.repeat(5_000_000) })).toMatchObject({ code: 0, lost: false });
  });

  test('of too much output the first part of stdout and the last of stderr are kept', async () => {
    const result = await pool.exec(sshd.access, script('seq 1 20000; seq 1 20000 >&2'), { ...quick, maxBytes: 1000 });
    expect(result.truncated).toBe(true);
    expect(result.stdout.startsWith('1\n2\n')).toBe(true);
    expect(result.stderr.endsWith('19999\n20000\n')).toBe(true);
    expect(Buffer.byteLength(result.stdout)).toBe(1000);
  });

  test('a daemon that keeps the output open does not hold the call', async () => {
    const begun = Date.now();
    const result = await pool.exec(sshd.access, script('sleep 30 & echo started $!'), { timeoutMs: 20_000 });
    expect(result).toMatchObject({ code: 0, lost: false });
    expect(Date.now() - begun).toBeLessThan(8000);
    await pool.exec(sshd.access, ['kill', result.stdout.trim().split(' ')[1]!], quick);
  });

  test('run names the command, the code and the end of the error output', async () => {
    await expect(pool.run(sshd.access, script('echo no such licence >&2; exit 3'), { ...quick, purpose: 'reading the licence' }))
      .rejects.toMatchObject({ code: 'RemoteCommandFailed', message: expect.stringMatching(/reading the licence ended with exit code 3\. It wrote: no such licence/) });
    await expect(pool.run(sshd.access, script('exit 3'), { ...quick, ok: [0, 3] })).resolves.toMatchObject({ code: 3 });
  });

  test('half an answer is not taken for a whole one', async () => {
    await expect(pool.run(sshd.access, ['seq', '1', '1000'], { ...quick, maxBytes: 100 })).rejects.toMatchObject({ code: 'RemoteCommandFailed' });
  });
});

describe('limits', () => {
  test('a command past its time is ended on the host and told as NotYet', async () => {
    const mark = join(sshd.home, 'pid-time');
    const command = script('echo $$ >"$1"; exec sleep 60', [mark]);
    await expect(pool.run(sshd.access, command, { timeoutMs: 700 })).rejects.toMatchObject({ code: 'NotYet' });
    await until('the command is gone', () => gone(mark));
  });

  test('an aborted command is ended on the host and the reason is thrown', async () => {
    const mark = join(sshd.home, 'pid-abort');
    const abort = new AbortController();
    const running = pool.exec(sshd.access, script('echo $$ >"$1"; exec sleep 60', [mark]), { timeoutMs: 60_000, signal: abort.signal });
    await until('it runs', () => existsSync(mark) && readFileSync(mark, 'utf8') !== '');
    abort.abort(new Error('cancelled by a person'));
    await expect(running).rejects.toThrow('cancelled by a person');
    await until('the command is gone', () => gone(mark));
  });

  test('a call that was aborted before runs nothing', async () => {
    const mark = join(sshd.home, 'never');
    await expect(pool.exec(sshd.access, ['touch', mark], { ...quick, signal: AbortSignal.abort(new Error('stop')) })).rejects.toThrow('stop');
    await pool.exec(sshd.access, ['true'], quick);
    expect(existsSync(mark)).toBe(false);
  });
});

describe('connections', () => {
  test('many commands at once share logins, five on each connection', async () => {
    const { access, relay } = await relayed();
    const mark = join(sshd.home, 'together');
    // They end only when all twenty run at once.
    const together = 'touch "$1.$2"; while [ "$(ls "$1".* | wc -l)" -lt 20 ]; do sleep 0.05; done; echo "$2"';
    const results = await Promise.all(Array.from({ length: 20 }, (_, index) => pool.exec(access, script(together, [mark, String(index)]), { timeoutMs: 20_000 })));
    expect(results.map((one) => one.stdout.trim())).toEqual(Array.from({ length: 20 }, (_, index) => String(index)));
    expect(relay.connections()).toBe(4);
    await pool.exec(access, ['true'], quick);
    expect(relay.connections()).toBe(4);
  });

  test('a host that allows two sessions a connection gets more connections instead of failures', async () => {
    const strict = await startSshd(['MaxSessions 2']);
    const results = await Promise.all(Array.from({ length: 9 }, () => pool.run(strict.access, script('sleep 0.2; echo ok'), quick)));
    expect(results.every((one) => one.stdout === 'ok\n')).toBe(true);
    await strict.remove();
  });

  test('a connection that is lost in the middle is lost, not a success, and the next call connects anew', async () => {
    const { access, relay } = await relayed();
    const mark = join(sshd.home, 'lost');
    const running = pool.exec(access, script('echo begun; touch "$1"; sleep 5; echo done', [mark]), quick);
    await until('it runs', () => existsSync(mark));
    relay.cut();
    expect(await running).toMatchObject({ lost: true, code: null });
    await expect(pool.run(access, ['echo', 'again'], quick)).resolves.toMatchObject({ stdout: 'again\n' });
  });

  test('a frozen host is noticed by keepalive', async () => {
    const { access, relay } = await relayed();
    const impatient = createSshPool({ keepaliveIntervalMs: 100, keepaliveCountMax: 3 });
    const mark = join(sshd.home, 'freezing');
    const running = impatient.run(access, script('touch "$1"; sleep 30', [mark]), { timeoutMs: 30_000 });
    running.catch(() => undefined);
    await until('it runs', () => existsSync(mark));
    relay.freeze();
    const begun = Date.now();
    await expect(running).rejects.toMatchObject({ code: 'ConnectionLost' });
    expect(Date.now() - begun).toBeLessThan(5000);
    await impatient.close();
  });

  test('closing does not wait for a host that has vanished', async () => {
    const { access, relay } = await relayed();
    const abandoned = createSshPool();
    await abandoned.exec(access, ['true'], quick);
    relay.freeze();
    const began = performance.now();
    await abandoned.close();
    expect(performance.now() - began).toBeLessThan(3_000);
  });

  test('nobody listening is Unreachable', async () => {
    const { access, relay } = await relayed();
    await relay.close();
    await expect(pool.exec(access, ['true'], quick)).rejects.toMatchObject({ code: 'Unreachable' });
  });

  test('a host that takes the connection and says nothing uses up the connect budget only', async () => {
    const { access, relay } = await relayed();
    relay.freeze();
    const impatient = createSshPool({ connectTimeoutMs: 300 });
    await expect(impatient.exec(access, ['true'], quick)).rejects.toMatchObject({ code: 'Unreachable', message: expect.stringContaining('300 ms') });
    await impatient.close();
  });

  test('an unused connection is closed after its idle time', async () => {
    const { access, relay } = await relayed();
    const idle = createSshPool({ idleMs: 50 });
    await idle.exec(access, ['true'], quick);
    await until('a new login is made', async () => { await new Promise((resolve) => setTimeout(resolve, 120)); await idle.exec(access, ['true'], quick); return relay.connections() > 1; });
    await idle.close();
  });

  test.each(['cut', 'freeze'] as const)('a host behind a jump host that was lost (%s) is reached again on a new connection', async (how) => {
    const { access, relay } = await relayed();
    const { access: jump } = await relayed();
    const through: SshAccess = { ...access, jump };
    const impatient = createSshPool({ keepaliveIntervalMs: 100, keepaliveCountMax: 3 });
    const mark = join(sshd.home, `behind-${how}`);
    const running = impatient.run(through, script('touch "$1"; sleep 30', [mark]), { timeoutMs: 20_000 });
    running.catch(() => undefined);
    await until('it runs', () => existsSync(mark));
    relay[how]();
    await expect(running).rejects.toMatchObject({ code: 'ConnectionLost' });
    if (how === 'freeze') relay.thaw();
    await expect(impatient.run(through, ['echo', 'again'], quick)).resolves.toMatchObject({ stdout: 'again\n' });
    await impatient.close();
  });

  test('a host behind a jump host is reached, and both keys are verified', async () => {
    const { access: jump, relay } = await relayed();
    const through: SshAccess = { ...sshd.access, jump };
    await expect(pool.run(through, ['echo', 'behind'], quick)).resolves.toMatchObject({ stdout: 'behind\n' });
    expect(relay.connections()).toBe(1);
    const badJump = { ...jump, knownHosts: sshd.writeKnownHosts('known_bad_jump', `[127.0.0.1]:${jump.port} ${strangerKeyLine()}\n`) };
    await expect(pool.run({ ...through, jump: badJump }, ['true'], quick)).rejects.toMatchObject({ code: 'HostKeyMismatch', message: expect.stringContaining('jump host') });
    await expect(pool.run({ ...through, port: 1, knownHosts: sshd.writeKnownHosts('known_p1', `[127.0.0.1]:1 ${sshd.hostKeyLine('ed25519')}\n`) }, ['true'], quick))
      .rejects.toMatchObject({ code: 'Unreachable', message: expect.stringContaining('jump host') });
  });
});

describe('who is on the other side', () => {
  const withKnown = (name: string, lines: string): SshAccess => ({ ...sshd.access, knownHosts: sshd.writeKnownHosts(name, lines) });
  const at = (): string => `[127.0.0.1]:${sshd.access.port}`;

  test('a host that no line names is refused', async () => {
    await expect(pool.exec(withKnown('known_none', ''), ['true'], quick)).rejects.toMatchObject({ code: 'HostKeyMismatch', message: expect.stringContaining('ssh-keyscan') });
  });

  test('a file of known hosts that is missing is a file to be mended, no host that is refused', async () => {
    await expect(pool.exec({ ...sshd.access, knownHosts: '/nowhere/known_hosts' }, ['true'], quick))
      .rejects.toMatchObject({ code: 'FileUnavailable', message: 'The known_hosts file /nowhere/known_hosts could not be read (ENOENT); host keys are always verified.' });
  });

  test('another key than the known one is refused, with both fingerprints', async () => {
    await expect(pool.exec(withKnown('known_other', `${at()} ${strangerKeyLine()}\n`), ['true'], quick))
      .rejects.toMatchObject({ code: 'HostKeyMismatch', message: expect.stringMatching(/shows the key SHA256:.* expected SHA256:/) });
  });

  test('the type of key that the file holds is asked for', async () => {
    await expect(pool.exec(withKnown('known_ecdsa', `${at()} ${sshd.hostKeyLine('ecdsa')}\n`), ['true'], quick)).resolves.toMatchObject({ code: 0 });
  });

  test('a revoked key is refused even when another line accepts it', async () => {
    await expect(pool.exec(withKnown('known_revoked', `${at()} ${sshd.hostKeyLine('ed25519')}\n@revoked * ${sshd.hostKeyLine('ed25519')}\n`), ['true'], quick))
      .rejects.toMatchObject({ code: 'HostKeyMismatch', message: expect.stringContaining('@revoked') });
  });

  test('one refused login stops every further try until the key file changes or it is forgotten', async () => {
    const { access, relay } = await relayed();
    const stranger = { ...access, key: sshd.strangerKey };
    const tryIt = (): Promise<unknown> => pool.exec(stranger, ['true'], quick);
    await expect(tryIt()).rejects.toMatchObject({ code: 'AuthenticationFailed' });
    await Promise.all([1, 2, 3].map(() => expect(tryIt()).rejects.toMatchObject({ code: 'AuthenticationFailed', message: expect.stringContaining('Not tried again') })));
    expect(relay.connections()).toBe(1);
    utimesSync(sshd.strangerKey.slice('file:'.length), new Date(), new Date(Date.now() + 5000));
    await expect(tryIt()).rejects.toMatchObject({ code: 'AuthenticationFailed' });
    expect(relay.connections()).toBe(2);
    pool.forget(stranger);
    await expect(tryIt()).rejects.toMatchObject({ code: 'AuthenticationFailed' });
    expect(relay.connections()).toBe(3);
  });

  test('a key file that is no key is told as such, without its content', async () => {
    const path = join(sshd.dir, 'nokey');
    writeFileSync(path, 'hunter2-not-a-key', { mode: 0o600 });
    const failure = await pool.exec({ ...sshd.access, key: `file:${path}` }, ['true'], quick).catch((error: Error) => error);
    expect(failure).toMatchObject({ code: 'SecretUnavailable' });
    expect(String((failure as Error).message)).not.toContain('hunter2');
  });
});

describe('unix sockets on a host', () => {
  test('a socket is reached through the connection', async () => {
    const path = join(sshd.dir, 'echo.sock');
    const server = createServer((socket) => socket.pipe(socket));
    await new Promise<void>((resolve) => server.listen(path, resolve));
    chmodSync(path, 0o777);
    const stream = await pool.openUnixSocket(sshd.access, path, quick);
    stream.end('hello');
    let text = '';
    for await (const chunk of stream) text += String(chunk);
    expect(text).toBe('hello');
    server.close();
  });

  test('a socket that nobody serves is Unreachable', async () => {
    await expect(pool.openUnixSocket(sshd.access, join(sshd.dir, 'no.sock'), quick)).rejects.toMatchObject({ code: 'Unreachable' });
  });
});

function gone(pidFile: string): boolean {
  const pid = Number(readFileSync(pidFile, 'utf8'));
  try {
    process.kill(pid, 0);
    return false;
  } catch {
    return true;
  }
}
