/** The cluster in memory once it works, with hosts beside it that belong to nobody yet: what operations on a working cluster look at and change. */
import type { AdditionActivities } from '../../../src/activities/additions';
import type { BackupActivities } from '../../../src/activities/backups';
import type { GateActivities } from '../../../src/activities/gates';
import type { StopActivities } from '../../../src/activities/stops';
import type { CheckResult } from '../../../src/model/operation';
import { productionSite, siteOf } from '../../../src/model/slices';
import type { ClusterSpec } from '../../../src/model/spec';
import type { HostTarget, ServerTarget } from '../../../src/model/targets';
import { already, done, flatten, must, pretendEstate, type Machine, type Pretended } from './pretendEstate';

const fine = async <F>(facts: F): Promise<CheckResult<F>> => ({ facts, problems: [] });

/**
 * Those of `members` work, in a cluster that was set up by the first operation of its record; the other Servers of the spec are empty hosts. `removed`: all of them were taken out,
 * one after the other, and are stopped and gated.
 */
export function pretendWorking(spec: ClusterSpec, members: readonly string[], { removed = false } = {}): Pretended {
  const pretended = pretendEstate(spec, { seen: 1 });
  const { machines, estate, groups, claim, epoch } = pretended;
  const { servers, loadBalancer } = siteOf(spec, productionSite(spec));
  const backups = new Set<string>();
  const gated = new Set<string>();
  const fresh = new Set<string>();
  for (const name of members) machines.set(name, { installed: true, licensed: true, admin: 'up', tm: true, daemons: true });
  Object.assign(estate, {
    schema: true, setUpBy: members[0], table: servers.filter(({ name }) => members.includes(name)).map(({ address }) => address).sort(), threshold: spec.policies.minimumNodes,
    active: loadBalancer!.siteBackend, serving: [...members].sort(),
  });
  if (removed) {
    for (const name of members) {
      Object.assign(machines.get(name)!, { admin: 'off', tm: false, daemons: false });
      gated.add(name);
    }
    Object.assign(estate, { table: [], serving: [], sshPort: '2222' });
  }
  const machine = ({ node }: HostTarget): Machine => machines.get(node)!;

  const backing: BackupActivities = {
    checkFiles: ({ server }) => fine({ node: server.node }),
    checkDatabase: () => fine({ by: 'pg_dump' }),
    checkExportPassword: () => fine({ by: 'system_export' }),
    checkEdge: async () => { throw new Error('there are no Edges here'); },
    ensureEdge: async () => { throw new Error('there are no Edges here'); },
    async ensureFiles({ server }, authority) {
      await claim(authority);
      backups.add(`files of ${server.node}`);
      return done('backed up');
    },
    async ensureDatabase(_, authority) {
      await claim(authority);
      backups.add('database');
      return done('backed up');
    },
    async ensureMap({ balancer }, authority) {
      await claim(authority);
      backups.add(`map of ${balancer.name}`);
      return done('backed up');
    },
  };

  const gates: Pick<GateActivities, 'checkGate' | 'ensureGated' | 'ensureOpened' | 'ensureStopped'> = {
    async checkGate({ host }) {
      const { installed, admin, tm, daemons } = machine(host);
      const gate = !installed ? 'none' : gated.has(host.node) ? 'closed' : 'open';
      return { facts: { node: host.node, gate, why: '', runs: admin !== 'off' || tm || daemons, ours: true, epoch: epoch() || null }, problems: [], measured: { node: host.node, processes: [] } };
    },
    async ensureStopped({ host }, authority) {
      await claim(authority);
      Object.assign(machine(host), { admin: 'off', tm: false, daemons: false });
      return done('stopped');
    },
    async ensureGated({ host }, authority) {
      await claim(authority);
      must(!machine(host).tm && machine(host).admin === 'off', 'what is gated does not run');
      gated.add(host.node);
      return { ...done('gated'), value: true };
    },
    async ensureOpened({ host }, authority) {
      await claim(authority);
      return gated.delete(host.node) ? done('opened') : already;
    },
  };

  const withdraw = async (node: ServerTarget): Promise<void> => {
    must(!estate.serving.includes(node.node), 'nobody is sent to what is withdrawn');
    estate.table = estate.table.filter((address) => address !== node.address);
    if (machine(node).installed) Object.assign(machine(node), { admin: 'off', tm: false, daemons: false });
  };
  const additions: AdditionActivities = {
    async checkMachine({ host }) {
      const { installed } = machine(host);
      return fine({ node: host.node, reachable: true, identity: host.node, taeh: installed ? 'taeh' : null, version: installed ? '5.5' : null, instance: installed ? `of ${host.node}` : null, epoch: epoch() > 0 ? epoch() : null });
    },
    ...groups.additions,
    async readSettings({ server }, authority) {
      await claim(authority);
      must(machine(server).admin === 'up', 'settings are read where the Administration Tool answers');
      return { ...already, value: { 'Sshd.Port': [estate.sshPort] } };
    },
    checkFiles: ({ server, installed }) => fine({ node: server.node, fresh: !installed || fresh.has(server.node) }),
    async ensureInstalled(input, authority) {
      const outcome = await groups.installation.ensureInstalled(input, authority);
      if (outcome.changed) fresh.add(input.server.node);
      return outcome;
    },
    async ensureFiles({ server }, authority) {
      await claim(authority);
      must(machine(server).installed, 'files are copied to what is installed');
      return fresh.delete(server.node) ? done('copied') : already;
    },
    async ensureMember({ settings, ...input }, authority) {
      const outcome = await groups.servers.ensureMember(input, authority);
      await groups.additions.ensureSettings({ server: input.server, settings, defaults: false }, authority);
      return outcome;
    },
    async ensureDaemonsFresh(_, authority) {
      await claim(authority);
      return already;
    },
    async ensureWithdrawn({ node }, authority) {
      await claim(authority);
      await withdraw(node);
      return done('withdrawn');
    },
    ensureEdgeWithdrawn: async () => { throw new Error('there are no Edges here'); },
  };

  const stops: StopActivities = {
    checkWork: async ({ node }) => ({ facts: { node: node.node, blocked: [] }, problems: [], measured: { node: node.node, sessions: 0, accounts: {}, transfers: [], active: [], ready: 0 } }),
    async ensureRoom(_, authority) {
      await claim(authority);
      return already;
    },
    async ensureDrained({ server }, authority) {
      await claim(authority);
      must(!estate.serving.includes(server.node), 'nobody is sent to a Server that is stopped');
      const runs = machine(server).tm;
      Object.assign(machine(server), { tm: false, daemons: false });
      return runs ? done('stopped') : already;
    },
    async ensureSwept({ server }, authority) {
      await claim(authority);
      must(!machine(server).tm, 'what is left in process shows when nothing works');
      return already;
    },
    ensureEdgeDrained: async () => { throw new Error('there are no Edges here'); },
  };
  const edges = { checkWays: () => fine({ ca: null, trusted: [], zones: [], probe: null }) };
  return {
    ...pretended,
    activities: flatten({ ...groups, backups: backing, gates, additions, stops, edges }),
    state: () => ({ ...(pretended.state() as object), backups: [...backups].sort(), gated: [...gated].sort(), fresh: [...fresh].sort() }),
  };
}
