/** Adding nodes to a cluster that works: what is looked at before, and what only an addition does. The rest are the activities of a set-up. */
import type { AdminServer, Option } from '../clients/adminApi';
import { statusOf } from '../clients/adminErrors';
import { script } from '../clients/quote';
import { waitFor } from '../clients/waitFor';
import { isSilence, StError, unlessSilent } from '../model/errors';
import type { FileFacts, MachineFacts } from '../model/additionPlan';
import { daemonSettings, settingsText, settingsToRestore } from '../model/daemonSettings';
import { entriesOf } from '../model/nodeTable';
import type { CheckResult, Outcome } from '../model/operation';
import type { Protocol } from '../model/spec';
import type { Authority, HostTarget, ServerTarget } from '../model/targets';
import { checkFiles, ensureFiles } from './additionFiles';
import { machineScript, markScript, standsScript } from './additionScripts';
import { abortSignal } from './context';
import type { Clients } from './clients';
import { readLines } from './discoveryScripts';
import { drainServer } from './draining';
import { edgeActivities } from './edges';
import { gateActivities } from './gates';
import { installationActivities, type InstallInput } from './installation';
import { productOn } from './product';
import { serverActivities } from './servers';

export interface AdditionActivities {
  /** One look at a machine that may be down: who it is and what stands there. */
  checkMachine(input: { host: HostTarget }): Promise<CheckResult<MachineFacts>>;
  /** The shared options by which the daemons listen; null where they can't be asked. */
  checkSettings(input: { server: ServerTarget }): Promise<CheckResult<Record<string, string[]> | null>>;
  /** The same of a Server that an earlier step has started. */
  readSettings(input: { server: ServerTarget }, authority: Authority): Promise<Outcome<Record<string, string[]>>>;
  /** What is not in the database, beside a Server that serves: an installation that stands there and differs is refused, with both hashes. */
  checkFiles(input: { server: ServerTarget; peer: ServerTarget; installed: boolean }): Promise<CheckResult<FileFacts>>;
  /** As at a set-up, and marked as new: what it lacks is copied to it afterwards. */
  ensureInstalled(input: InstallInput, authority: Authority): Promise<Outcome>;
  /** Copies what is not in the database from a Server that serves. */
  ensureFiles(input: { server: ServerTarget; peer: ServerTarget }, authority: Authority): Promise<Outcome>;
  /** Adds an address to the table of nodes and at once puts back what that changed in the settings of the daemons. */
  ensureMember(input: { server: ServerTarget; address: string; settings: Record<string, string[]> }, authority: Authority): Promise<Outcome>;
  /** Puts the settings of the daemons back. `defaults`: of a new cluster, where nobody has changed what is not named. */
  ensureSettings(input: { server: ServerTarget; settings: Record<string, string[]>; defaults: boolean }, authority: Authority): Promise<Outcome>;
  /** The local options of a Server that comes back beside a peer's: told, and with `apply` taken over. */
  ensureDaemonsFresh(input: { server: ServerTarget; peer: ServerTarget; apply: boolean }, authority: Authority): Promise<Outcome>;
  /**
   * The way back: drained, out of the table of nodes, stopped, and gated again where it was. One that serves sessions, or works on something after `gracefulSeconds`, is left as
   * it is: Refused. One whose host and Administration Tool are silent is out of the table: NotYet, since what runs there is not known. Needs `drainLimitMs` and 8 minutes.
   */
  ensureWithdrawn(input: { server: ServerTarget; node: ServerTarget; gate: boolean; protocols: Protocol[]; gracefulSeconds: number }, authority: Authority): Promise<Outcome>;
  /** The same of an Edge: out of the network zones that the Servers dial, and stopped. */
  ensureEdgeWithdrawn(input: { server: ServerTarget; edge: ServerTarget; gate: boolean }, authority: Authority): Promise<Outcome>;
}

const lookMs = 15_000;
const edgeStopMs = 5 * 60_000;
/** Not compared: every Server's own, and the workload that was directed to it. */
const ownOptions = new Set(['node.ip', 'Cluster.DeploymentSite', 'EventQueue.taskProcessor.attributes']);
const secretOption = /passw|secret|passphrase|credential|private.?key/i;

