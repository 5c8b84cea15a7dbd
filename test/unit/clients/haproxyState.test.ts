/** The file of server states: whoever looked earlier never covers what was written by one who looked later. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseServersState, type Haproxy } from '../../../src/clients/haproxy';
import { isSaved, saveServersState } from '../../../src/clients/haproxyState';
import { createSshPool, type SshPool } from '../../../src/clients/ssh';
import { startSshd, type TestSshd } from './support/sshd';

jest.setTimeout(30_000);

let sshd: TestSshd;
let pool: SshPool;
beforeAll(async () => {
  sshd = await startSshd();
  pool = createSshPool();
});
afterAll(async () => {
  await pool.close();
  await sshd.remove();
});

const limits = { timeoutMs: 20_000 };
const authority = { cluster: 'demo', epoch: 1, operation: 'test' };
/** What HAProxy says of one server that is out (1) or not (0). */
const states = (out: 0 | 1): string => `1\n# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state\n4 demo_hc 1 st1 10.0.0.1 2 ${out}\n`;
/** A balancer with these states in memory; `look` is done before a look at them is answered. */
const balancer = (memory: { out: 0 | 1 }, look: () => Promise<void> = async () => undefined): Haproxy => ({
  serversState: async () => {
    const seen = states(memory.out);
    await look();
    return seen;
  },
  showServersState: async () => parseServersState(states(memory.out)),
}) as unknown as Haproxy;

test('an older look that is written last, by a worker that dies right then, changes nothing', async () => {
  const path = join(sshd.home, 'server-state');
  const memory: { out: 0 | 1 } = { out: 0 };
  let looks = 0;
  const slow = balancer(memory, async () => {
    looks += 1;
    if (looks > 1) throw new Error('the worker has died');
    memory.out = 1;
    await saveServersState(pool, sshd.access, authority, { haproxy: balancer(memory), path }, limits);
  });
  await expect(saveServersState(pool, sshd.access, authority, { haproxy: slow, path }, limits)).rejects.toThrow('the worker has died');
  expect(readFileSync(path, 'utf8')).toBe(states(1));
  expect(await isSaved(pool, sshd.access, { haproxy: balancer(memory), path }, limits)).toBe(true);
  memory.out = 0;
  await saveServersState(pool, sshd.access, authority, { haproxy: balancer(memory), path }, limits);
  expect(readFileSync(path, 'utf8')).toBe(states(0));
});
