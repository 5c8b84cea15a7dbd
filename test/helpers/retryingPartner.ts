/** A partner who logs in for each file, and tries a second time when the first fails: what nobody may notice of an operation. */
import { setInterval } from 'node:timers/promises';
import { Client } from 'ssh2';
import { resolveSecret } from '../../src/clients/secrets';
import type { ClusterSpec } from '../../src/model/spec';

/** A session of the account that the spec's probe names. */
export async function logInAsPartner(spec: ClusterSpec, host: string, port: number): Promise<Client> {
  const password = (await resolveSecret(spec.probe!.password)).reveal();
  const client = new Client();
  await new Promise<void>((resolve, reject) => {
    client.on('error', reject);
    client.once('close', () => reject(new Error('closed')));
    client.once('ready', resolve);
    client.connect({ host, port, username: spec.probe!.account, password, authHandler: ['password'], readyTimeout: 10_000 });
  });
  client.on('error', () => undefined);
  return client;
}

export interface Sent {
  sent: number;
  /** Of them, at the second try. */
  again: number;
  /** What both tries failed with. */
  failed: string[];
}

/** How often a file is sent, in milliseconds: more would be a load of its own. */
const everyMs = 150;

/** Sends one small file after the other through the balancer at `host` until it is ended. */
export function keepSending(spec: ClusterSpec, host: string): { end(): Promise<Sent> } {
  const counts: Sent = { sent: 0, again: 0, failed: [] };
  const over = new AbortController();
  const send = async (): Promise<void> => {
    const client = await logInAsPartner(spec, host, 2022);
    try {
      await new Promise<void>((resolve, reject) => {
        client.once('close', () => reject(new Error('closed while a file was under way')));
        client.sftp((error, sftp) => (error ? reject(error) : sftp.writeFile('/twice', Buffer.from('x'), (failure) => (failure ? reject(failure) : resolve()))));
      });
    } finally {
      client.destroy();
    }
  };
  const sendTwice = async (): Promise<void> => {
    const first = await send().then(() => undefined, (error: Error) => error);
    if (first) counts.again += 1;
    const second = first && await send().then(() => undefined, (error: Error) => error);
    if (second) counts.failed.push(`${first.message}; ${second.message}`);
    else counts.sent += 1;
  };
  const sending = (async () => {
    try {
      for await (const _ of setInterval(everyMs, undefined, { signal: over.signal })) await sendTwice();
    } catch (error) {
      if (!over.signal.aborted) throw error;
    }
  })();
  return {
    async end() {
      over.abort();
      await sending;
      return counts;
    },
  };
}
