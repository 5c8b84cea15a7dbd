/** The balancer: which Servers it may send to, and which site it sends to. */
import { readSharedEpoch } from '../clients/guard';
import { canWriteStateFile, isSaved, readStateFile, saveServersState } from '../clients/haproxyState';
import { haproxyOverSsh, persistMap, readMapFile, type Haproxy, type ServerState } from '../clients/haproxy';
import { readOutMarks, removeOutMark, writeOutMark } from '../clients/outMarks';
import { claimThings, ownerFile, readOwners } from '../clients/owners';
import { inTime, waitFor } from '../clients/waitFor';
import { StError } from '../model/errors';
import type { BalancerFacts } from '../model/balancerPlan';
import type { CheckResult, Outcome, Problem } from '../model/operation';
import { takenOutByUs, type OutMark } from '../model/outMark';
import type { Protocol } from '../model/spec';
import type { Authority, BalancerTarget, ServerTarget } from '../model/targets';
import { abortSignal, waitsFor } from './context';
import type { Clients } from './clients';
import { awaitTransactionManager, tryLogin, type Probe } from './login';
import { roomLook } from './room';

export interface LoadBalancerActivities {
  checkBalancer(input: { balancer: BalancerTarget; nodes: string[] }): Promise<CheckResult<BalancerFacts>>;
  /**
   * Takes the node out of maintenance and waits until its health check passes. `ifOurs`: one that a person holds out is left so, and the note says it. `proof`: one that is out
   * goes back only when it is shown to serve, which no health check of a balancer shows (reference §14); else it stays out. @throws StError what the proof failed with
   */
  ensureServing(input: { balancer: BalancerTarget; node: string; ifOurs?: boolean; proof?: Proof }, authority: Authority): Promise<Outcome>;
  /**
   * Sends no new clients to the node, waits until no session of theirs is left or `waitMs` are over, and keeps it out, also after a reload. Sessions that are left go on until
   * the node itself is stopped; the note counts them. Undo: `ensureServing`.
   */
  ensureOutOfService(input: { balancer: BalancerTarget; node: string; waitMs: number }, authority: Authority): Promise<Outcome>;
  /** Sends the clients to this site: in memory and in the map file, since a reload forgets the memory. */
  ensureActiveSite(input: { balancer: BalancerTarget; site: string }, authority: Authority): Promise<Outcome>;
}

/** How a node shows that it serves: it is Online, a Transaction Manager is connected to an Edge, and a partner can log in through it, where there is a login to try. */
export interface Proof {
  target: ServerTarget;
  role: 'server' | 'edge';
  /** All of them run, and on each a Transaction Manager is connected to an Edge. */
  protocols: Protocol[];
  probe?: Probe;
}

const healthMs = 60_000;

