/**
 * Which nodes of a balancer an operation of ours has taken out, kept on the balancer's host in `~/.st-orchestrator/clusters/<cluster>/out`: one that was cut off leaves its
 * node in maintenance, and whoever comes next must not take that for a person's will. A mark is written before HAProxy is told, and removed after the node was put back.
 */
import { createHash } from 'node:crypto';
import type { OutMark } from '../model/outMark';
import type { Authority, SshAccess } from '../model/targets';
import { guardedCommand } from './guard';
import { script } from './quote';
import type { SshPool } from './ssh';
import type { RunOptions } from './sshRun';

const nameOf = (backend: string, node: string): string => createHash('sha256').update(`${backend}\n${node}`).digest('hex').slice(0, 32);

/** $1 cluster, $2 name of the file, then how, backend, node, epoch, operation, a line each; the time of the host goes between. */
const writeScript = String.raw`
set -e
umask 077
out="$HOME/.st-orchestrator/clusters/$1/out"
mkdir -p "$out"
printf '%s\n' "$(date +%s)" "$3" "$4" "$5" "$6" "$7" >"$out/$2.new"
sync "$out/$2.new"
mv -f "$out/$2.new" "$out/$2"
`;

const removeScript = 'rm -f "$HOME/.st-orchestrator/clusters/$1/out/$2"';

/** $1 cluster. The time of the host, and then six lines of each mark. */
const readScript = String.raw`
date +%s
for mark in "$HOME/.st-orchestrator/clusters/$1/out"/*; do
  case $mark in *'/*' | *.new) ;; *) head -n 6 "$mark" ;; esac
done
`;

export interface OutMarks {
  /** By the clock of the balancer's host, in seconds since 1970. */
  now: number;
  marks: OutMark[];
}

/** The marks of one cluster. */
export async function readOutMarks(pool: SshPool, access: SshAccess, cluster: string, options: RunOptions): Promise<OutMarks> {
  const [now = '', ...lines] = (await pool.run(access, script(readScript, [cluster]), options)).stdout.split('\n');
  const marks: OutMark[] = [];
  for (let at = 0; at + 5 < lines.length; at += 6) {
    const [time = '', how = '', backend = '', node = '', epoch = '', operation = ''] = lines.slice(at, at + 6);
    if (how === 'drain' || how === 'maint') marks.push({ at: Number(time), how, backend, node, epoch: Number(epoch), operation });
  }
  return { now: Number(now), marks };
}

/** Says that the operation is about to take the node out. Guarded by the cluster's epoch on that host. */
export async function writeOutMark(pool: SshPool, access: SshAccess, authority: Authority, { backend, node, how }: Pick<OutMark, 'backend' | 'node' | 'how'>, options: RunOptions): Promise<void> {
  const args = [authority.cluster, nameOf(backend, node), how, backend, node, String(authority.epoch), authority.operation.replace(/\s+/g, ' ')];
  await pool.run(access, guardedCommand(authority, script(writeScript, args), { sharedHost: true }), options);
}

/** The node is ready again, or nobody's. Guarded by the cluster's epoch on that host. */
export async function removeOutMark(pool: SshPool, access: SshAccess, authority: Authority, { backend, node }: Pick<OutMark, 'backend' | 'node'>, options: RunOptions): Promise<void> {
  await pool.run(access, guardedCommand(authority, script(removeScript, [authority.cluster, nameOf(backend, node)]), { sharedHost: true }), options);
}
