/** Looking for secrets where none may be: what they look like in other clothes, and everything that a run left behind as text. */
import { readdirSync, readFileSync } from 'node:fs';
import type { Client } from '@temporalio/client';

export interface Canary {
  name: string;
  value: Buffer;
}

/** A secret as it is, and as JSON, URLs, base64 and hexadecimal digits write it; of several lines (keys) each long one. */
function formsOf({ value }: Canary): string[] {
  const text = value.toString('latin1');
  const lines = text.split('\n').filter((line) => line.length >= 20 && !line.startsWith('-----'));
  // The end of a base64 text depends on what follows it.
  const base64 = value.toString('base64').replace(/=+$/, '').slice(0, -2);
  return [text, ...(lines.length > 1 ? lines : []), JSON.stringify(text).slice(1, -1), encodeURIComponent(text), base64, value.toString('hex')];
}

/** Names of the secrets that the text shows. */
export const shownIn = (text: string, canaries: readonly Canary[]): string[] =>
  canaries.filter((canary) => formsOf(canary).some((form) => text.includes(form))).map(({ name }) => name);

/** Every text and every payload of every history on the server, of the workflow ids that it lists. */
export async function allHistories(client: Client): Promise<{ ids: string[]; text: string }> {
  const ids: string[] = [];
  const parts: string[] = [];
  for await (const { workflowId, runId } of client.workflow.list()) {
    ids.push(workflowId);
    collect(await client.workflow.getHandle(workflowId, runId).fetchHistory(), parts);
    collect((await client.workflow.getHandle(workflowId, runId).describe()).raw, parts);
  }
  return { ids, text: parts.join('\n') };
}

/** Texts as they are, bytes as Latin-1, so that no byte is lost. */
function collect(value: unknown, parts: string[]): void {
  if (typeof value === 'string') parts.push(value);
  else if (value instanceof Uint8Array) parts.push(Buffer.from(value).toString('latin1'));
  else if (typeof value === 'object' && value !== null) for (const one of Object.values(value)) collect(one, parts);
}

/** Reads the command lines of all processes of this machine, the lab's hosts included, again and again until told to stop; answers all it saw. */
export function watchCommandLines(): { stop(): Promise<Set<string>> } {
  const seen = new Set<string>();
  let stopped = false;
  const watching = (async () => {
    while (!stopped) {
      for (const pid of readdirSync('/proc')) {
        if (!/^\d/.test(pid)) continue;
        try {
          seen.add(readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' '));
        } catch {
          // ended meanwhile
        }
      }
      await new Promise<void>((resolve) => void setTimeout(resolve, 10));
    }
    return seen;
  })();
  return {
    stop() {
      stopped = true;
      return watching;
    },
  };
}
