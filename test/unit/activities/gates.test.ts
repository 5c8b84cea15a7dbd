/** The gate on a host: real shells run the real scripts. What it holds up, that it can be taken back byte for byte, and that nothing opens it silently. */
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gateActivities } from '../../../src/activities/gates';
import { machine, type Machine } from './machine';

let here: Machine;
let bin: string;
const commands = ['start_all', 'start_tm', 'start_monitord', 'start_sshd'];
beforeEach(() => {
  here = machine();
  bin = join(here.folder, 'axway/SecureTransport/bin');
  for (const name of commands) here.write(`axway/SecureTransport/bin/${name}`, `#!/bin/sh\necho ${name} ran >>"${here.folder}/ran"\n`, 0o750);
  here.write('axway/SecureTransport/bin/start_db', 'a program\0\x7f', 0o700);
  here.write('axway/SecureTransport/bin/start_ftpd.disable', '#!/bin/sh\n', 0o750);
  here.write('axway/SecureTransport/bin/stop_all', '#!/bin/sh\nexit 0\n', 0o755);
  here.write('axway/SecureTransport/bin/taeh', 'secret');
  symlinkSync('start_tm', join(bin, 'start_link'));
});
afterEach(() => here.remove());

const gates = () => gateActivities(here);
const state = async () => (await gates().checkGate({ host: here.server })).facts;
const close = () => gates().ensureGated({ host: here.server }, here.authority);
const open = () => gates().ensureOpened({ host: here.server }, here.authority);
/** Every file with its mode and its bytes, as they are in the folder. */
const tree = () => readdirSync(bin).sort().map((name) => [name, lstatSync(join(bin, name)).mode, lstatSync(join(bin, name)).isSymbolicLink() ? 'link' : readFileSync(join(bin, name)).toString('latin1')]);
const ran = (): boolean => existsSync(join(here.folder, 'ran'));

function call(command: string, ...args: string[]): { code: number; said: string } {
  try {
    return { code: 0, said: execFileSync(join(bin, command), args, { encoding: 'utf8', stdio: 'pipe' }) };
  } catch (error) {
    const { status, stderr } = error as { status: number; stderr: string };
    return { code: status, said: stderr };
  }
}

test('no start command starts anything, each says why and how it is opened; opened again, every byte and mode is as before', async () => {
  const before = tree();
  expect(await state()).toMatchObject({ gate: 'open', ours: false });
  expect(await close()).toEqual({ changed: true, note: 'gated: 6 start commands refuse', value: true });
  expect(await state()).toMatchObject({ gate: 'closed', ours: true, epoch: 1, why: expect.stringContaining('removed from cluster demo by set-up-cluster/demo') });
  for (const name of [...commands, 'start_db', 'start_link']) {
    const { code, said } = call(name, '-x');
    expect({ code, said }).toEqual({ code: 1, said: expect.stringMatching(new RegExp(`^${name} was not run: this host was removed from cluster demo by set-up-cluster/demo \\(20.*Z\\)\\. "stctl add-node -c demo st1" adds it back\\.\n.*: ${bin}/st-orchestrator-gate open 'your name' 'the reason'\n$`)) });
  }
  expect(ran()).toBe(false);
  expect(await close()).toEqual({ changed: false, note: 'gated already', value: true });
  expect(await open()).toEqual({ changed: true, note: 'every start command is back' });
  expect(tree()).toEqual(before);
  expect(call('start_tm').code).toBe(0);
  expect(ran()).toBe(true);
  expect(await open()).toMatchObject({ changed: false });
  expect((await gates().checkGate({ host: here.server })).problems).toEqual([]);
});

test('a start command that is called through a link elsewhere, by another shell, or from its own folder is refused too', async () => {
  await close();
  symlinkSync(join(bin, 'start_all'), join(here.folder, 'rc-script'));
  expect(() => execFileSync(join(here.folder, 'rc-script'), { stdio: 'pipe' })).toThrow(/was not run/);
  expect(() => execFileSync('sh', ['start_all'], { cwd: bin, stdio: 'pipe' })).toThrow(/start_all was not run/);
  expect(ran()).toBe(false);
});

test('an update that puts its commands over the gates is seen, and gated again; what is opened then are the newer commands', async () => {
  await close();
  writeFileSync(join(bin, 'start_tm'), '#!/bin/sh\necho newer\n');
  here.write('axway/SecureTransport/bin/start_new', '#!/bin/sh\n', 0o755);
  expect(await state()).toMatchObject({ gate: 'broken', why: 'start_new is a command again, as after an update of the product; start_tm is a command again, as after an update of the product' });
  expect(await close()).toMatchObject({ changed: true, note: 'gated: 2 start commands refuse' });
  expect(call('start_tm').code).toBe(1);
  await open();
  expect(call('start_tm').said).toBe('newer\n');
});

