/** The product's own part of what is done to the nodes of a cluster that works: the commands of the operations, in their order, with nothing of the orchestrator. */
import type { Clients } from '../src/clients';
import { waitFor } from '../src/clients/waitFor';
import { productionSite, serverTarget, siteOf } from '../src/model/slices';
import type { ClusterSpec } from '../src/model/spec';
import type { ServerTarget } from '../src/model/targets';
import { bareHands, services, type BareHands, type ProductStep } from './bareHands';

const limits = { timeoutMs: 10_000 };

/** What a cluster that works is done to; each answers what its steps took. `spec` names all nodes, `node` the one that comes and goes. */
export interface NodesAlone {
  add(): Promise<ProductStep[]>;
  restart(): Promise<ProductStep[]>;
  remove(): Promise<ProductStep[]>;
}

export function nodesAlone(spec: ClusterSpec, node: string, clients: Clients): NodesAlone {
  const site = productionSite(spec);
  const nodes = siteOf(spec, site).servers.map(({ name }) => serverTarget(spec, site, name));
  const [first] = nodes as [ServerTarget];
  const one = nodes.find((server) => server.node === node)!;
  const through = clients.admin.server(first.admin);
  const measured = async (act: (hands: BareHands) => Promise<void>): Promise<ProductStep[]> => {
    const hands = bareHands(spec, site, clients);
    await act(hands);
    return hands.steps;
  };
  /** Monitor, Scheduler and FolderMonitor, daemons, Transaction Manager, each after the one before has ended. */
  const drain = (hands: BareHands, server: ServerTarget): Promise<void> => hands.step('drain', [server], async () => {
    const admin = clients.admin.server(server.admin);
    await hands.bin(server, 'stop_monitord');
    for (const name of ['Scheduler', 'FolderMonitor'] as const) {
      // A "no" is one of the answers of a Server that does it all the same.
      await waitFor(`${name} stops`, async () => {
        const { running } = await admin.clusterService(name, limits);
        if (running) await admin.operateClusterService('stop', name, limits);
        return running;
      }, (running) => !running, { timeoutMs: 60_000, intervalMs: 20 });
    }
    await hands.drained(['sshd'])([server]);
    return hands.drained(['tm'])([server]);
  });
  return {
    add: () => measured(async (hands) => {
      const { step, each, started, stop } = hands;
      await hands.prepare(one, 'server', await hands.taehOf(first));
      await step('install', [one], (some) => each(some, hands.setup));
      await step('stop-all', [one], (some) => each(some, (server) => stop(server, [...services, 'admin'])));
      await step('add', [one], async () => {
        await through.addClusterNode(one.address);
        await hands.restoreSettings(first);
      });
      await step('start-admin', [one], started(['admin'], 'start_admin'));
      await hands.license(one);
      await step('online', [one], started(['tm', 'sshd'], 'start_all'));
      await step('serving', [one], hands.serve);
    }),
    restart: () => measured(async (hands) => {
      for (const server of nodes) {
        await hands.step('out', [server], hands.hold);
        await drain(hands, server);
        await hands.step('stop', [server], () => hands.stop(server, ['monitord', 'admin']));
        await hands.step('online', [server], hands.started(['admin', 'tm', 'sshd'], 'start_all'));
        await hands.step('serving', [server], hands.serve);
      }
    }),
    remove: () => measured(async (hands) => {
      await hands.step('out-of-service', [one], hands.hold);
      await drain(hands, one);
      await hands.step('unlist', [one], () => through.removeClusterNode(one.address));
      await hands.step('stop-all', [one], () => hands.bin(one, 'stop_all'));
    }),
  };
}
