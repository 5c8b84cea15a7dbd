/** The four tasks on every host as operations like any other: lease, plan, progress, report. */
import type { OperationContext } from '../../src/workflows/operation/context';
import { operation } from '../../src/workflows/operation/operation';
import { perform, tasks } from '../../src/workflows/operation/tasks';
import { parseInput, setUpClusterInput, type SetUpClusterInput } from '../../src/model/inputs';
import { hostTarget, productionSite, siteOf } from '../../src/model/slices';
import type { HostTarget } from '../../src/model/targets';
import type { FanOutActivities } from './activities';
import { content, path } from './tasks';

export { cluster } from '../../src/workflows/cluster';

const fanout = tasks<FanOutActivities>('fanout');

interface Host {
  name: string;
  host: HostTarget;
}
type ForEach = OperationContext<SetUpClusterInput>['forEachNode'];

const fanOut = (name: string, act: (nodes: Host[], forEachNode: ForEach) => Promise<unknown>) => (raw: unknown): Promise<unknown> =>
  operation<SetUpClusterInput>(name, raw, async ({ cluster, forEachNode }) => {
    const site = productionSite(cluster.spec);
    const nodes = siteOf(cluster.spec, site).servers.map((server) => ({ name: server.name, host: hostTarget(cluster.spec, site, server.name) }));
    await act(nodes, forEachNode);
    return { summary: `Done on ${nodes.length} hosts.` };
  }, { parse: (value) => parseInput(setUpClusterInput, value), specOf: () => undefined });

/** One step that does all four. */
export const oneStep = fanOut('oneStep', (nodes, forEachNode) => forEachNode('Put the file in place', nodes, ({ host }) => fanout.ensureAll({ host, path, content }), { key: 'all' }));

/** A step for each; the next begins when all hosts have done the one before. */
export const fourSteps = fanOut('fourSteps', async (nodes, forEachNode) => {
  await forEachNode('Look for a folder', nodes, ({ host }) => fanout.ensureFolder({ host }), { key: 'test' });
  await forEachNode('Run true', nodes, ({ host }) => fanout.ensureNothing({ host }), { key: 'true' });
  await forEachNode('Put a file', nodes, ({ host }) => fanout.ensureFile({ host, path, content }), { key: 'put' });
  await forEachNode('Read it', nodes, ({ host }) => fanout.ensureRead({ host, path, content }), { key: 'read' });
});

/** Between two measurements. */
export async function disconnect(): Promise<void> {
  await perform(fanout.disconnect({}), { key: 'disconnect', summary: 'close the connections', kind: 'check', authority: { cluster: '', epoch: 0, operation: '' } });
}
