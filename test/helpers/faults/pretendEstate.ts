/**
 * A cluster in memory behind the real activities' names and types: the product reduced to what operations change. Each `ensure` changes facts that
 * the checks then find, refuses what is against the vendor's order (reference §3) and what comes from an older operation.
 */
import type { AdditionActivities } from '../../../src/activities/additions';
import type { AdministratorActivities } from '../../../src/activities/administrators';
import type { DatabaseActivities } from '../../../src/activities/database';
import type { FileActivities } from '../../../src/activities/files';
import type { HostActivities } from '../../../src/activities/hosts';
import type { InstallationActivities } from '../../../src/activities/installation';
import type { LoadBalancerActivities } from '../../../src/activities/loadBalancer';
import type { NetworkActivities } from '../../../src/activities/network';
import type { ServerActivities } from '../../../src/activities/servers';
import { StError } from '../../../src/model/errors';
import type { ServerFacts } from '../../../src/model/facts';
import type { Outcome } from '../../../src/model/operation';
import { sameValues } from '../../../src/model/optionsPlan';
import { siteOf, productionSite } from '../../../src/model/slices';
import type { ClusterSpec } from '../../../src/model/spec';
import type { Authority, HostTarget, ServerTarget } from '../../../src/model/targets';
import type { PretendGround } from './boundaries';

export interface Machine {
  installed: boolean;
  licensed: boolean;
  admin: 'off' | 'up' | 'not operational';
  tm: boolean;
  daemons: boolean;
}

export interface Groups {
  additions: Pick<AdditionActivities, 'checkSettings' | 'ensureSettings'>;
  administrators: Pick<AdministratorActivities, 'ensureTried'>;
  hosts: HostActivities;
  network: NetworkActivities;
  installation: InstallationActivities;
  servers: ServerActivities;
  database: DatabaseActivities;
  files: FileActivities;
  loadBalancer: LoadBalancerActivities;
}

export const done = (note: string): Outcome => ({ changed: true, note });
export const already: Outcome = { changed: false, note: 'is so already' };
/** A moment in which other activities get their turn, so that those of a fan-out do run beside each other. */
const moment = (): Promise<void> => new Promise((resolve) => void setTimeout(resolve, 5));

export function must(holds: boolean, rule: string): void {
  if (!holds) throw new StError('Refused', `against the vendor's order: ${rule}`);
}

/** What those who add to the estate work with. */
export interface Pretended extends PretendGround {
  machines: Map<string, Machine>;
  estate: { schema: boolean; setUpBy: string; table: string[]; threshold: number | null; sshPort: string; options: Record<string, string[]>; active: string; serving: string[]; takenOut: string[] };
  groups: Groups;
  /** Refuses what comes from an older operation. */
  claim(authority: Authority): Promise<void>;
  epoch(): number;
}

