/** One Server's services and its place in the cluster: by the product's commands on the host and by its Administration Tool. */
import type { AdminServer } from '../clients/adminApi';
import { statusOf } from '../clients/adminErrors';
import { waitFor } from '../clients/waitFor';
import { StError } from '../model/errors';
import type { ServerFacts } from '../model/facts';
import { entriesOf, type NodeEntry } from '../model/nodeTable';
import type { CheckResult, Outcome } from '../model/operation';
import { sameValues } from '../model/optionsPlan';
import type { Protocol } from '../model/spec';
import type { Authority, HostTarget, ServerTarget } from '../model/targets';
import { abortSignal } from './context';
import type { Clients } from './clients';
import { drainAgain, runningOrUnknown, setClusterServices, withDrain, type Drained } from './draining';
import { requireVersion } from './installedVersion';
import { awaitNothingLeft, processesFunction } from './processLook';
import { productOn } from './product';
import { answering, awaitAnswers, lookTwice, missingOf, online, startMs, startUntilOnline, type Look } from './serverLook';
import { awaitStops, markLanded } from './stopMarkers';

export interface ServerActivities {
  /** `options`: names of the shared options whose values are wanted. */
  checkServer(input: { server: ServerTarget; protocols: Protocol[]; options: string[] }): Promise<CheckResult<ServerFacts>>;
  /** Stops the Administration Tool, and `monitord` first, since it would start it again. */
  ensureAdminStopped(input: { server: HostTarget }, authority: Authority): Promise<Outcome>;
  /** Stops everything but the Administration Tool, at once: only for a cluster that does not work yet. */
  ensureServicesStopped(input: { server: HostTarget }, authority: Authority): Promise<Outcome>;
  /**
   * Stops everything of a Server or an Edge at once, the monitor first: the first half of a restart. What runs is drained before. Ends when no process of the product is left.
   * `drained`: a Server that works again since is drained again first (it needs `drainLimitMs` more), and its stop is remembered, so that what it left behind is found.
   * @throws NotYet naming what is left; CannotSeeProcesses, after the stop, where that can't be seen
   */
  ensureAllStopped(input: { server: HostTarget } | { server: ServerTarget; drained: Drained }, authority: Authority): Promise<Outcome>;
  ensureAdminStarted(input: { server: ServerTarget }, authority: Authority): Promise<Outcome>;
  /** Adds an address to the cluster's table of nodes, asked of a Server that is in it. */
  ensureMember(input: { server: ServerTarget; address: string }, authority: Authority): Promise<Outcome>;
  /** Takes every entry of an address out of the cluster's table of nodes, asked of another Server. */
  ensureNotMember(input: { server: ServerTarget; address: string }, authority: Authority): Promise<Outcome>;
  /** Waits until an address that its installation registered is in the table of nodes once; it is never added here, since its services run. */
  ensureRegistered(input: { server: ServerTarget; address: string }, authority: Authority): Promise<Outcome>;
  /** Shared options, all or none. Only for a cluster that does not serve yet: some need a restart of every Server. */
  ensureOptions(input: { server: ServerTarget; options: Record<string, string[]> }, authority: Authority): Promise<Outcome>;
  /**
   * Starts what does not run and waits until the node is Online: reachable, Administration Tool and Transaction Manager running, daemons too, and cluster services that a
   * drain had stopped. Graceful stops that may still land on what is started are waited for first. `version`: started only when this one is installed.
   */
  ensureOnline(input: { server: ServerTarget; protocols: Protocol[]; version?: string }, authority: Authority): Promise<Outcome>;
  ensureNodeThreshold(input: { server: ServerTarget; numberOfNodes: number; sendNotification: boolean }, authority: Authority): Promise<Outcome>;
}

/** In the product's order (reference §8.5): the monitor first, the Transaction Manager last. */
const stopOrder = ['ftpd', 'httpd', 'as2d', 'sshd', 'pesitd', 'tm'];

/**
 * A disabled service's command has another name, so the list of commands tells which services there are. Ends with how many processes of the product
 * there were before and are there after, `?` where they can't be seen: what stop commands say is for people.
 */
