/** A Transaction Manager that hangs while it processes files: its process is stopped by a signal, so it runs, answers nothing, and says nothing to the database. */
import { until } from '../../lab/shell';
import { createClients } from '../../src/clients';
import { serverTarget } from '../../src/model/slices';
import type { ClusterSpec } from '../../src/model/spec';
import { onHost } from './breaking';
import type { Lab } from './lab';
import { activeOn, clusterDatabase } from './partnersFiles';

/** All files of an account go to one Server: of four partners one of three Servers gets none in one run of five, of these in one of ten thousand. */
export const enoughPartners = '24';

export interface Hung {
  /** Names of the files that it holds, sorted. */
  files: string[];
  /** Those of them that a text names. */
  namedIn(text?: string): string[];
  goOn(): Promise<unknown>;
}

/** While partners send: waits until this Server works on files, hangs it there, and answers once the product shows it as Offline. Another one is asked. */
export async function hangAtWork(lab: Lab, spec: ClusterSpec, node: string): Promise<Hung> {
  const site = 'prod';
  const { address } = serverTarget(spec, site, node);
  const other = spec.sites[site]!.servers.find(({ name }) => name !== node)!.name;
  const status = await lab.status();
  const signal = (name: string): Promise<unknown> => onHost(status, node, `kill -${name} "$(cat /opt/axway/SecureTransport/var/run/tm.pid)"`);
  const database = await clusterDatabase(lab);
  const clients = createClients();
  try {
    await until(`${node} to hang with files at work`, async () => {
      if ((await activeOn(database, address)).length === 0) return false;
      await signal('STOP');
      // One that has only just been taken has no mark yet, and holds nothing that would be left behind; others' come and go.
      const [held, marks] = await Promise.all([activeOn(database, address), onHost(status, node, `find /srv/st/shared -name '*.m_inproc' 2>/dev/null || :`)]);
      if (held.length > 0 && held.every((file) => marks.includes(`${file.replace(/^.*\//, '/')}.m_inproc`))) return true;
      await signal('CONT');
      return false;
    }, 20_000, 5);
    const admin = clients.admin.server(serverTarget(spec, site, other).admin);
    await until(`the product to show ${node} as Offline`, async () => (await admin.clusterNodes()).some((one) => one.serverAddress === address && one.status === 'Offline'), 20_000, 250);
    const files = (await activeOn(database, address)).map((file) => file.replace(/^.*\//, '')).sort();
    if (files.length === 0) throw new Error(`${node} hangs with nothing at work`);
    return { files, namedIn: (text = '') => files.filter((file) => text.includes(file)), goOn: () => signal('CONT') };
  } finally {
    await clients.close();
    await database.end();
  }
}
