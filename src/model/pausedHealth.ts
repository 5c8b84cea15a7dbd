/** A cluster that nobody looks at for a time, because somebody said so. Pure. */
import type { ClusterHealth, NodeHealth } from './health';

/**
 * What was seen last, with its time: nothing is claimed of now, and nothing is forgotten.
 * @param seenAt until when it was certainly looked at, though nothing changed; left out where that is not known
 */
export function pausedHealth({ cause: _, ...last }: ClusterHealth, { why, seenAt = '' }: { why: string; seenAt?: string }): ClusterHealth {
  const latest = (at: string): string => (Date.parse(seenAt) > Date.parse(at) ? seenAt : at);
  const nodes = last.nodes.map((node): NodeHealth => ({
    ...node, state: 'Unknown', why,
    ...(node.state === 'Unknown' ? {} : { was: node.state, lastSeen: latest(node.lastSeen ?? last.sampledAt) }),
  }));
  return { ...last, sampledAt: latest(last.sampledAt), health: 'unknown', nodes, problems: [why] };
}
