/** The hosts as machines: what must hold before anything is installed on them, and what stands on them already. */
import type { HostFacts } from '../model/facts';
import type { CheckResult, Problem } from '../model/operation';
import type { HostTarget } from '../model/targets';
import { script } from '../clients/quote';
import { abortSignal } from './context';
import type { Clients } from './clients';
import { preparedFiles } from './installation';
import { readInstallationState } from './installationState';
import { productOn } from './product';
import { hostScript, readHostAnswer, type HostAnswer } from './hostScript';

export interface Peer {
  address: string;
  port: number;
}

export interface HostActivities {
  checkHost(input: { host: HostTarget; package: string; sharedPath: string; version: string; peers: Peer[]; clockLimitMs: number }): Promise<CheckResult<HostFacts>>;
}

const wholeNumber = /^\d+$/;
const neededKb = 512 * 1024;
const budgetMs = 20_000;

export function hostActivities({ clients }: { clients: Clients }): HostActivities {
  return {
    async checkHost({ host, package: installer, sharedPath, version, peers, clockLimitMs }) {
      const { taeh, second } = preparedFiles(productOn(clients, host));
      const args = [host.productUser, host.fileDriveHome, installer, sharedPath, taeh, second, ...peers.flatMap(({ address, port }) => [address, String(port)])];
      const before = Date.now();
      const { stdout } = await clients.ssh.run(host.ssh, script(hostScript, args), { timeoutMs: budgetMs, signal: abortSignal(), purpose: `looking at ${host.node}` });
      const answer = readHostAnswer(stdout);
      const facts = factsOf(host, answer);
      return { facts, problems: [...machineProblems(host, answer, { installer, sharedPath, before, after: Date.now(), clockLimitMs }), ...productProblems(host, answer, facts, version)] };
    },
  };
}

function factsOf(host: HostTarget, { values }: HostAnswer): HostFacts {
  const value = (key: string): string | null => values.get(key) || null;
  return {
    node: host.node,
    identity: value('identity'),
    installation: readInstallationState(values.get('installation') ?? '').state,
    prepared: value('prepared') === 'yes',
    ours: value('cluster') === host.cluster,
    epoch: value('cluster') === host.cluster && wholeNumber.test(value('epoch') ?? '') ? Number(value('epoch')) : null,
    version: value('version'),
    taeh: value('taeh'),
    licences: { core: value('core'), features: value('features') },
  };
}

interface Expected {
  installer: string;
  sharedPath: string;
  before: number;
  after: number;
  clockLimitMs: number;
}

function machineProblems(host: HostTarget, { values, reach }: HostAnswer, { installer, sharedPath, before, after, clockLimitMs }: Expected): Problem[] {
  const problems: Problem[] = [];
  const add = (what: string, remedy: string): void => void problems.push({ what: `${host.node}: ${what}`, remedy });
  if (values.get('os') !== 'Linux') add(`the operating system is ${values.get('os') ?? 'unknown'}, expected Linux`, 'run this cluster by the vendor\'s own procedure');
  const refused = values.get('sudo') ?? 'everything (no answer)';
  if (refused !== '') add(`sudo refuses ${host.ssh.user} to run as ${host.productUser}: ${refused}`, 'allow the commands of docs/sudoers.example');
  // Where a product stands the package is not needed; an adopted Server may have lost it long ago.
  if (values.get('package') !== 'yes' && readInstallationState(values.get('installation') ?? '').state !== 'complete') add(`no installer package: ${installer}/setup.sh is missing or not executable`, 'put the vendor\'s package there');
  if (values.get('shared') !== 'yes') add(`the shared file system is not mounted: ${sharedPath} is no folder`, 'mount it at this path');
  if (Number(values.get('free') ?? 0) < neededKb) add(`${values.get('free') ?? '?'} KB are free below ${host.fileDriveHome}, expected ${neededKb}`, 'make room');
  // The remote clock was read somewhere between these two moments.
  const told = values.get('time') ?? 'nothing';
  const remote = Number(told);
  if (Number.isNaN(remote)) add(`its clock can't be read (date +%s%3N answers "${told}")`, 'install GNU date (package coreutils)');
  const off = remote > after ? remote - after : remote < before ? remote - before : 0;
  if (Math.abs(off) > clockLimitMs) add(`the clock is ${(Math.abs(off) / 1000).toFixed(1)} s ${off > 0 ? 'ahead' : 'behind'} (limit ${clockLimitMs / 1000} s)`, 'synchronise the clocks of all hosts, this one and the orchestrator\'s included');
  const owner = values.get('cluster');
  if (owner && !wholeNumber.test(values.get('epoch') ?? '')) add('~/.st-orchestrator/epoch is damaged', `write the line "${host.cluster} <epoch>" into it, with the epoch that "stctl status ${host.cluster}" tells`);
  if (owner && owner !== host.cluster) add(`this host belongs to cluster "${owner}"`, `remove it from "${owner}" first, or take it out of this cluster file`);
  for (const { address, port, result } of reach) {
    if (result === 'blocked') add(`${address} port ${port} can't be reached from here (no answer)`, 'open the port in this direction');
    if (result === 'unknown-name') add(`the name ${address} is not known here`, 'add it to DNS or /etc/hosts');
  }
  return problems;
}

function productProblems(host: HostTarget, { values }: HostAnswer, { installation, ours, version }: HostFacts, expected: string): Problem[] {
  if (installation === 'unknown') {
    // That sudo refuses everything is told already.
    if (values.get('sudo')?.startsWith('everything')) return [];
    const { why } = readInstallationState(values.get('installation') ?? '');
    return [{ what: `${host.node}: what stands in ${host.fileDriveHome} can't be known: ${why}`, remedy: `give it back to ${host.productUser}, readable, and allow the commands of docs/sudoers.example` }];
  }
  if (installation !== 'none' && !ours) {
    return [{ what: `${host.node}: a product stands in ${host.fileDriveHome} that no operation of this cluster installed`, remedy: 'adopt the cluster it belongs to, or take the host out of this cluster file' }];
  }
  if (installation !== 'complete' || version === null || version === expected) return [];
  return [{ what: `${host.node}: version ${version} is installed, expected ${expected}`, remedy: 'every Server of a cluster has the same version: update it, or correct product.version' }];
}