export function additionActivities({ clients }: { clients: Clients }): AdditionActivities {
  const admin = (server: ServerTarget): AdminServer => clients.admin.server(server.admin);
  const limits = () => ({ signal: abortSignal(), timeoutMs: lookMs });
  const restore = async (server: ServerTarget, wanted: Record<string, string[]>, defaults: boolean): Promise<string | undefined> => {
    const now = await admin(server).options(limits());
    const changed = settingsToRestore(now, wanted, { defaults });
    if (Object.keys(changed).length === 0) return undefined;
    await admin(server).setOptions(changed, limits());
    await waitFor(`the settings ${Object.keys(changed).join(', ')} are back`, async () => settingsToRestore(await admin(server).options(limits()), wanted, { defaults }), (left) => Object.keys(left).length === 0, { timeoutMs: 30_000, signal: abortSignal() });
    return settingsText(now, changed);
  };
  /** Stops what runs on a host that is no member; nothing to stop where nothing was installed. */
  const stop = async (node: ServerTarget, gate: boolean, authority: Authority, stopAll: () => Promise<Outcome>): Promise<string> => {
    const { code } = await productOn(clients, node).readScript(standsScript, [node.productUser, node.fileDriveHome], { purpose: 'looking for an installation', ok: [0, 1] });
    if (code !== 0) return 'nothing was installed';
    if (gate) return (await gateActivities({ clients }).ensureGated({ host: node }, authority)).note;
    return `${(await stopAll()).note}; its installation stays in ${node.fileDriveHome}`;
  };
  /** Whether its Transaction Manager works for the cluster, or may: nobody says that it does not, it is in the table of nodes, and something of the product runs there. */
  const mayWork = async (server: ServerTarget, node: ServerTarget): Promise<boolean> => {
    const runs = await answerOf(admin(node).transactionManager(limits()).then(({ running }) => running), false);
    if (runs !== null) return runs;
    if (entriesOf(await admin(server).clusterNodes(limits()), node.address).length === 0) return false;
    const { facts } = await gateActivities({ clients }).checkGate({ host: node });
    return facts.runs !== false;
  };
  const drain = async (node: ServerTarget, how: { protocols: Protocol[]; gracefulSeconds: number }, authority: Authority): Promise<string> => {
    try {
      return (await drainServer(clients, node, { ...how, acceptActive: false }, authority)).note;
    } catch (error) {
      if (!(error instanceof StError) || error.code !== 'Refused') throw error;
      throw new StError('Refused', `${node.node} serves already: it stays in the cluster. Run addNode again, which completes it, or removeNode. ${error.message}`, { cause: error });
    }
  };

  return {
    async checkMachine({ host }) {
      try {
        const { stdout } = await clients.ssh.run(host.ssh, script(machineScript, [host.productUser, host.fileDriveHome]), { timeoutMs: lookMs, signal: abortSignal(), purpose: `${host.node}: looking at it` });
        const told = readLines(stdout);
        const value = (key: string): string | null => told.get(key) || null;
        const [, cluster, epoch] = /^(\S+) (\d+)$/.exec(told.get('claim') ?? '') ?? [];
        return { facts: { node: host.node, reachable: true, identity: value('identity'), taeh: value('taeh'), version: value('version'), instance: value('instance'), epoch: cluster === host.cluster ? Number(epoch) : null }, problems: [] };
      } catch (error) {
        if (!isSilence(error)) throw error;
        return { facts: { node: host.node, reachable: false, identity: null, taeh: null, version: null, instance: null, epoch: null }, problems: [] };
      }
    },
    async checkSettings({ server }) {
      const found = await admin(server).options(limits()).then(daemonSettings, (error: unknown) => {
        // A Server that is not installed, or not operational yet.
        if (isSilence(error) || isUnavailable(error)) return null;
        throw error;
      });
      return { facts: found, problems: [] };
    },
    async readSettings({ server }) {
      const value = daemonSettings(await admin(server).options(limits()));
      return { changed: false, note: `${Object.keys(value).length} settings`, value };
    },
    checkFiles: (input) => checkFiles(clients, input),
    async ensureInstalled(input, authority) {
      await productOn(clients, input.server).actScript(authority, markScript, [], { purpose: 'marking a new installation' });
      return installationActivities({ clients }).ensureInstalled(input, authority);
    },
    ensureFiles: (input, authority) => ensureFiles(clients, input, authority),
    async ensureMember({ server, address, settings }, authority) {
      const added = await serverActivities({ clients }).ensureMember({ server, address }, authority);
      // Also where it was added before: that try may have been cut off here.
      const restored = await restore(server, settings, false);
      return restored === undefined ? added : { changed: true, note: `${added.note}; that changed settings of the daemons, put back: ${restored}` };
    },
    async ensureSettings({ server, settings, defaults }, authority) {
      await productOn(clients, server).claim(authority);
      const restored = await restore(server, settings, defaults);
      return restored === undefined ? { changed: false, note: 'as before' } : { changed: true, note: `put back: ${restored}` };
    },
    async ensureDaemonsFresh({ server, peer, apply }, authority) {
      await productOn(clients, server).claim(authority);
      const local = async (one: ServerTarget): Promise<Map<string, Option>> =>
        new Map((await admin(one).options(limits())).filter(({ name, scope }) => scope === 'local' && !ownOptions.has(name) && !secretOption.test(name)).map((option) => [option.name, option]));
      const [here, there] = await Promise.all([local(server), local(peer)]);
      const differing = [...there.values()].filter(({ name, values }) => here.has(name) && JSON.stringify(here.get(name)!.values) !== JSON.stringify(values));
      if (differing.length === 0) return { changed: false, note: `its local configuration is that of ${peer.node}` };
      const said = differing.map(({ name, values }) => `${name} (${here.get(name)!.values.join(', ')} here, ${values.join(', ')} there)`).join('; ').slice(0, 1_000);
      if (!apply) return { changed: false, note: `its local configuration differs from that of ${peer.node}, left as it is: ${said}. "refreshDaemons" takes it over` };
      await admin(server).setOptions(Object.fromEntries(differing.map(({ name, values }) => [name, values])), limits());
      return { changed: true, note: `taken over from ${peer.node}: ${said}` };
    },
    async ensureWithdrawn({ server, node, gate, protocols, gracefulSeconds }, authority) {
      const lost = await productOn(clients, node).claim(authority).then(() => undefined, lostHost);
      const sessions = await answerOf(admin(node).sessions(limits()), []);
      if (sessions !== null && sessions.length > 0) throw new StError('Refused', `${node.node} serves already (${sessions.length} sessions): it stays in the cluster. Run addNode again, which completes it, or removeNode, which drains it first.`);
      // It has not died: it is taken out when it can be drained.
      if (lost !== undefined && sessions !== null) throw lost;
      const drained = lost === undefined && (await mayWork(server, node)) ? `${await drain(node, { protocols, gracefulSeconds }, authority)}; ` : '';
      const { note } = await serverActivities({ clients }).ensureNotMember({ server, address: node.address }, authority);
      if (lost !== undefined) throw new StError('NotYet', `${node.node} is out of the table of nodes (${note}); whether anything runs on ${node.node} is not known: ${lost.message}`, { cause: lost });
      const stopped = await stop(node, gate, authority, () => serverActivities({ clients }).ensureAllStopped({ server: node }, authority));
      return { changed: true, note: `${drained}${note}; ${stopped}` };
    },
    async ensureEdgeWithdrawn({ server, edge, gate }, authority) {
      await productOn(clients, edge).claim(authority);
      const { note } = await edgeActivities({ clients }).ensureOutOfZones({ server, edge: { node: edge.node, address: edge.address } }, authority);
      const product = productOn(clients, edge);
      const stopped = await stop(edge, gate, authority, async () => {
        await product.act(authority, [product.path('bin', 'stop_all')], { purpose: 'stop_all', timeoutMs: edgeStopMs });
        return { changed: true, note: 'stopped' };
      });
      return { changed: true, note: `${note}; ${stopped}` };
    },
  };
}

/** A later Server's Administration Tool answers so until its node was added and it was restarted. */
const isUnavailable = (error: unknown): boolean => statusOf(error) === 503;

/** What it answers; `idle` from one that is not operational, null where it is silent. */
const answerOf = <T>(asked: Promise<T>, idle: T): Promise<T | null> => unlessSilent(asked.catch((error: unknown) => {
  if (isUnavailable(error)) return idle;
  throw error;
}), null);

/** The error of a host that can't be reached. Any other is thrown: of one that is busy, or slow, somebody may still tell what runs. */
function lostHost(error: unknown): StError {
  if (error instanceof StError && ['Unreachable', 'ConnectionLost'].includes(error.code)) return error;
  throw error;
}
