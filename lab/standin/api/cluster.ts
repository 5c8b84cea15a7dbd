import { isIP } from 'node:net';
import { readLicences } from '../licences';
import { logToServer } from '../log';
import { readNodes } from '../node';
import { ApiError, created, json, noContent, ok, page, type Api, type Reply, type Route } from './http';
import { applyPatch } from './jsonPatch';

const base = '/configurations/clusterManagement';

/** The node table. "Added and removed below this path" is the documents' word; `/nodes` and `/nodes/{address}` are our reading of it. */
export const clusterRoutes: Route[] = [
  ['GET', base, async (_request, api) => {
    const clusterNodes = await readNodes(api.pool);
    const isCluster = clusterNodes.length > 0 || readLicences(api.home).enterpriseCluster;
    return ok({ isCluster, clusterMode: isCluster ? 'Active-Active' : 'Standalone', clusterNodes });
  }],
  ['GET', `${base}/nodes`, async ({ query }, api) => page(await readNodes(api.pool), query)],
  ['POST', `${base}/nodes`, async (request, api) => {
    await requireCluster(api);
    const address = json(request)['serverAddress'];
    if (typeof address !== 'string' || !isAddress(address)) throw new ApiError(400, 'serverAddress: must be an IP address or a fully qualified domain name');
    // The product does not refuse an address that is there already: it adds a second entry, which is invalid.
    const { rows } = await api.pool.query(
      `insert into clusternode (address, valid) select $1::text, not exists (select 1 from clusternode where lower(address) = lower($1)) returning valid`, [address]);
    if (api.lies.tell(1, 'sshPort')) await api.pool.query(`update configurationoption set value = '["22"]' where name = 'Sshd.Port'`);
    await logToServer(api.pool, api.home, 'ADMIN', 'INFO', `Node ${address} was added to the cluster.`);
    return created(`${base}/nodes`, address, { serverAddress: address, status: rows[0].valid ? 'Offline' : 'Invalid' });
  }],
  ['GET', `${base}/nodes/{address}`, async ({ params }, api) => ok(await findNode(api, params['address'] ?? ''))],
  ['DELETE', `${base}/nodes/{address}`, async ({ params }, api) => {
    const address = params['address'] ?? '';
    await findNode(api, address);
    // Of two entries of one address the newer, invalid one goes first.
    await api.pool.query('delete from clusternode where id = (select max(id) from clusternode where lower(address) = lower($1))', [address]);
    await logToServer(api.pool, api.home, 'ADMIN', 'INFO', `Node ${address} was removed from the cluster.`);
    return noContent;
  }],
  ['GET', `${base}/nodeThreshold`, async (_request, api) => ok(await readThreshold(api))],
  ['PUT', `${base}/nodeThreshold`, async (request, api) => writeThreshold(api, json(request))],
  ['PATCH', `${base}/nodeThreshold`, async (request, api) => writeThreshold(api, applyPatch(await readThreshold(api), json(request)))],
];

interface Threshold {
  numberOfNodes: number;
  sendNotification: boolean;
  subject: string;
  notification: string;
}

async function readThreshold({ pool }: Api): Promise<Threshold> {
  const { rows } = await pool.query('select numberofnodes as "numberOfNodes", sendnotification as "sendNotification", subject, notification from nodethreshold');
  return rows[0] as Threshold;
}

async function writeThreshold(api: Api, threshold: Partial<Threshold>): Promise<Reply> {
  const { numberOfNodes, sendNotification = false, subject = '', notification = '' } = threshold;
  if (!Number.isInteger(numberOfNodes) || Number(numberOfNodes) < 0) throw new ApiError(400, 'numberOfNodes: must be a number of nodes');
  if (typeof sendNotification !== 'boolean') throw new ApiError(400, 'sendNotification: must be true or false');
  await api.pool.query('update nodethreshold set numberofnodes = $1, sendnotification = $2, subject = $3, notification = $4',
    [numberOfNodes, sendNotification, subject, notification]);
  return noContent;
}

async function requireCluster({ home, pool }: Api): Promise<void> {
  if (readLicences(home).enterpriseCluster || (await readNodes(pool)).length > 0) return;
  throw new ApiError(400, 'The server is not part of a cluster: the features licence has no Enterprise Cluster option.');
}

async function findNode({ pool }: Api, address: string) {
  const found = (await readNodes(pool)).find((node) => node.serverAddress.toLowerCase() === address.toLowerCase());
  if (!found) throw new ApiError(404, `The node ${address} was not found.`);
  return found;
}

function isAddress(text: string): boolean {
  return isIP(text) !== 0 || /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/i.test(text);
}