export function loadBalancerActivities({ clients }: { clients: Clients }): LoadBalancerActivities {
  const limits = () => ({ timeoutMs: 10_000, signal: abortSignal() });
  const open = (balancer: BalancerTarget): Haproxy => haproxyOverSsh(clients.ssh, balancer.ssh, balancer.socket);
  const serving = async (balancer: BalancerTarget): Promise<string[]> =>
    (await open(balancer).showStat(limits())).filter((row) => row['pxname'] === balancer.healthBackend && row['svname'] !== 'BACKEND' && row['status'] === 'UP').map((row) => row['svname'] ?? '');
  const savedReady = async ({ ssh, stateFile, healthBackend }: BalancerTarget): Promise<string[] | null> =>
    stateFile === undefined ? null : (await readStateFile(clients.ssh, ssh, stateFile, limits()))
      .filter(({ backend, admin }) => backend === healthBackend && !admin.forcedMaint && !admin.forcedDrain).map(({ server }) => server).sort();

  /** Answers for a state of one of this cluster's nodes the mark of the operation of ours that brought it about; undefined where a person did. */
  const marksOf = async (balancer: BalancerTarget): Promise<(state: ServerState) => OutMark | undefined> => {
    const [{ now, marks }, sinceStart] = await Promise.all([readOutMarks(clients.ssh, balancer.ssh, balancer.cluster, { ...limits(), purpose: `${balancer.name}: reading whom we took out` }), open(balancer).uptime(limits())]);
    return ({ server, admin, sinceChange }) => {
      const mark = marks.find(({ backend, node }) => backend === balancer.healthBackend && node === server);
      return takenOutByUs({ how: admin.forcedMaint ? 'maint' : 'drain', sinceChange, sinceStart }, mark, now) ? mark : undefined;
    };
  };

  return {
    async checkBalancer({ balancer, nodes }) {
      const haproxy = open(balancer);
      const [known, file, backends, states, owners, epoch, saved, writable, marks] = await Promise.all([
        haproxy.showMap(balancer.map, limits()).catch(unknown), readMapFile(clients.ssh, balancer.ssh, balancer.map, limits()), haproxy.showBackends(limits()),
        haproxy.showServersState(balancer.healthBackend, limits()).catch(nothing),
        readOwners(clients.ssh, balancer.ssh, ownThings(balancer), { ...limits(), purpose: `${balancer.name}: reading who owns what` }),
        readSharedEpoch(clients.ssh, balancer.ssh, balancer.cluster, { ...limits(), purpose: `${balancer.name}: reading the epoch` }),
        savedReady(balancer),
        balancer.stateFile === undefined || canWriteStateFile(clients.ssh, balancer.ssh, balancer.stateFile, limits()),
        marksOf(balancer),
      ]);
      const problems: Problem[] = [];
      const add = (what: string, remedy: string): void => void problems.push({ what: `${balancer.name}: ${what}`, remedy });
      if (!writable) add(`${balancer.ssh.user} can't write the file of server states ${balancer.stateFile}`, 'let that user write it, or correct loadBalancer.stateFile');
      const map = known ?? {};
      if (!known) add(`the HAProxy that runs knows no map ${balancer.map}`, 'let a rule of its configuration read that file, and reload; or correct loadBalancer.map');
      else if (!(balancer.mapKey in map)) add(`the map ${balancer.map} has no key "${balancer.mapKey}"`, `add the line "${balancer.mapKey} none" and reload`);
      problems.push(...foreignProblems(balancer, owners, [map[balancer.mapKey], file[balancer.mapKey]]));
      if (!backends.includes(balancer.healthBackend)) add(`there is no backend ${balancer.healthBackend}`, 'define it, with one server line for each node');
      else for (const node of nodes) if (!states.some(({ server }) => server === node)) add(`the backend ${balancer.healthBackend} has no server "${node}"`, 'add it, under the node\'s name in the cluster file');
      const site = balancer.siteBackends[balancer.site] ?? '';
      if (protocolBackends(backends, site).length === 0) add(`there is no backend ${site}_<protocol>`, 'define one for each protocol');
      const held = states.filter(isOut).map((state) => ({ node: state.server, mark: marks(state) })).sort((a, b) => (a.node < b.node ? -1 : 1));
      const heldOut = held.filter(({ mark }) => mark === undefined).map(({ node }) => node);
      const takenOut = held.flatMap(({ node, mark }) => (mark === undefined ? [] : [{ node, operation: mark.operation, epoch: mark.epoch }]));
      return { facts: { name: balancer.name, heldOut, ...(takenOut.length > 0 ? { takenOut } : {}), active: map[balancer.mapKey] ?? '', persisted: file[balancer.mapKey] ?? '', serving: (await serving(balancer)).sort(), saved, epoch }, problems };
    },
    async ensureServing({ balancer, node, ifOurs, proof }, authority) {
      const haproxy = open(balancer);
      await claimBalancer(clients, balancer, authority);
      const about = { backend: balancer.healthBackend, node };
      const forget = (): Promise<void> => removeOutMark(clients.ssh, balancer.ssh, authority, about, { ...limits(), purpose: `${balancer.name}: noting that ${node} is back` });
      const [now, saved] = await Promise.all([serving(balancer), balancer.stateFile === undefined || isSaved(clients.ssh, balancer.ssh, { haproxy, path: balancer.stateFile }, limits())]);
      if (now.includes(node) && saved) {
        await forget();
        return { changed: false, note: `${balancer.name} sends to it already` };
      }
      const state = ifOurs ? (await haproxy.showServersState(balancer.healthBackend, limits())).find(({ server }) => server === node) : undefined;
      if (state && isOut(state) && (await marksOf(balancer))(state) === undefined) return { changed: false, note: `left out of ${balancer.name}: no operation of this cluster took it out there` };
      if (proof) {
        await prove(clients, proof).catch((error: unknown) => {
          if (!(error instanceof StError)) throw error;
          throw new StError(error.code, `${node} stays out of ${balancer.name}, since it is not shown to serve: ${error.message} When it serves, "stctl set-up-cluster" puts it back.`, { cause: error });
        });
      }
      await haproxy.setServerState(balancer.healthBackend, node, 'ready', limits());
      if (balancer.stateFile !== undefined) await saveServersState(clients.ssh, balancer.ssh, authority, { haproxy, path: balancer.stateFile }, limits());
      await forget();
      await waitFor(`${node} is healthy for ${balancer.name}`, () => serving(balancer), (up) => up.includes(node), { timeoutMs: healthMs, signal: abortSignal() });
      return { changed: true, note: `healthy, ${balancer.name} may send to it` };
    },
    async ensureOutOfService({ balancer, node, waitMs }, authority) {
      const haproxy = open(balancer);
      const { healthBackend, stateFile } = balancer;
      await claimBalancer(clients, balancer, authority);
      const state = (await haproxy.showServersState(healthBackend, limits())).find(({ server }) => server === node);
      if (!state) throw new StError('Refused', `${balancer.name}: the backend ${healthBackend} has no server "${node}"`);
      const save = async (): Promise<void> => {
        if (stateFile !== undefined) await saveServersState(clients.ssh, balancer.ssh, authority, { haproxy, path: stateFile }, limits());
      };
      if (state.admin.forcedMaint) {
        if (stateFile === undefined || await isSaved(clients.ssh, balancer.ssh, { haproxy, path: stateFile }, limits())) return { changed: false, note: `${balancer.name} sends nobody to it already` };
        await save();
        return { changed: true, note: `${balancer.name} sends nobody to it, also after a reload` };
      }
      // Before it is done: one that is cut off leaves the mark of what may have been done.
      const note = (how: OutMark['how']): Promise<void> => writeOutMark(clients.ssh, balancer.ssh, authority, { backend: healthBackend, node, how }, { ...limits(), purpose: `${balancer.name}: noting that ${node} is taken out` });
      const ours = !state.admin.forcedDrain || (await marksOf(balancer))(state) !== undefined;
      if (!state.admin.forcedDrain) {
        await note('drain');
        await haproxy.setServerState(healthBackend, node, 'drain', limits());
      }
      await save();
      let inARow = 0;
      let left = 0;
      const until = performance.now() + waitMs;
      await inTime(waitFor(`${balancer.name}: the sessions at ${node} end`, async () => {
        left = sessionsAt(await haproxy.showStat(limits()), node, Object.values(balancer.siteBackends));
        inARow = left === 0 ? inARow + 1 : 0;
        if (left > 0) waitsFor({ for: `${left} session${left === 1 ? '' : 's'} that ${balancer.name} sent to it`, leftMs: until - performance.now() });
        return left;
      }, () => inARow >= 2, { timeoutMs: waitMs, signal: abortSignal() }));
      waitsFor(undefined);
      if (ours) await note('maint');
      await haproxy.setServerState(healthBackend, node, 'maint', limits());
      await save();
      return { changed: true, note: `${balancer.name} sends nobody to it; ${left === 0 ? 'no session was left' : `sessions left at the time limit: ${left}`}` };
    },
    async ensureActiveSite({ balancer, site }, authority) {
      const haproxy = open(balancer);
      const wanted = balancer.siteBackends[site];
      if (!wanted) throw new StError('InvalidInput', `${balancer.name}: site ${site} has no backend`);
      await claimBalancer(clients, balancer, authority);
      const now = (await haproxy.showMap(balancer.map, limits()))[balancer.mapKey];
      const file = (await readMapFile(clients.ssh, balancer.ssh, balancer.map, limits()))[balancer.mapKey];
      if (now === wanted && file === wanted) return { changed: false, note: `${balancer.name} sends to ${site} already` };
      await haproxy.setMap(balancer.map, balancer.mapKey, wanted, protocolBackends(await haproxy.showBackends(limits()), wanted), limits());
      await persistMap(clients.ssh, balancer.ssh, authority, { path: balancer.map, key: balancer.mapKey, value: wanted }, limits());
      return { changed: true, note: `${balancer.name} sends to ${site}` };
    },
  };
}

