/** Exports of an Edge on a real sshd and real shells; the product's command and sudo are others. */
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { backupActivities } from '../../../src/activities/backups';
import type { Clients } from '../../../src/clients';
import { commandLine, script } from '../../../src/clients/quote';
import { createSshPool, type SshPool } from '../../../src/clients/ssh';
import { StError } from '../../../src/model/errors';
import type { BackupSpec } from '../../../src/model/spec';
import type { Authority, ServerTarget } from '../../../src/model/targets';
import { until } from '../clients/support/ports';
import { startSshd, type TestSshd } from '../clients/support/sshd';

jest.setTimeout(60_000);

let sshd: TestSshd;
let pool: SshPool;
let folder: string;
let fileDriveHome: string;
let edge: ServerTarget;
let backups: BackupSpec;
let answers: () => Promise<object>;
/** What the activity may wait for a command. */
let mostMs = 60_000;
const authority: Authority = { cluster: 'demo', epoch: 4, operation: 'test' };
const name = 'ed1-system.export';
const value = 'tallow-41-Finch';

beforeAll(async () => {
  sshd = await startSshd();
  pool = createSshPool();
});
afterAll(async () => {
  await pool.close();
  await sshd.remove();
});
beforeEach(() => {
  mostMs = 60_000;
  answers = async () => ({});
  folder = join(sshd.dir, 'estate');
  rmSync(folder, { recursive: true, force: true });
  fileDriveHome = join(folder, 'SecureTransport');
  for (const one of [folder, fileDriveHome, join(fileDriveHome, 'bin'), join(folder, 'path'), join(folder, 'kept')]) {
    mkdirSync(one);
    chmodSync(one, 0o777);
  }
  program('path/sudo', 'shift 3\nif [ "$1" = -l ]; then shift; ! grep -q -e "^$1\\$" "$REFUSED" || exit 1; exit 0; fi\nexec "$@"'.replace('"$REFUSED"', `'${join(folder, 'refused')}'`));
  writeFileSync(join(folder, 'refused'), '-\n');
  program('SecureTransport/bin/start_all', 'exit 0');
  exporting('for argument; do file=${argument#-exf=}; done\n[ ! -e "$file" ] || { echo "$file is there"; exit 1; }\nask "Enter password: "; first=$answer; ask "Re-enter password: "\n[ "$first" = "$answer" ] || exit 1\nprintf "%s" "$answer" | sha256sum >"$file"; chmod 644 "$file"; echo exported');
  const admin = { address: '127.0.0.1', port: 1, user: 'admin', password: 'file:/none', ca: '/none' };
  edge = { cluster: 'demo', site: 'prod', node: 'ed1', productUser: sshd.user, fileDriveHome, address: '127.0.0.1', ssh: sshd.access, admin };
  const reference = join(folder, 'password');
  writeFileSync(reference, `${value}\n`, { mode: 0o600 });
  backups = { path: join(folder, 'kept'), keep: 2, maximumSize: 1024 * 1024, database: { by: 'pg_dump' }, edges: { by: 'system_export', password: `file:${reference}` } };
});

