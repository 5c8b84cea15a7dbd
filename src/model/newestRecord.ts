/** What a monitor saw, beside what the record says now: a monitor reads the record every half minute, and a status has its newest word. Pure. */
import type { ClusterRecord } from './cluster';
import { leftProblem, nodeProblems, present } from './clusterHealth';
import type { ClusterHealth } from './health';
import { balancerTargets } from './slices';

/** The same health without nodes that are members no more, and what is told of them; and with what is unfinished as the record has it. */
export function besideRecord(health: ClusterHealth, { spec, members, unfinished }: Pick<ClusterRecord, 'spec' | 'members' | 'unfinished'>): ClusterHealth {
  if (!spec?.sites[health.site]) return health;
  // Records from before members had roles know Servers alone: then the whole site belongs.
  const known = members.some(({ role }) => role !== undefined);
  const belong = new Set(known ? members.filter(({ site }) => site === health.site).map(({ node }) => node) : health.nodes.map(({ node }) => node));
  const gone = new Set(health.nodes.map(({ node }) => node).filter((node) => !belong.has(node)));
  const over = new Set([
    ...health.nodes.filter(({ node }) => gone.has(node)).flatMap((node) => nodeProblems(node, health.cause)),
    ...(unfinished.length === 0 && health.record ? leftProblem(health.record) : []),
  ]);
  const problems = health.problems.filter((problem) => !over.has(problem));
  const nodes = health.nodes.filter(({ node }) => !gone.has(node));
  // One of a balancer names that, and one of the database nobody.
  const balancers = balancerTargets(spec, health.site).map(({ name }) => name);
  const stands = ({ node }: { node?: string }): boolean => node === undefined || belong.has(node) || balancers.includes(node);
  if (problems.length === health.problems.length && gone.size === 0 && health.watch?.incidents.every(stands) !== false) return health;
  const those = nodes.filter(({ role }) => role === 'server');
  return {
    ...health, nodes, problems, members: those.length, online: those.filter(({ state, was }) => (was ?? state) === 'Online').length,
    health: healthBeside(),
    ...(health.watch ? { watch: { ...health.watch, incidents: health.watch.incidents.filter(stands) } } : {}),
  };

  function healthBeside(): ClusterHealth['health'] {
    if (health.health === 'unknown') return 'unknown';
    if (those.length === 0 || present(nodes) < health.minimumNodes) return 'below threshold';
    // What else is wrong is told; nothing else makes it degraded.
    return health.health === 'degraded' && problems.length === 0 ? 'ok' : health.health;
  }
}
