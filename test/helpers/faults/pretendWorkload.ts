/** What directing the workload looks at and changes, on the cluster in memory that works: options, what each Transaction Manager read of them at its start, notes, weights. */
import type { StopActivities } from '../../../src/activities/stops';
import type { WorkloadActivities } from '../../../src/activities/workload';
import type { CheckResult } from '../../../src/model/operation';
import type { ClusterSpec } from '../../../src/model/spec';
import type { HostTarget } from '../../../src/model/targets';
import { workedBy, type WorkloadFacts } from '../../../src/model/workload';
import { workloadOptions } from '../../../src/model/workloadAttributes';
import type { LoadPart } from '../../../src/model/workloadLoad';
import { already, done, flatten, must, type Pretended } from './pretendEstate';
import { pretendWorking } from './pretendWorking';

const fine = async <F>(facts: F): Promise<CheckResult<F>> => ({ facts, problems: [] });

export function pretendDirected(spec: ClusterSpec, members: readonly string[]): Pretended {
  const pretended = pretendWorking(spec, members);
  const { machines, estate, groups, claim } = pretended;
  const options: Record<string, string[]> = { [workloadOptions.policy]: ['cacheBasedPolicy'], [workloadOptions.additional]: [''] };
  const own = new Map(members.map((node) => [node, { attributes: ['PUSH=false, PGP=false'], streaming: 'out' as 'in' | 'out' }]));
  const weights = new Map(members.map((node) => [node, 1]));
  const notes = new Map<string, string>();
  const settings = (node: string) => ({ policy: options[workloadOptions.policy]!, additional: options[workloadOptions.additional]!, ...own.get(node)! });
  /** What its Transaction Manager read when it was started. */
  const works = new Map(members.map((node) => [node, workedBy(settings(node))]));
  const machine = ({ node }: HostTarget) => machines.get(node)!;
  const start = (node: string): void => {
    Object.assign(machines.get(node)!, { tm: true, daemons: true });
    works.set(node, workedBy(settings(node)));
  };
  const stop = (node: string): void => {
    must([...machines].every(([name, { tm }]) => name === node || tm), 'one Server is restarted at a time');
    Object.assign(machines.get(node)!, { tm: false, daemons: false });
  };
  const load = ({ what, server }: { what: string; server: HostTarget }): LoadPart =>
    (what === 'queue' ? { what: 'queue', halves: [{}, {}], halfMs: 100, looks: 2 } : { what: 'node', node: server.node, ids: [server.node], cores: 2, cpu: 0, sessions: 0 });

  const workload: WorkloadActivities = {
    checkWorkload: ({ server: { node } }) => fine<WorkloadFacts>({ node, answers: true, tm: machines.get(node)!.tm, id: node, worksBy: notes.get(node) ?? null, ...settings(node) }),
    checkMount: ({ server }) => fine({ node: server.node }),
    checkWeights: ({ balancer, nodes }) => fine({ name: balancer.name, weights: Object.fromEntries(nodes.map((node) => [node, { ssh: weights.get(node)! }])), saved: [...nodes] }),
    checkLoad: (request) => fine(load(request)),
    measureLoad: async (request) => ({ changed: false, note: 'measured', value: load(request) }),
    async ensureNoted({ server, worksBy }, authority) {
      await claim(authority);
      if (worksBy === null) notes.delete(server.node);
      else notes.set(server.node, worksBy);
      return done('noted');
    },
    async ensureOptions({ server, scope, options: wanted }, authority) {
      await claim(authority);
      must(notes.size > 0, 'what Transaction Managers work by is noted before their options change');
      if (scope === 'shared') Object.assign(options, wanted);
      else own.get(server.node)!.attributes = wanted[workloadOptions.attributes]!;
      return done('set');
    },
    async ensureStreaming({ server, expression }, authority) {
      await claim(authority);
      own.get(server.node)!.streaming = expression;
      return done('edited');
    },
    async ensureWeights({ node, weights: wanted }, authority) {
      await claim(authority);
      weights.set(node, Object.values(wanted)[0]!);
      return done('weighs so');
    },
    async ensureWorksByOptions({ server: { node } }, authority) {
      await claim(authority);
      const note = notes.get(node);
      if (note === undefined) return already;
      if (note !== workedBy(settings(node))) {
        stop(node);
        start(node);
      }
      notes.delete(node);
      return done('works by its options');
    },
  };
  const stops: Pick<StopActivities, 'checkWork' | 'ensureDrained' | 'ensureSwept'> = {
    checkWork: async ({ node }) => ({ facts: { node: node.node, blocked: [] }, problems: [] }),
    async ensureDrained({ server }, authority) {
      await claim(authority);
      must(!estate.serving.includes(server.node), 'what the balancer sends to is not stopped');
      stop(server.node);
      return done('drained');
    },
    async ensureSwept(_, authority) {
      await claim(authority);
      return already;
    },
  };
  const servers = {
    async ensureOnline(...[input, authority]: Parameters<typeof groups.servers.ensureOnline>) {
      const stood = !machine(input.server).tm;
      const outcome = await groups.servers.ensureOnline(input, authority);
      if (stood) start(input.server.node);
      return outcome;
    },
  };
  return {
    ...pretended,
    activities: { ...pretended.activities, ...flatten({ workload, stops, servers }) },
    state: () => ({ ...(pretended.state() as object), directed: { options, own: [...own], works: [...works], notes: [...notes], weights: [...weights] } }),
  };
}
