/** What restarts and updates look at and change, on the cluster in memory that works: which version stands and runs where, and who was started anew. */
import type { RestartActivities } from '../../../src/activities/restarts';
import type { CheckResult } from '../../../src/model/operation';
import type { ClusterSpec } from '../../../src/model/spec';
import type { HostTarget } from '../../../src/model/targets';
import { already, done, flatten, must, type Machine, type Pretended } from './pretendEstate';
import { pretendWorking } from './pretendWorking';

const fine = async <F>(facts: F): Promise<CheckResult<F>> => ({ facts, problems: [] });

/** `atOnce`: an update may find nothing running anywhere; else others go on while a node is down. */
export function pretendRestarted(spec: ClusterSpec, members: readonly string[], { atOnce }: { atOnce: boolean }): Pretended {
  const pretended = pretendWorking(spec, members);
  const { machines, groups, claim } = pretended;
  const builds = new Map(members.map((node) => [node, '5.5-1']));
  const started = new Set<string>();
  const machine = ({ node }: HostTarget): Machine => machines.get(node)!;
  const runs = ({ admin, tm, daemons }: Machine): boolean => admin !== 'off' || tm || daemons;

  const restarts: RestartActivities = {
    checkNode({ node, role }) {
      const { admin, tm, daemons } = machine(node);
      return fine({ node: node.node, role, version: '5.5', build: builds.get(node.node) ?? null, online: admin === 'up' && tm && daemons, answers: admin === 'up', runs: runs(machine(node)), fresh: false });
    },
    async ensureUpdated({ host, version }, authority) {
      await claim(authority);
      must(atOnce ? ![...machines.values()].some(runs) : !runs(machine(host)), 'a node is updated while nothing of it, or of the cluster, runs');
      if (builds.get(host.node) === version) return already;
      builds.set(host.node, version);
      return done('updated');
    },
    async ensureVersion({ host, version }, authority) {
      await claim(authority);
      must(builds.get(host.node) === version, 'the version that was asked for is installed');
      return already;
    },
  };
  const servers = {
    async ensureOnline(...[input, authority]: Parameters<typeof groups.servers.ensureOnline>) {
      const outcome = await groups.servers.ensureOnline(input, authority);
      if (outcome.changed) started.add(input.server.node);
      const running = [...machines].filter(([, one]) => one.tm).map(([node]) => builds.get(node));
      must(new Set(running).size === 1, 'two versions never run on one schema');
      return outcome;
    },
    async ensureAllStopped(...[input, authority]: Parameters<typeof groups.servers.ensureAllStopped>) {
      const stopped = await groups.servers.ensureAllStopped(input, authority);
      must(atOnce || [...machines.values()].filter(({ tm }) => tm).length >= spec.policies.minimumNodes, 'enough Servers stay Online');
      return stopped;
    },
  };
  const stops = {
    // Marks are told by their age from those of what works: a node that was restarted is looked through when it runs again.
    async ensureSwept(_: unknown, authority: Parameters<typeof claim>[0]) {
      await claim(authority);
      return already;
    },
  };
  return {
    ...pretended,
    activities: { ...pretended.activities, ...flatten({ restarts, servers, stops }) },
    state: () => ({ ...(pretended.state() as object), builds: [...builds], started: [...started].sort() }),
  };
}
