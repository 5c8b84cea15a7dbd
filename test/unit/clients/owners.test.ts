import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { claimThings, ownerFile, readOwners } from '../../../src/clients/owners';
import { createSshPool, type SshPool } from '../../../src/clients/ssh';
import type { Authority } from '../../../src/model/targets';
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
beforeEach(() => rmSync(join(sshd.home, '.st-orchestrator'), { recursive: true, force: true }));

const options = { timeoutMs: 20_000 };
const authority = (cluster: string, epoch = 1): Authority => ({ cluster, epoch, operation: `set-up-cluster/${cluster}` });
const claim = (cluster: string, ...things: string[]): Promise<void> => claimThings(pool, sshd.access, authority(cluster), things, options);
const owners = async (...things: string[]): Promise<object> => Object.fromEntries(await readOwners(pool, sshd.access, things, options));
const [key, backend] = ['the key demo of the map /etc/haproxy/maps/it\'s $HOME.map', 'the backend demo_hc'];

test('what nobody has claimed has no owner; what was claimed has one, and may be claimed again by the same', async () => {
  expect(await owners(key, backend)).toEqual({});
  await claim('demo', key, backend);
  await claim('demo', key, backend);
  expect(await owners(key, backend, 'the backend other_hc')).toEqual({ [key]: 'demo', [backend]: 'demo' });
});

test('another cluster is refused with the owner and the way out, and gets nothing of what it asked for', async () => {
  await claim('demo', backend);
  await expect(claim('other', key, backend)).rejects.toMatchObject({ code: 'ForeignCluster', message: expect.stringMatching(/the backend demo_hc belongs to cluster demo, not to other; .* remove .*\/owners\/[0-9a-f]{32} on the host/) });
  expect(await owners(key, backend)).toEqual({ [backend]: 'demo' });
});

test('of many clusters that come together one gets everything', async () => {
  const asked = await Promise.allSettled(Array.from({ length: 8 }, (_, i) => (i % 2 ? claim(`c${i}`, key, backend) : claim(`c${i}`, backend, key))));
  expect(asked.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  const found = Object.values(await owners(key, backend));
  expect(found).toEqual([`c${asked.findIndex(({ status }) => status === 'fulfilled')}`, found[0]]);
  expect(readdirSync(join(sshd.home, '.st-orchestrator/owners'))).toHaveLength(3);
});

test('a damaged note stops both, instead of counting as nobody\'s', async () => {
  await claim('demo', key);
  writeFileSync(join(sshd.home, ownerFile(key)), '');
  await expect(claim('demo', key)).rejects.toMatchObject({ message: expect.stringContaining('damaged') });
  await expect(owners(key)).rejects.toMatchObject({ message: expect.stringContaining('damaged') });
});