const program = (path: string, text: string): void => writeFileSync(join(folder, path), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
const exporting = (text: string): void => program('SecureTransport/bin/system_export', `ask() { printf '%s' "$1" >/dev/tty; stty -echo </dev/tty; IFS= read -r answer </dev/tty; stty echo </dev/tty; printf '\\n' >/dev/tty; }\n${text}`);

const acts = () => backupActivities({
  clients: {
    admin: { server: () => ({ version: () => answers() }) },
    // The sudo of this test comes first.
    ssh: { run: (access: never, command: never, options: { timeoutMs: number }) => pool.run(access, script('PATH="$1:$PATH"; export PATH; exec /bin/sh -c "$2"', [join(folder, 'path'), commandLine(command)]), { ...options, timeoutMs: Math.min(options.timeoutMs, mostMs) }) },
  } as unknown as Clients,
});
const check = () => acts().checkEdge({ edge, backups });
const ensure = (epoch = 4) => acts().ensureEdge({ edge, backups }, { ...authority, epoch });
const at = (epoch = 4): string => join(folder, 'kept/demo', `epoch-${epoch}`);
const failure = (doing: Promise<unknown>) => doing.then(() => { throw new Error('it went well'); }, (error: StError) => ({ code: error.code, message: error.message }));

describe('an export', () => {
  test('is written for the product\'s user alone, told with size and hash, and made once however often it is asked for', async () => {
    const { note } = await ensure();
    const content = readFileSync(join(at(), name));
    expect(content.toString()).toContain(createHash('sha256').update(value).digest('hex'));
    expect([statSync(join(at(), name)).mode & 0o777, statSync(at()).mode & 0o777]).toEqual([0o600, 0o700]);
    expect(note).toBe(`ed1:${at()}/${name}, ${content.length} B, sha256 ${createHash('sha256').update(content).digest('hex')}`);
    expect(readdirSync(at())).toEqual([name]);
    exporting('exit 9');
    expect(await ensure()).toEqual({ changed: true, note });
  });

  test('that an earlier try began and did not end is made anew', async () => {
    await ensure();
    rmSync(join(at(), name));
    writeFileSync(join(at(), `${name}.unfinished`), 'half', { mode: 0o666 });
    await ensure();
    expect(readdirSync(at())).toEqual([name]);
  });

  test('of the oldest operations is removed', async () => {
    for (const epoch of [4, 5, 6]) await ensure(epoch);
    expect(readdirSync(join(folder, 'kept/demo'))).toEqual(['epoch-5', 'epoch-6']);
  });

  test('of a newer operation forbids that of an older one', async () => {
    await ensure(7);
    expect(await failure(ensure(6))).toMatchObject({ code: 'StaleEpoch' });
    rmSync(join(sshd.home, '.st-orchestrator'), { recursive: true });
  });

  test('is no backup when it is larger than may be, and is removed', async () => {
    exporting('for argument; do file=${argument#-exf=}; done\nask "Password: "; head -c 2000000 /dev/zero >"$file"');
    expect(await failure(ensure())).toEqual({ code: 'Refused', message: 'ed1: the export takes 1.9 MiB, more than 1.0 MiB (backups.maximumSize); it was removed' });
    expect(readdirSync(at())).toEqual([]);
  });

  test.each([
    ['ends with an exit code', 'for argument; do file=${argument#-exf=}; done\nask "Password: "; echo part >"$file"; echo "$file: No space left on device" >&2; exit 98', { code: 'RemoteCommandFailed', message: expect.stringMatching(/No space left on device\nsystem_export ended with exit code 98/) }],
    ['writes nothing', 'ask "Password: "', { code: 'RemoteCommandFailed', message: expect.stringContaining('ended well and wrote nothing') }],
    ['asks for something else', 'printf "Overwrite it? [y/n] "; read -r answer', { code: 'Refused', message: 'ed1: bin/system_export: it asked for something that is no password: "Overwrite it? [y/n]"; nothing was answered. No backup was made.' }],
    ['never has enough of passwords', 'while :; do ask "Password: "; done', { code: 'Refused', message: 'ed1: bin/system_export: it asked for a password 3 times: "Password:"; nothing was answered. No backup was made.' }],
  ])('whose command %s is told by a stable code, and leaves nothing that looks like one', async (_, text, told) => {
    exporting(text);
    const found = await failure(ensure());
    expect(found).toEqual(told);
    expect(found.message).not.toContain(value);
    expect(existsSync(join(at(), name))).toBe(false);
  });

  test('whose command hangs is ended at its time', async () => {
    exporting(`echo $$ >'${join(folder, 'kept/pid')}'; ask "Password: "; exec tail -f /dev/null`);
    mostMs = 3_000;
    expect(await failure(ensure())).toMatchObject({ code: 'NotYet', message: expect.stringContaining('exporting its configuration (bin/system_export)') });
    const pid = readFileSync(join(folder, 'kept/pid'), 'utf8').trim();
    await until('it is gone', () => !existsSync(`/proc/${pid}`));
  });

  test('stands in no command line of the host while it is made', async () => {
    exporting(`for argument; do file=\${argument#-exf=}; done\nask "Password: "; cat /proc/*/cmdline /proc/*/environ 2>/dev/null | tr '\\0' '\\n' >"$file"`);
    await ensure();
    const seen = readFileSync(join(at(), name), 'utf8');
    expect(seen).toContain('system_export');
    expect(seen).not.toContain(value);
  });
});

describe('before anything is changed', () => {
  test('an Edge that can be exported is', async () => expect(await check()).toEqual({ facts: { node: 'ed1', exports: true }, problems: [] }));

  test('a password that is not there, or can\'t be typed, is told', async () => {
    const at = (password: string) => failure(acts().checkExportPassword({ backups: { ...backups, edges: { by: 'system_export', password } } }));
    expect(await at('env:ST_NO_SUCH_PASSWORD')).toMatchObject({ code: 'SecretUnavailable' });
    for (const unfit of ['1234567', 'with a blank', 'schön-und-lang', 'control\u0003key', 'x'.repeat(129)]) {
      writeFileSync(join(folder, 'password'), `${unfit}\n`);
      expect((await acts().checkExportPassword({ backups })).problems).toEqual([{ what: expect.stringContaining('is not 8 to 128 letters, digits and signs of ASCII'), remedy: expect.any(String) }]);
      expect(await failure(ensure())).toMatchObject({ code: 'InvalidInput' });
    }
    writeFileSync(join(folder, 'password'), '$%&+"\'\\!~^#;\n');
    expect((await acts().checkExportPassword({ backups })).problems).toEqual([]);
    await ensure();
    expect(readFileSync(join(folder, 'kept/demo/epoch-4', name), 'utf8')).toContain(createHash('sha256').update('$%&+"\'\\!~^#;').digest('hex'));
  });

  test('an Edge whose host gives no answer is left out, and told', async () => {
    answers = () => Promise.reject(new StError('Unreachable', 'no'));
    edge = { ...edge, ssh: { ...edge.ssh, port: 1 } };
    writeFileSync(join(sshd.dir, 'known_1'), `[127.0.0.1]:1 ${sshd.hostKeyLine('ed25519')}\n`);
    edge.ssh.knownHosts = join(sshd.dir, 'known_1');
    expect(await check()).toEqual({ facts: { node: 'ed1', exports: false }, problems: [{ what: 'ed1 does not answer: its embedded database is not backed up', remedy: expect.any(String), level: 'warning' }] });
  });

  test('an Edge without a product is left out', async () => {
    rmSync(join(fileDriveHome, 'bin/start_all'));
    expect(await check()).toEqual({ facts: { node: 'ed1', exports: false }, problems: [] });
  });

  test('an Edge on which nothing runs is left out, and told; one on which something does refuses', async () => {
    answers = () => Promise.reject(new StError('Unreachable', 'no'));
    expect(await check()).toEqual({ facts: { node: 'ed1', exports: false }, problems: [{ what: 'ed1 stands still: its embedded database is not backed up', remedy: expect.any(String), level: 'warning' }] });
    program('path/ps', `printf '0 1 9 init\\n%s 77 5 ${fileDriveHome}/jre/java sshd\\n' "$(id -u)"`);
    expect(await check()).toEqual({ facts: { node: 'ed1', exports: true }, problems: [{ what: expect.stringMatching(/^ed1: its Administration Tool does not answer, and something of the product runs/), remedy: 'start it there (bin/start_db, bin/start_admin), or stop everything (bin/stop_all)' }] });
  });

  test('a command that is not there, and one that sudo refuses, are told', async () => {
    writeFileSync(join(folder, 'refused'), `${fileDriveHome}/bin/system_export\n/usr/bin/rm\n`);
    expect((await check()).problems).toEqual([{ what: expect.stringContaining(`sudo refuses ${sshd.user} what an export to ${backups.path} needs: /usr/bin/rm -rf ${backups.path}/*, ${fileDriveHome}/bin/system_export`), remedy: expect.stringContaining('docs/sudoers.example') }]);
    rmSync(join(fileDriveHome, 'bin/system_export'));
    expect((await check()).problems).toContainEqual({ what: 'ed1: FILEDRIVEHOME/bin/system_export is not there', remedy: expect.any(String) });
  });

  test('a login that gets no terminal is told', async () => {
    const bare = await startSshd(['PermitTTY no']);
    try {
      edge = { ...edge, ssh: bare.access };
      expect(await failure(check())).toMatchObject({ code: 'PermissionDenied', message: expect.stringContaining('PermitTTY') });
    } finally {
      await bare.remove();
    }
  });
});