const stopScript = String.raw`${processesFunction}
user=$1; home=$2; shift 2
processes() { if running=$(product_processes "$user" "$home"); then printf '%s\n' "$running" | grep -c .; else echo '?'; fi; }
before=$(processes)
listed=$(sudo -n -u "$user" /usr/bin/ls -la "$home/bin") || exit
listed=$(printf '%s\n' "$listed" | sed 's/ -> .*//')
for service in "$@"; do
  case "$listed
" in *" stop_$service
"*) sudo -n -u "$user" "$home/bin/stop_$service" || exit ;; esac
done
printf '\n%s %s\n' "$before" "$(processes)"
`;

export function serverActivities({ clients }: { clients: Clients }): ServerActivities {
  const admin = (server: ServerTarget): AdminServer => clients.admin.server(server.admin);
  const stop = async (server: HostTarget, services: string[], authority: Authority): Promise<Outcome> => {
    const { stdout } = await productOn(clients, server).actScript(authority, stopScript, [server.productUser, server.fileDriveHome, ...services], { purpose: `stopping ${services.join(', ')}`, timeoutMs: startMs });
    const [before = NaN, after = NaN] = stdout.trim().split('\n').at(-1)?.split(' ').map(Number) ?? [];
    if (Number.isNaN(before + after)) return { changed: true, note: 'the stop commands were run; what of it ran can\'t be told, since processes can\'t be seen there' };
    return before > after ? { changed: true, note: `stopped; processes that ended: ${before - after}` } : { changed: false, note: before > 0 ? 'nothing of it ran' : 'nothing of the product ran' };
  };
  const start = (server: HostTarget, command: string, authority: Authority): Promise<unknown> => {
    const product = productOn(clients, server);
    return product.act(authority, [product.path('bin', command)], { purpose: command });
  };

  return {
    async checkServer({ server, protocols, options }) {
      const { status: _, ...seen } = await lookTwice(admin(server), protocols, server.address);
      const threshold = seen.admin === 'running' ? await admin(server).nodeThreshold({ signal: abortSignal() }).then(({ numberOfNodes }) => numberOfNodes, noneYet) : null;
      const found = seen.admin === 'running' ? await readOptions(admin(server), options) : null;
      return { facts: { node: server.node, ...seen, threshold, options: found }, problems: [] };
    },
    ensureAdminStopped: ({ server }, authority) => stop(server, ['monitord', 'admin'], authority),
    ensureServicesStopped: ({ server }, authority) => stop(server, ['monitord', ...stopOrder], authority),
    async ensureAllStopped(input, authority) {
      const { server } = input;
      const again = 'drained' in input ? await drainAgain(clients, input.server, input.drained, authority) : undefined;
      const stopAll = (): Promise<Outcome> => stop(server, ['monitord', ...stopOrder, 'proxy', 'admin', 'db'], authority);
      const outcome = await stopAll();
      const waited = await awaitNothingLeft(clients, server, 'the stop commands were run', stopAll);
      if ('drained' in input) await markLanded(clients, server, authority, ['tm']);
      return withDrain(again, waited ? { changed: true, note: 'stopped; nothing of the product is left' } : outcome);
    },
    async ensureAdminStarted({ server }, authority) {
      await productOn(clients, server).claim(authority);
      if (await answering(admin(server))) return { changed: false, note: 'the Administration Tool runs already' };
      const began = Date.now();
      await start(server, 'start_admin', authority);
      await awaitAnswers(admin(server), server.node);
      return { changed: true, note: `answers after ${seconds(began)}` };
    },
    async ensureMember({ server, address }, authority) {
      await productOn(clients, server).claim(authority);
      const before = (await entries(admin(server), address)).length;
      if (before === 1) return { changed: false, note: 'in the table of nodes already' };
      if (before === 0) await admin(server).addClusterNode(address, { signal: abortSignal() });
      await oneEntry(admin(server), address);
      return { changed: true, note: before === 0 ? `added ${address}` : `removed ${before - 1} double entries` };
    },
    async ensureNotMember({ server, address }, authority) {
      await productOn(clients, server).claim(authority);
      const before = (await entries(admin(server), address)).length;
      if (before === 0) return { changed: false, note: 'not in the table of nodes' };
      await waitFor(`${address} is gone from the table of nodes`, async () => {
        const [found] = await entries(admin(server), address);
        // Gone meanwhile is what was asked for.
        if (found) await admin(server).removeClusterNode(found.serverAddress, { signal: abortSignal() }).catch((error: unknown) => { if (statusOf(error) !== 404) throw error; });
        return found === undefined;
      }, (gone) => gone, { timeoutMs: 30_000, signal: abortSignal() });
      return { changed: true, note: before === 1 ? `removed ${address}` : `removed ${before} entries of ${address}` };
    },
    async ensureRegistered({ server, address }, authority) {
      await productOn(clients, server).claim(authority);
      await oneEntry(admin(server), address);
      return { changed: false, note: `${address} registered itself` };
    },
    async ensureOptions({ server, options }, authority) {
      await productOn(clients, server).claim(authority);
      const differing = async (): Promise<string[]> => {
        const found = await readOptions(admin(server), Object.keys(options));
        return Object.keys(options).filter((name) => !sameValues(found[name], options[name]!));
      };
      const wrong = await differing();
      if (wrong.length === 0) return { changed: false, note: 'set already' };
      await admin(server).setOptions(Object.fromEntries(wrong.map((name) => [name, options[name]!])), { signal: abortSignal() });
      await waitFor(`the options ${wrong.join(', ')} have their values`, differing, (left) => left.length === 0, { timeoutMs: 30_000, signal: abortSignal() });
      return { changed: true, note: `set ${wrong.join(', ')}` };
    },
    async ensureOnline({ server, protocols, version }, authority) {
      const waited = await awaitStops(clients, server, authority, runningOrUnknown(clients, server));
      const read = (): Promise<Look> => lookTwice(admin(server), protocols, server.address);
      const before = await read();
      if (!online(before) && version !== undefined) await requireVersion(clients, server, version);
      const began = Date.now();
      if (!online(before)) await startUntilOnline({ what: `${server.node} is Online`, admin: admin(server), order: () => start(server, 'start_all', authority), missing: async () => missingOf(await read()) });
      // A Transaction Manager that was not started anew has not started them either.
      const resumed = before.tm ? await setClusterServices(admin(server), 'start') : [];
      const notes = [...(waited ? [waited] : []), online(before) ? 'Online already' : `Online after ${seconds(began)}`, ...(resumed.length > 0 ? [`started ${resumed.join(' and ')}`] : [])];
      return { changed: !online(before) || resumed.length > 0, note: notes.join('; ') };
    },
    async ensureNodeThreshold({ server, numberOfNodes, sendNotification }, authority) {
      await productOn(clients, server).claim(authority);
      const found = await admin(server).nodeThreshold({ signal: abortSignal() });
      if (found.numberOfNodes === numberOfNodes && found.sendNotification === sendNotification) return { changed: false, note: `the product notifies below ${numberOfNodes} already` };
      await admin(server).setNodeThreshold({ ...found, numberOfNodes, sendNotification }, { signal: abortSignal() });
      return { changed: true, note: `the product notifies below ${numberOfNodes} Online Servers` };
    },
  };
}

