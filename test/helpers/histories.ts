/** What the programs that make saved histories share: holding a run to its end, and writing its history down. */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { WorkflowFailedError, type Client, type WorkflowHandle } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils';
import { waitFor } from '../../src/clients/waitFor';
import type { OperationReport } from '../../src/model/operation';
import type { Estate } from '../../bench/estate';

const root = resolve(__dirname, '../../..');
export const taskQueue = 'histories';
export const identity = 'histories';
export const soon = { timeoutMs: 60_000 };

export type Save = (name: string, workflowId: string, runId?: string) => Promise<void>;

/** Waits for the end and holds it to its outcome, or to the type of its failure. */
export async function ended(handle: WorkflowHandle, wanted: string): Promise<void> {
  const [end, why] = await handle.result().then(
    (report) => [(report as OperationReport).outcome, (report as OperationReport).summary],
    (error: unknown) => (error instanceof WorkflowFailedError ? [(error.cause as { type?: string } | undefined)?.type ?? (error.cause?.name === 'CancelledFailure' ? 'Cancelled' : error.cause?.name), error.cause?.message] : [String(error)]),
  );
  if (end !== wanted) throw new Error(`${handle.workflowId} ended as "${end}", expected "${wanted}": ${why}`);
}

export async function stepIs(handle: WorkflowHandle, key: string, state: string): Promise<void> {
  const read = (): Promise<OperationReport> => handle.query<OperationReport>('status');
  await waitFor(`${handle.workflowId}: ${key} is ${state}`, read, ({ steps }) => steps.some((step) => step.key === key && step.state === state), { ...soon, intervalMs: 20 });
}

/** Writes one history, an event a line, unless it tells something of this machine or a secret of the lab. Those of these workflow types that are there already go. */
export function saver(client: Client, estate: Estate, types: readonly string[]): Save {
  const folder = join(root, 'test/histories');
  mkdirSync(folder, { recursive: true });
  for (const name of readdirSync(folder)) if (types.includes(name.split('.')[0]!)) rmSync(join(folder, name));
  const secrets = ['admin-password', 'database-password'].map((name) => readFileSync(join(estate.dir, 'secrets', name), 'utf8').trim());
  const forbidden = [root, homedir(), hostname(), estate.dir, ...secrets];
  return async (name, workflowId, runId) => {
    const { events } = JSON.parse(historyToJSON(await client.workflow.getHandle(workflowId, runId).fetchHistory())) as { events: object[] };
    const text = `{"events":[\n${events.map((event) => JSON.stringify(event)).join(',\n')}\n]}\n`;
    const plain = text.replaceAll(/"data":"([^"]*)"/g, (_, data: string) => Buffer.from(data, 'base64').toString('utf8'));
    const told = forbidden.filter((word) => plain.includes(word));
    if (told.length > 0) throw new Error(`the history ${name} tells what must not be kept: ${told.join(', ')}`);
    writeFileSync(join(folder, `${name}.json`), text);
    console.log(`${name}: ${events.length} events, ${Math.round(text.length / 1024)} KB`);
  };
}
