/**
 * Keeps the product from being started on a host that is no member: its start commands are gated, whoever calls them, and nothing of it runs behind the gate.
 * One script on the host does it (gateScripts.ts); this is its other end.
 */
import { script as shell } from '../clients/quote';
import { isSilence, StError } from '../model/errors';
import { gateState, type GateFacts, type GateLook } from '../model/gate';
import type { CheckResult, Outcome, Problem } from '../model/operation';
import type { Authority, HostTarget, ServerTarget } from '../model/targets';
import { abortSignal } from './context';
import type { Clients } from './clients';
import { drainAgain, withDrain, type Drained } from './draining';
import { gateLog, gateLookScript, gateScript, gateScriptName, gateText } from './gateScripts';
import { awaitNothingLeft, hiddenProcesses } from './processLook';
import { productOn, sha256 } from './product';

/** What runs of the product, as command lines; differs from look to look. Null where nobody can see it. */
export interface GateMeasure {
  node: string;
  processes: string[] | null;
}

export interface GateActivities {
  /** Open, closed or broken; `unknown` where the host does not answer within some seconds. An opening by hand is told as a warning, and refused is a host whose processes can't be seen. */
  checkGate(input: { host: HostTarget }): Promise<CheckResult<GateFacts, GateMeasure>>;
  /**
   * `stop_all`, until no process of the product is left: only that is a stop. `drained`: a Server that works again since is drained again first; it needs `drainLimitMs` more.
   * @throws CannotSeeProcesses after it, where that can't be seen
   */
  ensureStopped(input: { host: HostTarget } | { host: ServerTarget; drained: Drained }, authority: Authority): Promise<Outcome>;
  /** Closes the gate, stops what was started before it was shut, and looks again. True: the host is stopped and gated. Nothing to do where no product stands. */
  ensureGated(input: { host: HostTarget }, authority: Authority): Promise<Outcome<boolean>>;
  /** Every start command is back, byte for byte. */
  ensureOpened(input: { host: HostTarget }, authority: Authority): Promise<Outcome>;
}

const stopMs = 5 * 60_000;
/** A host that may be dead gets no more: never call the dead on the critical path. */
const lookMs = 15_000;

/** Two attempts that write the script at once may leave it with the mode of an unfinished one. $1 product user, $2 the script, then its arguments. */
const runScript = String.raw`
user=$1; shift
sudo -n -u "$user" /usr/bin/chmod 755 "$1" && sudo -n -u "$user" "$@"
`;

export interface GateFound extends GateLook {
  host: { cluster: string; epoch: number } | null;
  opened?: string;
  /** Units of the machine that start the product without its start commands: no gate holds them up. */
  units: string[];
  /** Null where they can't be seen. */
  processes: string[] | null;
}

/** The answer of `gateLookScript`. */
export function readGateLook(stdout: string): GateFound {
  const found: GateFound = { bin: true, files: {}, host: null, units: [], processes: null };
  for (const line of stdout.split('\n')) {
    const [key = '', value = ''] = line.split('\t');
    const [first = '', second = ''] = value.split(' ');
    if (key === 'bin') found.bin = false;
    else if (key === 'file') found.files[second] = first;
    else if (key === 'epoch') found.host = { cluster: first, epoch: Number(second) };
    else if (key === 'closed' || key === 'opened') found[key] = value;
    else if (key === 'unit') found.units.push(value);
    else if (key === 'processes') found.processes = [];
    else if (key === 'process') found.processes?.push(value);
  }
  return found;
}

