/**
 * Bringing a lab up, taking it down, and putting it back to its first state.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { setCableFault } from './badCable';
import { balancerInit, bootBalancer, layBalancer, makeBalancer, restoreBalancerState } from './balancer';
import { checkReadable, layCode } from './code';
import { bootDatabase, databaseInit, layConfiguration, makeDatabase, postgresPrograms, restoreDatabase } from './database';
import { makeSecrets, writeClusterFiles } from './files';
import { removeGroup } from './freezer';
import { boot, ownFolders, powerOff, sharedFolder } from './hosts';
import { writeEtc } from './identity';
import { loginKey, makeAuthority, makeHostKey, makeLoginKey, makeTlsPair, writeKnownHosts } from './keys';
import { loadFolder } from './load/ledger';
import { endRuns } from './load/runs';
import { bootMail, mailInit } from './mail/host';
import { buildNetwork, namespacesOf, processesIn, removeNetwork, setCable } from './network';
import { fixedTarget, freeIndex, giveToCaller, hostFolder, indexesOf, labFolder, publish, readPlan, requirePlan, takeIndex, withdraw, writePlan } from './place';
import { fileDriveHome, planLab, users, type LabHost, type LabOptions, type LabPlan } from './plan';
import { identify, isAlive, signal } from './processes';
import { all, until } from './shell';
import { writeStatus } from './status';
import { unblockAll } from './trouble';
import { stopWatcher } from './watch';

/** @throws Error that names what is missing on this machine. */
function checkMachine(): void {
  if (process.platform !== 'linux') throw new Error('the lab needs Linux: its hosts are namespaces');
  if (process.getuid?.() !== 0) throw new Error('the lab needs root; scripts/lab calls sudo');
  const programs = ['/usr/sbin/sshd', '/usr/sbin/haproxy', '/usr/bin/sudo', '/usr/bin/openssl', '/usr/bin/ssh-keygen', '/usr/bin/unshare', '/usr/bin/nsenter', '/usr/bin/setpriv'];
  const missing = programs.filter((p) => !fs.existsSync(p));
  if (missing.length > 0) throw new Error(`not installed: ${missing.join(', ')}; run scripts/prepare`);
  postgresPrograms();
  checkReadable();
}

function emptyFolder(folder: string, owner: number): void {
  fs.rmSync(folder, { recursive: true, force: true });
  fs.mkdirSync(folder, { recursive: true, mode: 0o755 });
  fs.chownSync(folder, owner, owner);
}

/** Empties all that a host may write to, the database's files excepted, and puts the login key back. */
function layHost(plan: LabPlan, host: LabHost): void {
  const folder = hostFolder(plan.name, host.name);
  for (const own of ownFolders(host)) {
    if (own.from !== 'postgresql') emptyFolder(path.join(folder, own.from), own.owner);
  }
  const ssh = path.join(folder, 'home/ops/.ssh');
  fs.mkdirSync(ssh, { mode: 0o700 });
  fs.writeFileSync(path.join(ssh, 'authorized_keys'), loginKey(plan.name), { mode: 0o600 });
  for (const file of [ssh, path.join(ssh, 'authorized_keys')]) fs.chownSync(file, users.ops.uid, users.ops.uid);
  if (host.role === 'server') emptyFolder(sharedFolder(plan.name, host), users.axway.uid);
  if (host.role === 'database') layConfiguration(plan);
  if (host.role === 'balancer') layBalancer(plan, host);
}

/** Script that a Server or an Edge runs at power-on with `--autostart`, when the product is installed. */
const productInit = `#!/bin/sh
[ -x ${fileDriveHome}/bin/start_all ] || exit 0
exec setpriv --reuid=axway --regid=axway --init-groups ${fileDriveHome}/bin/start_all
`;

/** What a host runs at power-on, if anything. */
function initFor(plan: LabPlan, host: LabHost): string | undefined {
  if (host.role === 'database') return databaseInit();
  if (host.role === 'balancer') return balancerInit;
  if (host.role === 'mail') return mailInit(plan);
  return host.role !== 'jump' && plan.options.autostart === true ? productInit : undefined;
}

async function makeKeys(plan: LabPlan): Promise<void> {
  makeSecrets(plan.name);
  await all([
    makeAuthority(plan.name).then(() => all(plan.hosts.map((h) => makeTlsPair(plan.name, h)))).then(() => undefined),
    makeLoginKey(plan.name),
    ...plan.hosts.map((h) => makeHostKey(plan.name, h)),
  ]);
  writeKnownHosts(plan);
}

