import { ensureTrust } from '../../../src/activities/edgeTrust';
import type { AdminServer, Certificate } from '../../../src/clients/adminApi';

const own = (who: string): Certificate => ({ name: 'ca', usage: 'local', fingerprint: `${who}${'0'.repeat(60)}`, content: `PEM of ${who}` });

/** As much of an Administration Tool as certificates need. */
function side(certificates: Certificate[]) {
  const imported: { name: string; content: string }[] = [];
  const server = {
    certificates: async () => [...certificates],
    importCertificate: async (one: { name: string; content: string }) => { imported.push(one); },
  } as unknown as AdminServer;
  return { server, imported };
}

const names = { cluster: 'demo', edge: 'ed1' };

test('each side imports the CA of the other, and neither its own', async () => {
  const [servers, edge] = [side([own('cluster')]), side([own('edge')])];
  expect(await ensureTrust({ server: servers.server, edge: edge.server }, names, {})).toEqual({ changed: true, note: 'demo trusts the CA of ed1; ed1 trusts the CA of demo' });
  expect([servers.imported, edge.imported]).toEqual([[{ name: 'edge ed1', content: 'PEM of edge' }], [{ name: 'cluster demo', content: 'PEM of cluster' }]]);
});

test('what is trusted already, under whatever name, is not imported again', async () => {
  const trusted = (who: string): Certificate => ({ ...own(who), name: `somebody named it ${who}`, usage: 'trusted' });
  const [servers, edge] = [side([own('cluster'), trusted('edge')]), side([own('edge'), trusted('cluster')])];
  expect(await ensureTrust({ server: servers.server, edge: edge.server }, names, {})).toEqual({ changed: false, note: 'trust each other already' });
  expect([servers.imported, edge.imported]).toEqual([[], []]);
});

test('an Edge that was installed anew is trusted beside its former self', async () => {
  const former: Certificate = { ...own('former'), name: 'edge ed1', usage: 'trusted' };
  const [servers, edge] = [side([own('cluster'), former]), side([own('edge')])];
  await ensureTrust({ server: servers.server, edge: edge.server }, names, {});
  expect(servers.imported).toEqual([{ name: 'edge ed1 edge00000000', content: 'PEM of edge' }]);
});

test('a side without a CA of its own is refused in words, and nothing is imported', async () => {
  const [servers, edge] = [side([own('cluster')]), side([])];
  await expect(ensureTrust({ server: servers.server, edge: edge.server }, names, {})).rejects.toMatchObject({ code: 'Refused', message: expect.stringContaining('ed1 has no CA of its own') });
  expect([servers.imported, edge.imported]).toEqual([[], []]);
});