async function prove(clients: Clients, { target, role, protocols, probe }: Proof): Promise<void> {
  if (!(await roomLook(clients, target.admin, role, protocols))) throw new StError('NotYet', `${target.node} is not Online.`);
  if (role === 'edge') await awaitTransactionManager(clients, target, protocols);
  if (probe) await tryLogin(clients, target, probe);
}

const isOut = ({ admin }: ServerState): boolean => admin.forcedMaint || admin.forcedDrain;

/** Open sessions of clients at a node, over all backends of the cluster's sites. */
const sessionsAt = (rows: readonly Record<string, string>[], node: string, sites: readonly string[]): number =>
  rows.filter((row) => row['svname'] === node && sites.some((site) => row['pxname']?.startsWith(`${site}_`))).reduce((sum, row) => sum + Number(row['scur'] ?? 0), 0);

/** What of a balancer is one cluster's alone; whoever tells it something else redirects the clients of that cluster. */
export const ownThings = ({ map, mapKey, healthBackend }: BalancerTarget): string[] => [`the key ${mapKey} of the map ${map}`, `the backend ${healthBackend}`];

/** No site has this one: a cluster that nobody sends to yet. */
const nobody = 'none';

/** What says that this part of the balancer is another cluster's: our own note of who it is, or a site that this spec does not know. */
function foreignProblems(balancer: BalancerTarget, owners: ReadonlyMap<string, string>, values: readonly (string | undefined)[]): Problem[] {
  const others = [...owners].filter(([, owner]) => owner !== balancer.cluster);
  if (others.length > 0) {
    return others.map(([thing, owner]) => ({ what: `${balancer.name}: ${thing} belongs to cluster "${owner}"`, remedy: `name this cluster's own in its file; or, when "${owner}" is gone for good, remove ~/${ownerFile(thing)} there` }));
  }
  const known = [nobody, ...Object.values(balancer.siteBackends)];
  const strange = [...new Set(values)].filter((value) => value !== undefined && !known.includes(value));
  return strange.map((value) => ({
    what: `${balancer.name}: the key ${balancer.mapKey} of the map ${balancer.map} sends to ${value}, which is no site of this cluster`,
    remedy: `is it another cluster's key? Name this cluster's own in its file; or, when nobody needs what it sends to, set it to "${balancer.mapKey} ${nobody}" and reload`,
  }));
}

/** Refuses when a newer operation acts on this cluster's part of the balancer, or when that part is another cluster's. */
export async function claimBalancer({ ssh }: Clients, balancer: BalancerTarget, authority: Authority): Promise<void> {
  await claimThings(ssh, balancer.ssh, authority, ownThings(balancer), { timeoutMs: 30_000, signal: abortSignal(), purpose: `${balancer.name}: taking the balancer over` });
}

/** Our rule: the map names a site's prefix, and each protocol's backend carries its name behind it. */
const protocolBackends = (backends: readonly string[], site: string): string[] => backends.filter((name) => site !== '' && name.startsWith(`${site}_`));

/** A balancer without that backend is a problem of its own, told by name. */
function nothing(error: unknown): [] {
  if (error instanceof StError && error.code === 'Refused') return [];
  throw error;
}

/** So is one that has no such map. */
function unknown(error: unknown): undefined {
  if (error instanceof StError && error.code === 'Refused') return undefined;
  throw error;
}
