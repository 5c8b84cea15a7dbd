/** What each Server is sent, and how much of it there is: options, balancer weights, the PGP expression of Streaming.xml, measurements. */
import { guardedCommand } from '../clients/guard';
import { haproxyOverSsh, type Haproxy } from '../clients/haproxy';
import { readStateFile, saveServersState } from '../clients/haproxyState';
import { script } from '../clients/quote';
import { waitFor } from '../clients/waitFor';
import { isSilence, StError } from '../model/errors';
import { parseMounts, pgpMountProblems } from '../model/mountOptions';
import type { CheckResult, Outcome } from '../model/operation';
import { sameValues } from '../model/optionsPlan';
import type { Protocol } from '../model/spec';
import type { Room } from '../model/stopPlan';
import { pgpExpression, withPgpExpression } from '../model/streamingXml';
import type { Authority, BalancerTarget, ServerTarget } from '../model/targets';
import type { WeightFacts } from '../model/weightsPlan';
import { restarting, workedBy, type WorkloadFacts } from '../model/workload';
import { workloadOptions } from '../model/workloadAttributes';
import type { LoadPart } from '../model/workloadLoad';
import { abortSignal } from './context';
import type { Clients } from './clients';
import { drainServer, localId } from './draining';
import { claimBalancer } from './loadBalancer';
import { productOn } from './product';
import { serverActivities } from './servers';
import { measureNode, measureQueue } from './workloadMeasure';

export interface WorkloadActivities {
  /** The options as this Server sees them, its Streaming.xml, and what an interrupted operation noted on its host. A Server that does not answer is no failure: what it says is null. */
  checkWorkload(input: { server: ServerTarget }): Promise<CheckResult<WorkloadFacts>>;
  /** Whether the shared files are mounted as PGP needs it (reference §9). */
  checkMount(input: { server: ServerTarget; path: string }): Promise<CheckResult<{ node: string }>>;
  /** The weights of these nodes in every backend of the site. */
  checkWeights(input: { balancer: BalancerTarget; nodes: string[] }): Promise<CheckResult<WeightFacts>>;
  /** The load over a window: of one Server, or with `what: 'queue'` of the whole event queue, asked of that Server. For a suggestion, whose facts they are. */
  checkLoad(input: LoadRequest): Promise<CheckResult<LoadPart>>;
  /** The same beside steps. */
  measureLoad(input: LoadRequest): Promise<Outcome<LoadPart>>;
  /** Writes down on the host what the Transaction Manager works by, before that may differ from what its options say; null forgets it. */
  ensureNoted(input: { server: ServerTarget; worksBy: string | null }, authority: Authority): Promise<Outcome>;
  /** Options of one scope: the cluster's through any Server, a Server's own on itself. @throws StError Refused where the product says that an option has the other scope. */
  ensureOptions(input: { server: ServerTarget; scope: 'shared' | 'local'; options: Record<string, string[]> }, authority: Authority): Promise<Outcome>;
  /** Takes the PGP expression in, or comments it out; the rest of the file stays byte for byte. @throws StError Refused when it does not look as expected. */
  ensureStreaming(input: { server: ServerTarget; expression: 'in' | 'out' }, authority: Authority): Promise<Outcome>;
  /** The weight of one node in each of these backends, in memory and in the file of server states. */
  ensureWeights(input: { balancer: BalancerTarget; node: string; weights: Record<string, number> }, authority: Authority): Promise<Outcome>;
  /** For undoing: restarts the Server gracefully when its Transaction Manager works by other options than there are now, and forgets the note. */
  ensureWorksByOptions(input: { server: ServerTarget; protocols: Protocol[]; gracefulSeconds: number; acceptActive: boolean; room?: Room }, authority: Authority): Promise<Outcome>;
}

export interface LoadRequest {
  what: 'node' | 'queue';
  server: ServerTarget;
  windowMs: number;
  id?: string | null;
}

const streamingFile = 'brules/local/wptdocuments/Streaming.xml';
const optionNames = Object.values(workloadOptions);