/**
 * Brings a lab up from nothing; one of this name that is up, or was left behind, is taken down first.
 * @throws Error when the name is in use by a lab of another checkout.
 */
export async function up(options: LabOptions): Promise<LabPlan> {
  checkMachine();
  planLab(options, 0); // refuses bad options before anything is taken down
  refuseForeign(options.name);
  await down(options.name);
  const folder = labFolder(options.name);
  // Only what is made here changes hands: the parent may be anybody's.
  if (fs.mkdirSync(path.dirname(folder), { recursive: true }) !== undefined) giveToCaller(path.dirname(folder));
  fs.mkdirSync(folder, { recursive: true });
  giveToCaller(folder);
  const plan = planLab(options, takeIndex(options.name));
  try {
    writePlan(plan);
    for (const host of plan.hosts) writeEtc(plan, host, initFor(plan, host));
    await all([makeKeys(plan), buildNetwork(plan)]);
    layCode(plan);
    writeClusterFiles(plan);
    for (const host of plan.hosts) layHost(plan, host);
    for (const host of plan.hosts) if (host.role === 'database') emptyFolder(path.join(hostFolder(plan.name, host.name), 'postgresql'), users.postgres.uid);
    await all(plan.hosts.map(async (host) => {
      if (host.role === 'balancer') return makeBalancer(plan, host);
      if (host.role === 'mail') return bootMail(plan);
      await boot(plan, host);
      if (host.role === 'database') await makeDatabase(plan);
    }));
    publish(plan.name);
    await writeStatus(plan);
  } catch (error) {
    await down(options.name, { keepFolder: true });
    throw error;
  }
  return plan;
}

function refuseForeign(name: string): void {
  const target = fixedTarget(name);
  if (target === undefined || target === labFolder(name) || !fs.existsSync(path.join(target, 'lab.json'))) return;
  throw new Error(`a lab "${name}" of another folder is up (${target}); take it down there, or use another --name`);
}

/** Ends every process that is still in a subnet's namespaces, known to the lab or not. */
async function endLeftovers(index: number): Promise<void> {
  for (const namespace of await namespacesOf(index)) {
    for (const pid of await processesIn(namespace)) {
      const id = identify(pid);
      if (id === undefined) continue;
      signal(id, 'SIGKILL');
      await until(`process ${pid} of ${namespace} to end`, () => !isAlive(id), 5000, 5);
    }
  }
}

/** Takes a lab down and removes its folder. Nothing there is fine; what a killed lab left behind goes too. */
export async function down(name: string, { keepFolder = false } = {}): Promise<void> {
  refuseForeign(name);
  stopWatcher(name);
  await endRuns(name);
  const plan = readPlan(name);
  if (plan !== undefined) await all(plan.hosts.map((h) => powerOff(plan, h)));
  for (const index of indexesOf(name)) {
    await endLeftovers(index);
    await removeNetwork(index);
    freeIndex(index);
  }
  if (plan !== undefined) await all(plan.hosts.map((h) => removeGroup(name, h.name)));
  withdraw(name);
  if (keepFolder) fs.rmSync(path.join(labFolder(name), 'lab.json'), { force: true });
  else await fs.promises.rm(labFolder(name), { recursive: true, force: true });
}

/** Puts every host, the database, the shared files and the balancer back to how `up` left them; keys, passwords and addresses stay. */
export async function reset(name: string): Promise<void> {
  const plan = requirePlan(name);
  await endRuns(name);
  fs.rmSync(loadFolder(name), { recursive: true, force: true });
  await all([...plan.hosts.map(async (h) => void (await powerOff(plan, h))), unblockAll(plan)]);
  layCode(plan);
  writeClusterFiles(plan);
  for (const host of plan.hosts) {
    layHost(plan, host);
    fs.rmSync(path.join(hostFolder(plan.name, host.name), 'etc/st-lab/init'), { force: true });
    writeEtc(plan, host, initFor(plan, host));
  }
  await all(plan.hosts.map(async (host) => {
    await setCable(plan, host, 'up');
    await setCableFault(plan, host, { slowMs: 0, lossPercent: 0 });
    if (host.role === 'database') await restoreDatabase(plan);
    if (host.role === 'balancer') await restoreBalancerState(plan, host);
    await powerOn(plan, host);
  }));
}

/** Powers a host on and waits for what it starts by itself. */
export async function powerOn(plan: LabPlan, host: LabHost): Promise<void> {
  if (host.role === 'database') return bootDatabase(plan);
  if (host.role === 'balancer') return bootBalancer(plan, host);
  if (host.role === 'mail') return bootMail(plan);
  await boot(plan, host);
}