export function gateActivities({ clients }: { clients: Clients }): GateActivities {
  const look = async (host: HostTarget, timeoutMs = 60_000): Promise<GateFound> => {
    const args = [host.productUser, host.fileDriveHome, gateLog(host.fileDriveHome)];
    return readGateLook((await clients.ssh.run(host.ssh, shell(gateLookScript, args), { timeoutMs, signal: abortSignal(), purpose: `${host.node}: looking at its gate` })).stdout);
  };
  const stateOf = (host: HostTarget, found: GateLook) => gateState(found, { gate: sha256(gateText(host.fileDriveHome)), script: sha256(gateScript), scriptName: gateScriptName });
  const runGate = async (host: HostTarget, found: GateLook, argv: string[], authority: Authority): Promise<string> => {
    const product = productOn(clients, host);
    const path = product.path('bin', gateScriptName);
    if (found.files[gateScriptName] !== sha256(gateScript)) await product.writeFiles(authority, [{ path, content: gateScript, mode: '755' }]);
    return (await product.actScript(authority, runScript, [host.productUser, path, ...argv], { purpose: `its gate: ${argv[0]}` })).stdout.trim();
  };
  const stop = async (host: HostTarget, authority: Authority): Promise<Outcome> => {
    const product = productOn(clients, host);
    await product.claim(authority);
    const before = (await look(host)).processes;
    if (before?.length === 0) return { changed: false, note: 'nothing of the product ran' };
    const stopAll = (): Promise<unknown> => product.act(authority, [product.path('bin', 'stop_all')], { purpose: 'stop_all', timeoutMs: stopMs });
    await stopAll();
    await awaitNothingLeft(clients, host, 'stop_all was run', stopAll);
    return { changed: true, note: `stopped; processes that ended: ${before?.length ?? 'unknown'}` };
  };

  return {
    async checkGate({ host }) {
      try {
        const found = await look(host, lookMs);
        const ours = found.host?.cluster === host.cluster;
        const facts = { node: host.node, ...stateOf(host, found), runs: found.processes && found.processes.length > 0, ours, epoch: ours && found.host && Number.isInteger(found.host.epoch) ? found.host.epoch : null };
        const warn = (what: string, remedy: string): Problem => ({ what: `${host.node}: ${what}`, remedy, level: 'warning' });
        const problems = [
          ...(found.processes === null ? [hiddenProcesses(host)] : []),
          // Opened by an operation of ours is no news: it added the node back.
          ...(facts.gate === 'open' && found.opened !== undefined && !found.opened.includes(' opened by st-orchestrator (') ? [warn(`its gate was opened at some time: ${found.opened}`, 'nothing, when that was meant')] : []),
          ...found.units.map((unit) => warn(`${unit} starts the product without its start commands: a gate does not hold it up`, 'let it run FILEDRIVEHOME/bin/start_all; or disable it for as long as the node is no member')),
        ];
        return { facts, problems, measured: { node: host.node, processes: found.processes } };
      } catch (error) {
        if (!isSilence(error)) throw error;
        return { facts: { node: host.node, gate: 'unknown', why: error.message, runs: null, ours: false, epoch: null }, problems: [], measured: { node: host.node, processes: null } };
      }
    },
    async ensureStopped(input, authority) {
      const again = 'drained' in input ? await drainAgain(clients, input.host, input.drained, authority) : undefined;
      return withDrain(again, await stop(input.host, authority));
    },
    async ensureGated({ host }, authority) {
      const found = await look(host);
      if (stateOf(host, found).gate === 'none') {
        await productOn(clients, host).claim(authority);
        return { changed: false, note: 'no product stands there: nothing to gate', value: true };
      }
      const sentence = `this host was removed from cluster ${authority.cluster} by ${authority.operation.replace(/\s+/g, ' ')} (${new Date().toISOString().slice(0, 19)}Z). "stctl add-node -c ${authority.cluster} ${host.node}" adds it back`;
      const closed = await runGate(host, found, ['close', authority.cluster, String(authority.epoch), sentence], authority);
      // Whatever was started while the gate was still open runs behind it, and monitord would keep it running.
      const { changed } = await stop(host, authority);
      const { gate, why } = stateOf(host, await look(host));
      if (gate !== 'closed') throw new StError('NotYet', `${host.node}: its gate is ${gate} after it was closed${why ? `: ${why}` : ''}`);
      const gated = closed !== '0';
      return { changed: gated || changed, note: `${gated ? `gated: ${closed} start commands refuse` : 'gated already'}${changed ? '; what ran behind it was stopped' : ''}`, value: true };
    },
    async ensureOpened({ host }, authority) {
      const found = await look(host);
      const { gate } = stateOf(host, found);
      if (gate === 'none' || gate === 'open') {
        await productOn(clients, host).claim(authority);
        return { changed: false, note: gate === 'none' ? 'no product stands there' : 'not gated' };
      }
      await runGate(host, found, ['open', 'st-orchestrator', `${authority.operation.replace(/\s+/g, ' ')}, epoch ${authority.epoch}`], authority);
      const after = stateOf(host, await look(host));
      if (after.gate !== 'open') throw new StError('NotYet', `${host.node}: its gate is ${after.gate} after it was opened${after.why ? `: ${after.why}` : ''}`);
      return { changed: true, note: 'every start command is back' };
    },
  };
}