/**
 * Beside `restarting` the note keeps what the Transaction Manager worked by before, and by a checksum which boot and which stop of it were the last then. Its stop is remembered
 * before it is asked for (`stopMarkers`): while the checksum is the same nobody has asked, and a Transaction Manager that runs is the one from before.
 */
const common = String.raw`
file="$HOME/.st-orchestrator/workload"
last_stop() { { cat /proc/sys/kernel/random/boot_id; sed 's/.*) //' /proc/1/stat | cut -d' ' -f20; cat "$HOME/.st-orchestrator/stops/tm"; } 2>/dev/null | cksum; }
said= stop= before=
if [ -e "$file" ]; then { IFS= read -r said; IFS= read -r stop; IFS= read -r before; } <"$file"; fi
`;
/** $1: empty, or what is written. */
const noteScript = String.raw`${common}
[ -n "$1" ] || { rm -f "$file"; exit; }
{ printf '%s\n' "$1"; if [ "$1" = ${restarting} ]; then printf '%s\n%s\n' "$(last_stop)" "$said"; fi; } >"$file.new" && sync "$file.new" && mv -f "$file.new" "$file"
`;
/** Says what is written, and what was before while the Transaction Manager has not been asked to stop since. */
const readNoteScript = String.raw`${common}
[ -n "$said" ] || exit 0
printf '%s\n' "$said"
[ "$stop" != "$(last_stop)" ] || printf '%s\n' "$before"
`;
const mountsScript = 'if [ -r /etc/mtab ]; then cat /etc/mtab; else cat /proc/mounts; fi';

