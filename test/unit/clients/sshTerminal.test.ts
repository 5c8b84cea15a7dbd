/** Commands that ask at a terminal, on a real sshd: the answers are typed and never shown, and what asks for anything else is ended. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { script } from '../../../src/clients/quote';
import { secret } from '../../../src/clients/secrets';
import { createSshPool, type SshPool } from '../../../src/clients/ssh';
import { passwordTalk } from '../../../src/clients/sshTerminal';
import { until } from './support/ports';
import { startSshd, type TestSshd } from './support/sshd';

jest.setTimeout(30_000);

const password = secret('tallow-41-Finch');
const quick = { timeoutMs: 10_000 };
let sshd: TestSshd;
let pool: SshPool;
beforeAll(async () => { sshd = await startSshd(); });
afterAll(() => sshd.remove());
beforeEach(() => { pool = createSshPool(); });
afterEach(() => pool.close());

/** As programs ask: at the terminal whatever their standard streams are, without an echo while they read. */
const asks = `
ask() { printf '%s' "$1" >/dev/tty; stty -echo </dev/tty; IFS= read -r answer </dev/tty; stty echo </dev/tty; printf '\\n' >/dev/tty; }
`;

test('a password and its confirmation are typed, and neither output nor error output holds them', async () => {
  const kept = join(sshd.home, 'typed');
  const result = await pool.exec(sshd.access, script(`${asks} ask 'Enter password: '; first=$answer; ask 'Re-enter password: '; printf '%s %s' "$first" "$answer" >"$1"; echo done; exit 3`, [kept]), { ...quick, terminal: passwordTalk(password, 2) });
  expect(result).toMatchObject({ code: 3, lost: false, timedOut: false, stdout: expect.stringContaining('done\n') });
  expect(readFileSync(kept, 'utf8')).toBe('tallow-41-Finch tallow-41-Finch');
  expect(`${result.stdout}${result.stderr}`).not.toContain('tallow');
});

test('a program that leaves the echo on shows nothing either', async () => {
  const result = await pool.exec(sshd.access, script('printf "Password: " >/dev/tty; read -r answer </dev/tty; echo "${#answer} characters"'), { ...quick, terminal: passwordTalk(password, 2) });
  expect(result).toMatchObject({ code: 0, stdout: expect.stringContaining('15 characters') });
  expect(result.stdout).not.toContain('tallow');
});

test('of what a program that turns the echo on lets be seen nothing is told', async () => {
  const result = await pool.exec(sshd.access, script('stty echo </dev/tty; printf "Password: " >/dev/tty; read -r answer </dev/tty; echo "${#answer} characters"'), { ...quick, terminal: passwordTalk(password, 2) });
  expect(result).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Password: \*\*\*\n15 characters/), stderr: expect.not.stringContaining('tallow') });
});

test('a question that ends its line is answered once nothing more comes', async () => {
  const result = await pool.exec(sshd.access, script('echo "Enter the passphrase:"; read -r answer; echo "${#answer} characters"'), { ...quick, terminal: passwordTalk(password, 2) });
  expect(result).toMatchObject({ code: 0, stdout: expect.stringContaining('15 characters') });
});

test.each([
  ['something that is no password', 'printf "The file exists. Overwrite it? [y/n] "', /^it asked for something that is no password: "The file exists\. Overwrite it\? \[y\/n\]"; nothing was answered$/],
  ['the password of an administrator', 'printf "Password of the administrator admin: "', /^it asked for the password of something else: "Password of the administrator admin:"/],
  ['a password of sudo', 'printf "[sudo] password for ops: "', /^it asked for the password of something else/],
  ['a password again and again', 'for try in 1 2 3; do printf "Password: "; read -r answer; done', /^it asked for a password 3 times: "Password:"/],
])('who asks for %s is ended, and not answered', async (_, text, message) => {
  const mark = join(sshd.home, `asked-${Math.random()}`);
  const running = pool.exec(sshd.access, script(`echo $$ >"$1"; ${text}; read -r answer; touch "$1.answered"`, [mark]), { ...quick, terminal: passwordTalk(password, 2) });
  await expect(running).rejects.toMatchObject({ code: 'Refused', message: expect.stringMatching(message) });
  await until('it is gone', () => !existsSync(`/proc/${readFileSync(mark, 'utf8').trim()}`));
  expect(existsSync(`${mark}.answered`)).toBe(false);
});

test('one that asks nothing and does not end is ended at its time, also where it does not hear TERM', async () => {
  const mark = join(sshd.home, 'hangs');
  const hangs = script('trap "" TERM; echo $$ >"$1"; echo "Exporting (1 of 2)"; exec tail -f /dev/null', [mark]);
  await expect(pool.run(sshd.access, hangs, { timeoutMs: 1_500, purpose: 'exporting', terminal: passwordTalk(password, 2) })).rejects.toMatchObject({ code: 'NotYet', message: expect.stringContaining('exporting. It wrote: Exporting (1 of 2)') });
  await until('it is gone', () => !existsSync(`/proc/${readFileSync(mark, 'utf8').trim()}`));
});

test('a failure tells what the terminal showed', async () => {
  await expect(pool.run(sshd.access, script('echo "No space left on device" >&2; exit 1'), { ...quick, purpose: 'exporting', terminal: passwordTalk(password, 2) })).rejects.toMatchObject({ code: 'RemoteCommandFailed', message: expect.stringMatching(/exporting ended with exit code 1\. It wrote: No space left on device/) });
});

test('a host that gives no terminal is told as that, and nothing is run', async () => {
  const bare = await startSshd(['PermitTTY no']);
  try {
    const mark = join(bare.home, 'never');
    await expect(pool.exec(bare.access, ['touch', mark], { ...quick, terminal: passwordTalk(password, 2) })).rejects.toMatchObject({ code: 'PermissionDenied', message: expect.stringMatching(/gives this login no terminal.*PermitTTY.*no-pty/) });
    await pool.exec(bare.access, ['true'], quick);
    expect(existsSync(mark)).toBe(false);
  } finally {
    await bare.remove();
  }
});