const entries = async (admin: AdminServer, address: string): Promise<NodeEntry[]> => entriesOf(await admin.clusterNodes({ signal: abortSignal() }), address);

/** The product takes the same address twice, and the second entry is invalid: the newer one goes. */
async function oneEntry(admin: AdminServer, address: string): Promise<void> {
  await waitFor(`${address} is in the table of nodes once`, async () => {
    const found = await entries(admin, address);
    if (found.length > 1) await admin.removeClusterNode(found.at(-1)!.serverAddress, { signal: abortSignal() });
    return found.length;
  }, (count) => count === 1, { timeoutMs: 30_000, signal: abortSignal() });
}

/** The values of these options; one that the product does not know is left out. */
async function readOptions(admin: AdminServer, names: readonly string[]): Promise<Record<string, string[]>> {
  if (names.length === 0) return {};
  const all = await admin.options({ signal: abortSignal() });
  return Object.fromEntries(all.filter(({ name }) => names.includes(name)).map(({ name, values }) => [name, values]));
}

/** A Server that is in no cluster yet has no threshold. */
function noneYet(error: unknown): null {
  if (error instanceof StError && error.code === 'Refused') return null;
  throw error;
}

const seconds = (began: number): string => `${((Date.now() - began) / 1000).toFixed(1)} s`;