test('an update that replaces the whole folder is seen as open: nothing in it is ours any more', async () => {
  await close();
  renameSync(bin, `${bin}.old`);
  mkdirSync(bin);
  here.write('axway/SecureTransport/bin/start_all', '#!/bin/sh\n', 0o755);
  expect(await state()).toMatchObject({ gate: 'open', ours: true });
  expect(await close()).toMatchObject({ changed: true });
});

test('a newer command that is not gated again is kept when the gate is opened', async () => {
  await close();
  rmSync(join(bin, 'start_tm'));
  writeFileSync(join(bin, 'start_tm'), '#!/bin/sh\necho newer\n', { mode: 0o755 });
  await open();
  expect(call('start_tm').said).toBe('newer\n');
  expect(readdirSync(bin).filter((name) => name.includes('gate'))).toEqual([]);
});

test('closing that was killed between two renames goes on from there, and so does opening', async () => {
  const before = tree();
  await close();
  rmSync(join(bin, 'start_all'));
  expect(await state()).toMatchObject({ gate: 'broken', why: 'the gate in the place of start_all is gone' });
  await close();
  expect(await state()).toMatchObject({ gate: 'closed' });
  renameSync(join(bin, 'start_all.gated'), join(bin, 'start_all'));
  await open();
  expect(tree()).toEqual(before);
});

test('many at once close it once: no gate ends up as the command behind another', async () => {
  const before = tree();
  await close();
  await open();
  // Two attempts that write the script at once may be in each other's way, which is tried again.
  await Promise.allSettled(Array.from({ length: 4 }, close));
  await close();
  expect(await state()).toMatchObject({ gate: 'closed' });
  await open();
  expect(tree()).toEqual(before);
});

test('a gate whose own script is gone still refuses, and is mended', async () => {
  await close();
  rmSync(join(bin, 'st-orchestrator-gate'));
  expect(call('start_all').code).not.toBe(0);
  expect(await state()).toMatchObject({ gate: 'broken', why: expect.stringContaining('bin/st-orchestrator-gate is missing') });
  await close();
  expect(await state()).toMatchObject({ gate: 'closed' });
});

test('a person opens it by the command that it names, and that is written down and told', async () => {
  await close();
  expect(call('st-orchestrator-gate', 'open', 'Ada', '').code).toBe(1);
  expect(call('st-orchestrator-gate', 'open', 'Ada', 'the other\nside burns').code).toBe(0);
  expect(readFileSync(join(here.folder, 'axway/st-orchestrator-gate.log'), 'utf8')).toMatch(/^\S+Z opened by Ada \(user .*\): the otherside burns\n$/);
  const { facts, problems } = await gates().checkGate({ host: here.server });
  expect(facts.gate).toBe('open');
  expect(problems).toEqual([{ what: expect.stringMatching(/^st1: its gate was opened at some time: .* opened by Ada/), remedy: expect.any(String), level: 'warning' }]);
});

test('a command that is gone can\'t be brought back, and is named', async () => {
  await close();
  rmSync(join(bin, 'start_tm.gated'));
  expect(await state()).toMatchObject({ gate: 'broken', why: expect.stringContaining('the command behind start_tm is gone') });
  await expect(open()).rejects.toMatchObject({ message: expect.stringContaining('restore them from a backup or a peer: start_tm') });
});

test('no product: nothing to gate; a host that is another cluster\'s is not touched', async () => {
  rmSync(join(here.folder, 'axway'), { recursive: true });
  expect(await close()).toMatchObject({ changed: false, value: true });
  expect(await state()).toMatchObject({ gate: 'none' });
  await expect(gates().ensureGated({ host: here.server }, { cluster: 'other', epoch: 9, operation: 'remove-node/other/st1' })).rejects.toMatchObject({ code: 'ForeignCluster' });
});

test('what sudo refuses is told as that, and a folder that can\'t be written changes nothing', async () => {
  here.refuse('bin/ls');
  await expect(state()).rejects.toMatchObject({ code: 'PermissionDenied' });
  here.refuse('st-orchestrator-gate close');
  await expect(close()).rejects.toMatchObject({ code: 'PermissionDenied' });
  here.refuse();
  if (process.getuid?.() === 0) return;
  const before = tree();
  chmodSync(bin, 0o500);
  await expect(close()).rejects.toMatchObject({ code: 'RemoteCommandFailed' });
  chmodSync(bin, 0o755);
  expect(tree()).toEqual(before);
});
