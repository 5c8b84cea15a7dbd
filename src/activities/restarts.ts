/** What restarts and updates look at on a node, and the operator's own program that updates one. */
import { awaitJob, findJob, forgetJob, startJob, tellOfJob, type JobEnd } from '../clients/remoteJobs';
import { guardedCommand } from '../clients/guard';
import { script } from '../clients/quote';
import { StError, unlessSilent } from '../model/errors';
import { addressesIn } from '../model/nodeTable';
import type { CheckResult, Outcome } from '../model/operation';
import { isAt, nameOf, type RestartFacts } from '../model/restartPlan';
import type { Protocol } from '../model/spec';
import { serves } from '../model/stopPlan';
import type { Authority, HostTarget, ServerTarget } from '../model/targets';
import { abortSignal, askedBy } from './context';
import type { Clients } from './clients';
import { lookAtInstalled, requireVersion, type Installed } from './installedVersion';
import { hiddenProcesses, seen } from './processLook';
import { doorLook, roomLook } from './room';

export interface RestartActivities {
  /** `protocols`: of an Edge, on which a Transaction Manager must be connected to it. `startedBefore`: ISO-8601 UTC; a node all of whose services were started later is fresh. */
  checkNode(input: { node: ServerTarget; role: 'server' | 'edge'; protocols?: Protocol[]; startedBefore?: string }): Promise<CheckResult<RestartFacts>>;
  /**
   * Runs the operator's program on the host, as the login user, with nothing of the product running: as a job, so it outlives this worker, and its output is kept in
   * `~/.st-orchestrator/updates/`. It runs once for each time that somebody asks: an attempt whose worker died between the program's end and its report has one after it that
   * reads the outcome. The program hears of ST_VERSION, ST_NODE, ST_ROLE, FILEDRIVEHOME and ST_USER. Exit code 0: updated. `timeoutMs`: how long its end is waited for.
   * @throws NotYet when it still runs then; Refused when it failed or something runs: whether it may be run again is for a person to say; CannotSeeProcesses.
   */
  ensureUpdated(input: { host: HostTarget; role: 'server' | 'edge'; version: string; command: string[]; timeoutMs: number }, authority: Authority, said?: { byHand?: boolean }): Promise<Outcome>;
  /** @throws Refused when another version is installed. */
  ensureVersion(input: { host: HostTarget; version: string }, authority: Authority): Promise<Outcome>;
}

export function restartActivities({ clients }: { clients: Clients }): RestartActivities {
  const look = (host: HostTarget): Promise<Installed> => lookAtInstalled(clients, host);
  const membersAt = (node: ServerTarget): Promise<string[] | undefined> =>
    unlessSilent(clients.admin.server(node.admin).clusterNodes({ timeoutMs: 4_000, signal: abortSignal() }).then((nodes) => addressesIn(nodes.map(({ serverAddress }) => serverAddress)).sort()), undefined);
  return {
    async checkNode({ node, role, protocols, startedBefore }) {
      const [{ version, build, processes, started }, online, door, members] = await Promise.all([
        look(node), roomLook(clients, node.admin, role), role === 'edge' && protocols ? doorLook(clients, node, protocols) : null, role === 'server' ? membersAt(node) : undefined,
      ]);
      const fresh = startedBefore !== undefined && started !== undefined && started * 1_000 >= Date.parse(startedBefore);
      return { facts: { node: node.node, role, version, build, online: online === true, ...(online && door && !serves(door) ? { unserved: true as const } : {}), answers: online !== null, runs: processes === null ? null : processes > 0, fresh, ...(role === 'server' ? { address: node.address } : {}), ...(members ? { members } : {}) }, problems: processes === null ? [hiddenProcesses(node)] : [] };
    },
    async ensureUpdated({ host, role, version, command, timeoutMs }, authority, { byHand = false } = {}) {
      if (byHand) return { changed: false, note: `${await requireVersion(clients, host, version)} is installed` };
      const key = `update-${version}`;
      const limits = { timeoutMs: 60_000, signal: abortSignal() };
      const deadline = Date.now() + timeoutMs;
      const end = (): Promise<JobEnd> => awaitJob(clients.ssh, host.ssh, key, { ...limits, timeoutMs: Math.max(1, deadline - Date.now()) });
      const job = await findJob(clients.ssh, host.ssh, key, limits);
      const own = job !== undefined && job.cluster === authority.cluster && job.epoch === authority.epoch;
      // The program of an operation that was cut off: what it does counts, and nothing is looked at while it works.
      if (job?.running && !own) await end();
      const before = await look(host);
      // It failed, a person was told, and this is what that person decided.
      const again = own && !job.running && job.code !== 0 && job.told !== '' && job.told !== askedBy();
      if (!own || again) {
        if (isAt(version, before)) return { changed: false, note: `${nameOf(before)} is installed already` };
        const running = seen(host, before.processes, 'whether anything of the product runs can\'t be told, and it is updated only with everything stopped');
        if (running !== 0) throw new StError('Refused', `${host.node}: ${running} processes of the product run, and it is updated only with everything stopped. Stop them (bin/stop_all), then decide "retry".`);
        if (again) await forgetJob(clients.ssh, host.ssh, authority, key, limits);
      }
      const program = ['env', `ST_VERSION=${version}`, `ST_NODE=${host.node}`, `ST_ROLE=${role}`, `ST_USER=${host.productUser}`, `FILEDRIVEHOME=${host.fileDriveHome}`, ...command];
      await startJob(clients.ssh, host.ssh, authority, { key, command: program }, limits);
      const { code, output } = await end();
      const log = `updates/${version}-${authority.epoch}.log`;
      await clients.ssh.run(host.ssh, guardedCommand(authority, script(keepScript, [key, log])), { ...limits, purpose: `${host.node}: keeping the output of ${key}` });
      if (code !== 0) {
        await tellOfJob(clients.ssh, host.ssh, authority, key, askedBy(), limits);
        const wrote = output.trim() === '' ? 'It wrote nothing.' : `It wrote: ${output.trim().slice(-800)}`;
        throw new StError('Refused', `${host.node}: ${command[0]} ${code === null ? 'ended without a result (the host was restarted, or it was killed)' : `ended with exit code ${code}`}; how far it came is unknown, and the node is not started. ${wrote} All of it is in ~/.st-orchestrator/${log} on that host.`);
      }
      // The marker stays: an attempt that was not heard of has one after it, which finds the outcome there. The next operation removes it.
      return { changed: true, note: `${nameOf(before)} → ${nameOf(await look(host))}; output in ~/.st-orchestrator/${log}` };
    },
    async ensureVersion({ host, version }) {
      return { changed: false, note: `${await requireVersion(clients, host, version)} is installed` };
    },
  };
}

/** $1 key of the job, $2 where its output is kept, once. */
const keepScript = String.raw`
state="$HOME/.st-orchestrator"
umask 077
[ ! -e "$state/jobs/$1/kept" ] || exit 0
mkdir -p "$state/updates" && cat "$state/jobs/$1/output" >>"$state/$2" && : >"$state/jobs/$1/kept"
`;
