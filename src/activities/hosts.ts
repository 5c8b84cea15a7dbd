/** The hosts as machines: what must hold before anything is installed on them, and what stands on them already. */
import { clockProblems, type ClockReading } from '../model/clocks';
import type { HostFacts } from '../model/facts';
import type { CheckResult } from '../model/operation';
import type { HostTarget } from '../model/targets';
import { script } from '../clients/quote';
import { abortSignal } from './context';
import type { Clients } from './clients';
import { hostProblems } from './hostProblems';
import { hostScript, readHostAnswer, type HostAnswer } from './hostScript';
import { preparedFiles } from './installer';
import { readInstallationState } from './installationState';
import { productOn } from './product';

export interface Peer {
  address: string;
  port: number;
}

export interface HostActivities {
  /** `peers`: what the host must reach by TCP; `ports`: what nobody else may listen on. `measured`: its clock. Edges have no shared files. */
  checkHost(input: { host: HostTarget; package: string; sharedPath?: string; version: string; ports: number[]; peers: Peer[]; clockLimitMs: number }): Promise<CheckResult<HostFacts, ClockReading>>;
}

const wholeNumber = /^\d+$/;
const budgetMs = 25_000;

export function hostActivities({ clients }: { clients: Clients }): HostActivities {
  return {
    async checkHost({ host, package: installer, sharedPath, version, ports, peers, clockLimitMs }) {
      const { taeh, second } = preparedFiles(productOn(clients, host));
      const args = [host.productUser, host.fileDriveHome, installer, sharedPath ?? '', taeh, second, ...peers.flatMap(({ address, port }) => [address, String(port)])];
      const before = Date.now();
      const { stdout } = await clients.ssh.run(host.ssh, script(hostScript, args), { timeoutMs: budgetMs, signal: abortSignal(), purpose: `looking at ${host.node}` });
      const after = Date.now();
      const answer = readHostAnswer(stdout);
      const facts = factsOf(host, answer);
      // Begun on the host after `before` and ended there before `after`: how far its clock is off lies between the two differences.
      const clock: ClockReading = { node: host.node, leastMs: Number(answer.values.get('ended')) - after, mostMs: Number(answer.values.get('began')) - before, told: answer.values.get('began') ?? 'nothing' };
      return { facts, problems: [...hostProblems(host, answer, facts, { installer, sharedPath, version, ports }), ...clockProblems(clock, clockLimitMs)], measured: clock };
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