export function workloadActivities({ clients }: { clients: Clients }): WorkloadActivities {
  const limits = () => ({ timeoutMs: 10_000, signal: abortSignal() });
  const servers = serverActivities({ clients });
  const open = (balancer: BalancerTarget): Haproxy => haproxyOverSsh(clients.ssh, balancer.ssh, balancer.socket);
  const optionsOf = async (server: ServerTarget, names: readonly string[]) => (await clients.admin.server(server.admin).options(limits())).filter(({ name }) => names.includes(name));
  const readNote = async (server: ServerTarget): Promise<{ said: string | null; before: string | null }> => {
    const { stdout } = await clients.ssh.run(server.ssh, script(readNoteScript), { ...limits(), purpose: `${server.node}: reading what its Transaction Manager works by` });
    const [said, before] = stdout.trim().split('\n');
    return { said: said || null, before: before || null };
  };
  const streamingOf = async (server: ServerTarget): Promise<string | undefined> => (await productOn(clients, server).readBytes(productOn(clients, server).path(streamingFile)))?.toString('latin1');
  const note = async (server: ServerTarget, worksBy: string | null, authority: Authority): Promise<void> => void (await clients.ssh.run(server.ssh, guardedCommand(authority, script(noteScript, [worksBy ?? ''])), { ...limits(), timeoutMs: 60_000, purpose: `${server.node}: noting what its Transaction Manager works by` }));

  const look = async (server: ServerTarget): Promise<WorkloadFacts> => {
    const admin = clients.admin.server(server.admin);
    // Both or none: a Transaction Manager of which nothing is known must not be taken for one that stands still.
    const [[found, tm] = [], id, streaming, noted] = await Promise.all([
      answer(() => Promise.all([optionsOf(server, optionNames), admin.transactionManager(limits())])),
      answer(() => localId(clients, server)), answer(() => streamingOf(server)), answer(() => readNote(server)),
    ]);
    const valuesOf = (name: string): string[] | null => found?.find((option) => option.name === name)?.values ?? null;
    return {
      node: server.node, answers: found !== undefined, tm: tm?.running ?? false, id: id || null, policy: valuesOf(workloadOptions.policy), additional: valuesOf(workloadOptions.additional),
      attributes: valuesOf(workloadOptions.attributes), streaming: streaming === undefined ? null : pgpExpression(streaming),
      worksBy: (tm?.running ? noted?.before : null) ?? noted?.said ?? null,
    };
  };

  /** Of each node its weight in the backends of the site's protocols; those of the health checks have none that matter. */
  const weightsOf = async (balancer: BalancerTarget, nodes: readonly string[]): Promise<WeightFacts['weights']> => {
    const site = balancer.siteBackends[balancer.site] ?? '';
    const states = (await open(balancer).showServersState(undefined, limits())).filter(({ backend }) => site !== '' && backend.startsWith(`${site}_`));
    return Object.fromEntries(nodes.map((node) => [node, Object.fromEntries(states.filter(({ server }) => server === node).map(({ backend, weight }) => [backend, weight]))]));
  };
  const savedWeights = async (balancer: BalancerTarget, weights: WeightFacts['weights']): Promise<string[] | null> => {
    if (balancer.stateFile === undefined) return null;
    const file = await readStateFile(clients.ssh, balancer.ssh, balancer.stateFile, limits());
    const same = (node: string): boolean => Object.entries(weights[node]!).every(([backend, weight]) => file.find((state) => state.backend === backend && state.server === node)?.weight === weight);
    return Object.keys(weights).filter(same);
  };
  const measure = ({ what, server, windowMs, id = null }: LoadRequest): Promise<LoadPart> => (what === 'queue' ? measureQueue(clients, server, windowMs) : measureNode(clients, server, { windowMs, id }));

  return {
    checkWorkload: async ({ server }) => ({ facts: await look(server), problems: [] }),
    async checkMount({ server, path }) {
      const { stdout } = await clients.ssh.run(server.ssh, script(mountsScript), { ...limits(), purpose: `${server.node}: reading its mounts` });
      return { facts: { node: server.node }, problems: pgpMountProblems(server.node, path, parseMounts(stdout)) };
    },
    async checkWeights({ balancer, nodes }) {
      const weights = await weightsOf(balancer, nodes);
      return { facts: { name: balancer.name, weights, saved: await savedWeights(balancer, weights) }, problems: [] };
    },
    checkLoad: async (request) => ({ facts: await measure(request), problems: [] }),
    async measureLoad(request) {
      const part = await measure(request);
      return { changed: false, note: part.why ?? `measured for ${request.windowMs} ms`, value: part };
    },
    async ensureNoted({ server, worksBy }, authority) {
      if ((await readNote(server)).said === worksBy) return { changed: false, note: worksBy === null ? 'nothing is noted' : 'noted already' };
      await note(server, worksBy, authority);
      return { changed: true, note: worksBy === null ? 'the note is gone' : 'noted on the host' };
    },
    async ensureOptions({ server, scope, options }, authority) {
      await productOn(clients, server).claim(authority);
      const names = Object.keys(options);
      // An option without a value is cleared by an empty one; no value at all is refused.
      const wanted = Object.fromEntries(names.map((name) => [name, orCleared(options[name]!)]));
      const differing = async (): Promise<string[]> => {
        const found = await optionsOf(server, names);
        const other = found.find((option) => typeof option['scope'] === 'string' && option['scope'] !== scope);
        if (other) throw new StError('Refused', `${server.node}: the option ${other.name} is ${String(other['scope'])} here, not ${scope}: nothing was set. Is this the version that the cluster file names?`);
        return names.filter((name) => !sameValues(orCleared(found.find((option) => option.name === name)?.values ?? []), wanted[name]!));
      };
      const wrong = await differing();
      if (wrong.length === 0) return { changed: false, note: 'set already' };
      await clients.admin.server(server.admin).setOptions(Object.fromEntries(wrong.map((name) => [name, wanted[name]!])), { signal: abortSignal() });
      await waitFor(`${server.node}: the options ${wrong.join(', ')} have their values`, differing, (left) => left.length === 0, { timeoutMs: 30_000, signal: abortSignal() });
      return { changed: true, note: wrong.map((name) => `${name}: ${options[name]!.join(',') || '(empty)'}`).join('; ') };
    },
    async ensureStreaming({ server, expression }, authority) {
      const product = productOn(clients, server);
      const path = product.path(streamingFile);
      const before = await streamingOf(server);
      const next = before === undefined ? undefined : withPgpExpression(before, expression);
      if (before === undefined || next === undefined) throw new StError('Refused', `${server.node}: ${path} ${before === undefined ? 'is not there' : 'does not look as expected: there is not exactly one PGP expression in it'}; nothing was changed. Edit it by hand as the guide says.`);
      if (next === before) return { changed: false, note: `the PGP expression is ${expression} already` };
      const { stdout } = await product.read(['/usr/bin/ls', '-la', path], { purpose: `reading the mode of ${path}` });
      await product.writeFiles(authority, [{ path, content: Buffer.from(next, 'latin1'), mode: modeIn(stdout) }]);
      return { changed: true, note: expression === 'in' ? 'the PGP expression counts now' : 'the PGP expression is commented out' };
    },
    async ensureWeights({ balancer, node, weights }, authority) {
      await claimBalancer(clients, balancer, authority);
      const haproxy = open(balancer);
      const found = (await weightsOf(balancer, [node]))[node]!;
      const wrong = Object.entries(weights).filter(([backend, weight]) => found[backend] !== weight);
      const saved = (await savedWeights(balancer, { [node]: weights }))?.length !== 0;
      if (wrong.length === 0 && saved) return { changed: false, note: 'weighs so already' };
      for (const [backend, weight] of wrong) await haproxy.setServerWeight(backend, node, weight, limits());
      if (balancer.stateFile !== undefined) await saveServersState(clients.ssh, balancer.ssh, authority, { haproxy, path: balancer.stateFile }, limits());
      return { changed: true, note: `${Object.entries(weights).map(([backend, weight]) => `${weight} in ${backend}`).join(', ')}${balancer.stateFile === undefined ? '; a reload of the balancer forgets it' : ''}` };
    },
    async ensureWorksByOptions({ server, protocols, gracefulSeconds, acceptActive, room }, authority) {
      const facts = await look(server);
      if (facts.worksBy === null) return { changed: false, note: 'nothing is noted' };
      if (!facts.answers || facts.policy === null || facts.additional === null || facts.attributes === null) throw new StError('Unreachable', `${server.node}: its options could not be read, so whether its Transaction Manager works by others is not known`);
      const now = workedBy({ ...facts, policy: facts.policy, additional: facts.additional, attributes: facts.attributes });
      const restarts = facts.worksBy !== now && facts.tm;
      if (restarts) await drainServer(clients, server, { gracefulSeconds, acceptActive, ...(room ? { room } : {}), protocols }, authority).catch((error: unknown) => {
        throw error instanceof StError ? new StError(error.code, `${error.message} It has not been restarted: its Transaction Manager, where it still runs, works by other options than are set.`, { cause: error }) : error;
      });
      await note(server, now, authority);
      // It ran before; an attempt that was cut off may have left it stopped.
      await servers.ensureOnline({ server, protocols }, authority);
      await note(server, null, authority);
      return { changed: true, note: restarts ? 'restarted: its Transaction Manager works by its options again' : 'its Transaction Manager works by its options' };
    },
  };
}

const orCleared = (values: readonly string[]): string[] => (values.length === 0 ? [''] : [...values]);

/** `-rw-r-----` → `640`. */
function modeIn(listing: string): string {
  const letters = /^-([rwxsStT-]{9})/m.exec(listing)?.[1] ?? 'rw-r-----';
  return [0, 3, 6].map((at) => letters.slice(at, at + 3).split('').reduce((sum, letter, bit) => sum + (letter === '-' ? 0 : 4 >> bit), 0)).join('');
}

/** Undefined where nothing answers: unknown is a third answer. A login that is refused is an error. */
async function answer<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (isSilence(error) || (error instanceof StError && error.code === 'RemoteCommandFailed')) return undefined;
    throw error;
  }
}