/** An estate on which nothing was ever installed; `seen`: the epoch that its hosts know of. */
export function pretendEstate(spec: ClusterSpec, { seen = 0 } = {}): Pretended {
  const nodes = siteOf(spec, productionSite(spec)).servers;
  const machines = new Map<string, Machine>(nodes.map(({ name }) => [name, { installed: false, licensed: false, admin: 'off', tm: false, daemons: false }]));
  const estate = { schema: false, setUpBy: '', table: [] as string[], threshold: null as number | null, sshPort: '', options: { 'Cluster.enable.SSL': ['true'] } as Record<string, string[]>, active: 'none', serving: [] as string[], takenOut: [] as string[] };
  let epoch = seen;

  const machine = ({ node }: HostTarget): Machine => machines.get(node)!;
  const isMember = ({ address }: ServerTarget): boolean => estate.table.includes(address);
  const tool = (server: ServerTarget): Machine['admin'] => (estate.setUpBy === server.node || isMember(server) ? 'up' : 'not operational');
  const running = (): number => [...machines.values()].filter(({ tm }) => tm).length;
  const claim = async (authority: Authority): Promise<void> => {
    await moment();
    if (authority.epoch < epoch) throw new StError('StaleEpoch', `epoch ${authority.epoch} of ${authority.operation} is over`);
    epoch = authority.epoch;
  };
  /** Changes the fields of one machine; answers whether any was different. */
  const change = (it: Machine, fields: Partial<Machine>): Outcome => {
    const differs = Object.entries(fields).some(([name, value]) => it[name as keyof Machine] !== value);
    Object.assign(it, fields);
    return differs ? done('changed') : already;
  };

  const groups: Groups = {
    additions: {
      checkSettings: async ({ server }) => ({ facts: machine(server).installed && machine(server).admin === 'up' ? { 'Sshd.Port': [estate.sshPort] } : null, problems: [] }),
      async ensureSettings({ settings, defaults }, authority) {
        await claim(authority);
        const wanted = settings['Sshd.Port']?.join('') ?? (defaults ? '' : estate.sshPort);
        if (estate.sshPort === wanted) return already;
        estate.sshPort = wanted;
        return done('put back');
      },
    },
    administrators: { ensureTried: async ({ server }) => ({ ...already, value: [{ node: server.node, account: 'setup', state: 'changed' }] }) },
    installation: {
      checkLicences: async () => ({ facts: { core: 'core', features: 'features', clusterNodes: nodes.length }, problems: [] }),
      async ensureInstalled({ server, taehFrom }, authority) {
        await claim(authority);
        const it = machine(server);
        if (it.installed) return already;
        if (taehFrom) must(estate.schema && machine(taehFrom).admin === 'up' && machine(taehFrom).licensed, 'the first Server is installed, licensed and operational before others are installed');
        else {
          must(!estate.schema, 'the first Server makes the schema');
          Object.assign(estate, { schema: true, setUpBy: server.node });
        }
        return change(it, { installed: true, admin: tool(server) });
      },
      async ensureEmptied(_, authority) {
        await claim(authority);
        return already;
      },
      async ensureLicensed({ server }, authority) {
        await claim(authority);
        must(machine(server).installed, 'licences are installed on what is installed');
        return change(machine(server), { licensed: true });
      },
    },
    hosts: {
      async checkHost({ host }) {
        const { installed, licensed } = machine(host);
        const licences = { core: licensed ? 'core' : null, features: licensed ? 'features' : null };
        return { facts: { node: host.node, identity: host.node, installation: installed ? 'complete' : 'none', prepared: false, ours: epoch > 0, epoch: epoch > 0 ? epoch : null, version: installed ? '5.5' : null, taeh: installed ? 'taeh' : null, licences }, problems: [] };
      },
    },
    network: { checkNetwork: async ({ server }) => ({ facts: { node: server.node }, problems: [] }) },
    files: { checkShared: async ({ reader }) => ({ facts: { reader: reader.node, shared: true }, problems: [] }) },
    database: {
      checkDatabase: async () => ({ facts: { schema: estate.schema, epoch: epoch > 0 ? epoch : null }, problems: [] }),
      async ensureEpoch(_, authority) {
        await claim(authority);
        return done('recorded');
      },
    },
    servers: {
      async checkServer({ server }) {
        const { installed, admin, tm, daemons } = machine(server);
        const answers = installed && admin === 'up';
        const facts: ServerFacts = {
          node: server.node, admin: answers ? 'running' : admin === 'not operational' ? admin : 'not running',
          tm: answers && tm, daemons: answers && daemons, members: answers ? [...estate.table] : null, threshold: answers ? estate.threshold : null, options: answers ? { ...estate.options } : null,
        };
        return { facts, problems: [] };
      },
      async ensureAdminStopped({ server }, authority) {
        await claim(authority);
        return change(machine(server), { admin: 'off' });
      },
      async ensureServicesStopped({ server }, authority) {
        await claim(authority);
        return change(machine(server), { tm: false, daemons: false });
      },
      async ensureAllStopped({ server }, authority) {
        await claim(authority);
        return change(machine(server), { admin: 'off', tm: false, daemons: false });
      },
      async ensureAdminStarted({ server }, authority) {
        await claim(authority);
        must(machine(server).installed, 'only what is installed is started');
        return machine(server).admin === 'off' ? change(machine(server), { admin: tool(server) }) : already;
      },
      async ensureMember({ server, address }, authority) {
        await claim(authority);
        must(machine(server).admin === 'up' && machine(server).licensed, 'nodes are added through a licensed Server whose Administration Tool is operational');
        if (estate.table.includes(address)) return already;
        const added = machines.get(nodes.find((node) => node.address === address)!.name)!;
        must(added.installed && !added.tm && !added.daemons, 'the services of a Server to add do not run');
        must(added === machine(server) || added.admin === 'off', 'the Administration Tool of a Server to add does not run');
        Object.assign(estate, { table: [...estate.table, address].sort(), sshPort: '22' });
        return done('added');
      },
      async ensureNotMember({ server, address }, authority) {
        await claim(authority);
        must(machine(server).admin === 'up', 'nodes are removed through a Server that answers');
        if (!estate.table.includes(address)) return already;
        estate.table = estate.table.filter((one) => one !== address);
        return done('removed');
      },
      ensureRegistered: async () => { throw new Error('nothing registers itself here'); },
      async ensureOptions({ server, options }, authority) {
        await claim(authority);
        must(machine(server).admin === 'up' && running() === 0, 'options are set through a Server that answers, before the cluster serves');
        if (Object.entries(options).every(([name, values]) => sameValues(estate.options[name], values))) return already;
        Object.assign(estate.options, options);
        return done('set');
      },
      async ensureOnline({ server }, authority) {
        await claim(authority);
        const it = machine(server);
        if (it.admin === 'up' && it.tm && it.daemons) return already;
        must(isMember(server) && it.licensed, 'nothing is restarted before it is added and licensed');
        must(estate.sshPort !== '22', 'no daemon is started on the port that adding a node set');
        must(it.admin !== 'not operational', 'the Administration Tool is restarted after the Server was added');
        const alone = running() === 0;
        Object.assign(it, { admin: 'up', tm: true, daemons: true });
        await moment();
        must(!alone || running() === 1, 'the first Transaction Manager starts alone');
        must(running() <= nodes.length, 'never more Transaction Managers than the licence has nodes');
        return done('Online');
      },
      async ensureNodeThreshold({ server, numberOfNodes }, authority) {
        await claim(authority);
        must(machine(server).admin === 'up', 'the threshold is set through a Server that answers');
        if (estate.threshold === numberOfNodes) return already;
        estate.threshold = numberOfNodes;
        return done('set');
      },
    },
    loadBalancer: {
      checkBalancer: async ({ balancer }) => ({ facts: { name: balancer.name, heldOut: [], takenOut: estate.takenOut.map((node) => ({ node, operation: 'an operation', epoch })), active: estate.active, persisted: estate.active, serving: [...estate.serving], saved: null, epoch: epoch > 0 ? epoch : null }, problems: [] }),
      async ensureServing({ node }, authority) {
        await claim(authority);
        must(machines.get(node)!.daemons, 'the balancer sends only to what serves');
        if (estate.serving.includes(node)) return already;
        estate.serving = [...estate.serving, node].sort();
        estate.takenOut = estate.takenOut.filter((one) => one !== node);
        return done('serving');
      },
      async ensureOutOfService({ node }, authority) {
        await claim(authority);
        if (!estate.serving.includes(node)) return already;
        estate.serving = estate.serving.filter((one) => one !== node);
        estate.takenOut = [...estate.takenOut, node].sort();
        return done('out of service');
      },
      async ensureActiveSite({ balancer, site }, authority) {
        await claim(authority);
        must(estate.serving.length > 0, 'clients are sent to a site that serves');
        estate.active = balancer.siteBackends[site]!;
        return done('active');
      },
    },
  };
  return { activities: flatten(groups), state: () => structuredClone({ ...estate, machines: Object.fromEntries(machines) }), machines, estate, groups, claim, epoch: () => epoch };
}

/** By registered name. */
export function flatten(groups: object): PretendGround['activities'] {
  const entries = Object.entries(groups).flatMap(([group, methods]) => Object.entries(methods as object).map(([method, act]) => [`${group}.${method}`, act] as const));
  return Object.fromEntries(entries) as PretendGround['activities'];
}
