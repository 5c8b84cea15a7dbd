/** The record's maintenance windows as they touch the estate: the product's own threshold mail is kept still while one is open, and is as before afterwards. */
import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import type { ClusterRecord } from '../model/cluster';
import { StError } from '../model/errors';
import { clusterWorkflowId } from '../model/ids';
import type { KeepAnswer, KeepRequest } from '../model/maintenance';
import { serverTarget } from '../model/slices';
import type { ServerTarget } from '../model/targets';
import type { Clients } from './clients';
import { abortSignal } from './context';
import { productOn } from './product';

export interface MaintenanceActivities {
  /**
   * One round: drops what is over from the record, and sets the product's mail as the open windows want it. Asks the Servers one after the other until one
   * answers, those that are not in maintenance first: the setting is the cluster's. Answers when to look again.
   */
  keep(input: { cluster: string }): Promise<Kept>;
}

export interface Kept {
  /** Milliseconds until the next window ends; null: none is open and nothing is left to do. */
  nextInMs: number | null;
  note: string;
}

const budgetMs = 5_000;

export function maintenanceActivities({ clients, temporal }: { clients: Clients; temporal: Client }): MaintenanceActivities {
  /** The record is served by workers, and perhaps by none: a worker that is told to end must not wait for itself. */
  const reached = <T>(call: () => Promise<T>): Promise<T> => temporal.withAbortSignal(abortSignal(), call);
  const ask = (cluster: string, request: KeepRequest = {}): Promise<KeepAnswer> =>
    reached(() => temporal.workflow.getHandle(clusterWorkflowId(cluster)).executeUpdate<KeepAnswer, [KeepRequest]>('keepMaintenance', { args: [request] }));

  /** Whether the product sends it now. */
  const isOn = async (server: ServerTarget): Promise<boolean> => (await clients.admin.server(server.admin).nodeThreshold({ signal: abortSignal(), timeoutMs: budgetMs })).sendNotification;

  async function set(server: ServerTarget, epoch: number, sendNotification: boolean): Promise<void> {
    await productOn(clients, server).claim({ cluster: server.cluster, epoch, operation: `maintenance/${server.cluster}` });
    const admin = clients.admin.server(server.admin);
    const found = await admin.nodeThreshold({ signal: abortSignal(), timeoutMs: budgetMs });
    if (found.sendNotification !== sendNotification) await admin.setNodeThreshold({ ...found, sendNotification }, { signal: abortSignal(), timeoutMs: budgetMs });
  }

  return {
    async keep({ cluster }) {
      const record = await reached(() => temporal.workflow.getHandle(clusterWorkflowId(cluster)).query<ClusterRecord>('status')).catch(gone);
      if (!record?.spec) return { nextInMs: null, note: 'the record is gone' };
      const answer = await ask(cluster);
      const next = answer.open.length > 0 ? Math.max(1_000, Math.min(...answer.open.map(({ until }) => Date.parse(until))) - Date.now()) : null;
      const servers = serversOf(record);
      const wanted = answer.open.length > 0 && record.spec.notifications?.productThreshold !== 'leave';
      if (servers.length === 0 || (!wanted && answer.productMailWasOn === undefined)) return { nextInMs: next, note: 'the product\'s own mail is left alone' };
      const note = await firstThatAnswers(servers, async (server) => {
        if (!wanted) {
          if (answer.productMailWasOn) await set(server, record.epoch, true);
          await ask(cluster, { remember: null });
          return `the product's own mail is ${answer.productMailWasOn ? 'on' : 'off'}, as before`;
        }
        // Remembered before it is changed: who comes back after a crash finds it off, and must not take that for how it was.
        const { productMailWasOn } = answer.productMailWasOn === undefined ? await ask(cluster, { remember: await isOn(server) }) : answer;
        if (productMailWasOn) await set(server, record.epoch, false);
        return productMailWasOn ? 'the product\'s own mail is kept still' : 'the product\'s own mail was off already';
      });
      return { nextInMs: next, note };
    },
  };
}

/** The active site's, those whose failure nobody expects first. */
function serversOf({ spec, members, activeSite, maintenance }: ClusterRecord): ServerTarget[] {
  const expected = (node: string): boolean => maintenance.some(({ nodes }) => nodes.includes(node));
  return members
    .filter(({ role, site }) => role === 'server' && (activeSite === null || site === activeSite))
    .sort((a, b) => Number(expected(a.node)) - Number(expected(b.node)))
    .map(({ site, node }) => serverTarget(spec!, site, node));
}

/** Only silence lets the next one be asked: a refused login would be refused there too, and lock the account. */
async function firstThatAnswers<T>(servers: ServerTarget[], act: (server: ServerTarget) => Promise<T>): Promise<T> {
  let last: unknown;
  for (const server of servers) {
    try {
      return await act(server);
    } catch (error) {
      if (!(error instanceof StError) || (error.code !== 'Unreachable' && error.code !== 'ConnectionLost')) throw error;
      last = error;
    }
  }
  throw last;
}

function gone(error: unknown): null {
  if (error instanceof WorkflowNotFoundError) return null;
  throw error;
}
