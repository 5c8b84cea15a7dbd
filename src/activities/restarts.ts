/** What restarts and updates look at on a node, and the operator's own program that updates one. */
import { awaitJob, forgetJob, startJob } from '../clients/remoteJobs';
import { guardedCommand } from '../clients/guard';
import { script } from '../clients/quote';
import { StError } from '../model/errors';
import type { CheckResult, Outcome } from '../model/operation';
import { isAt, nameOf, type RestartFacts } from '../model/restartPlan';
import type { Authority, HostTarget, ServerTarget } from '../model/targets';
import { abortSignal } from './context';
import type { Clients } from './clients';
import { lookAtInstalled, requireVersion, type Installed } from './installedVersion';
import { hiddenProcesses, seen } from './processLook';
import { roomLook } from './room';

export interface RestartActivities {
  /** `startedBefore`: ISO-8601 UTC; a node all of whose services were started later is fresh. */
  checkNode(input: { node: ServerTarget; role: 'server' | 'edge'; startedBefore?: string }): Promise<CheckResult<RestartFacts>>;
  /**
   * Runs the operator's program on the host, as the login user, with nothing of the product running: as a job, so it outlives this worker, and its output is kept in
   * `~/.st-orchestrator/updates/`. The program hears of ST_VERSION, ST_NODE, ST_ROLE, FILEDRIVEHOME and ST_USER. Exit code 0: updated. `timeoutMs`: how long its end is waited for.
   * @throws NotYet when it still runs then; Refused when it failed or something runs: whether it may be run again is for a person to say; CannotSeeProcesses.
   */
  ensureUpdated(input: { host: HostTarget; role: 'server' | 'edge'; version: string; command: string[]; timeoutMs: number }, authority: Authority): Promise<Outcome>;
  /** @throws Refused when another version is installed. */
  ensureVersion(input: { host: HostTarget; version: string }, authority: Authority): Promise<Outcome>;
}

export function restartActivities({ clients }: { clients: Clients }): RestartActivities {
  const look = (host: HostTarget): Promise<Installed> => lookAtInstalled(clients, host);
  return {
    async checkNode({ node, role, startedBefore }) {
      const [{ version, build, processes, started }, online] = await Promise.all([look(node), roomLook(clients, node.admin, role)]);
      const fresh = startedBefore !== undefined && started !== undefined && started * 1_000 >= Date.parse(startedBefore);
      return { facts: { node: node.node, role, version, build, online: online === true, answers: online !== null, runs: processes === null ? null : processes > 0, fresh }, problems: processes === null ? [hiddenProcesses(node)] : [] };
    },
    async ensureUpdated({ host, role, version, command, timeoutMs }, authority) {
      const before = await look(host);
      if (isAt(version, before)) return { changed: false, note: `${nameOf(before)} is installed already` };
      const key = `update-${version}`;
      const limits = { timeoutMs: 60_000, signal: abortSignal() };
      if (before.processes !== 0 && !(await jobIsThere(clients, host, key))) {
        const running = seen(host, before.processes, 'whether anything of the product runs can\'t be told, and it is updated only with everything stopped');
        throw new StError('Refused', `${host.node}: ${running} processes of the product run, and it is updated only with everything stopped. Stop them (bin/stop_all), then decide "retry".`);
      }
      const program = ['env', `ST_VERSION=${version}`, `ST_NODE=${host.node}`, `ST_ROLE=${role}`, `ST_USER=${host.productUser}`, `FILEDRIVEHOME=${host.fileDriveHome}`, ...command];
      await startJob(clients.ssh, host.ssh, authority, { key, command: program }, limits);
      const end = await awaitJob(clients.ssh, host.ssh, key, { ...limits, timeoutMs });
      const log = `updates/${version}-${authority.epoch}.log`;
      await clients.ssh.run(host.ssh, guardedCommand(authority, script(keepScript, [key, log])), { ...limits, purpose: `${host.node}: keeping the output of ${key}` });
      await forgetJob(clients.ssh, host.ssh, authority, key, limits);
      const wrote = end.output.trim() === '' ? 'It wrote nothing.' : `It wrote: ${end.output.trim().slice(-800)}`;
      if (end.code !== 0) {
        throw new StError('Refused', `${host.node}: ${command[0]} ${end.code === null ? 'ended without a result (the host was restarted, or it was killed)' : `ended with exit code ${end.code}`}; how far it came is unknown, and the node is not started. ${wrote} All of it is in ~/.st-orchestrator/${log} on that host.`);
      }
      const after = await look(host);
      return { changed: true, note: `${nameOf(before)} → ${nameOf(after)}; output in ~/.st-orchestrator/${log}` };
    },
    async ensureVersion({ host, version }) {
      return { changed: false, note: `${await requireVersion(clients, host, version)} is installed` };
    },
  };
}

/** $1 key of the job, $2 where its output is kept. */
const keepScript = String.raw`
state="$HOME/.st-orchestrator"
umask 077
mkdir -p "$state/updates" && cat "$state/jobs/$1/output" >>"$state/$2"
`;

/** An update that was begun may well have started something of the product: it is waited for. */
async function jobIsThere(clients: Clients, host: HostTarget, key: string): Promise<boolean> {
  const { code } = await clients.ssh.run(host.ssh, script('[ -e "$HOME/.st-orchestrator/jobs/$1/meta" ]', [key]), { timeoutMs: 20_000, signal: abortSignal(), ok: [0, 1], purpose: `${host.node}: looking for an update under way` });
  return code === 0;
}
