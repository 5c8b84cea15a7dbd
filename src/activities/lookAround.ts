/** What stands around the nodes and may explain what happens to them: database, shared files, balancers, streaming connections. Each bounded in time. */
import { haproxyOverSsh, readMapFile } from '../clients/haproxy';
import { readStateFile } from '../clients/haproxyState';
import { isSilence } from '../model/errors';
import { shorten } from '../model/shorten';
import type { Protocol } from '../model/spec';
import type { BalancerTarget, DatabaseTarget, HostTarget, ServerTarget } from '../model/targets';
import type { BalancerSight, DatabaseSight, Found } from '../model/watch';
import type { Clients } from './clients';
import { edgesConnected, type EdgeAddress } from './edgeConnections';
import { folderFunction } from './hostScript';
import { productOn } from './product';

export interface Limits {
  timeoutMs: number;
  signal?: AbortSignal;
}

/** A plain connection and select, as the product needs one. */
export async function lookAtDatabase({ postgres }: Pick<Clients, 'postgres'>, target: DatabaseTarget, { timeoutMs, signal }: Limits): Promise<DatabaseSight> {
  try {
    await postgres.withDatabase(target, (client) => client.query('select 1'), { connectTimeoutMs: timeoutMs, statementTimeoutMs: timeoutMs, ...(signal ? { signal } : {}) });
    return { well: true };
  } catch (error) {
    signal?.throwIfAborted();
    return { well: false, why: short(error), ...(isSilence(error) ? { out: true } : {}) };
  }
}

/** Whoever touches a dead mount hangs with it: the script's child does, and is left behind after four seconds. Undefined where the host can't be asked. */
export async function lookAtSharedFiles(clients: Clients, host: HostTarget, path: string, limits: Limits): Promise<Found> {
  try {
    const { stdout } = await productOn(clients, host).readScript(`${folderFunction}\nfolder "$1"\n`, [path], { ...limits, purpose: `looking at ${path}` });
    const [state = ''] = stdout.trim().split(' ');
    if (state === 'yes') return { well: true };
    return { well: false, why: state === 'hangs' ? `${path} hangs on ${host.node}` : `${path} is not there on ${host.node}` };
  } catch {
    limits.signal?.throwIfAborted();
    return undefined;
  }
}

export async function lookAtBalancer({ ssh }: Pick<Clients, 'ssh'>, balancer: BalancerTarget, limits: Limits): Promise<BalancerSight> {
  try {
    const haproxy = haproxyOverSsh(ssh, balancer.ssh, balancer.socket);
    const [rows, map, file, saved] = await Promise.all([
      haproxy.showStat(limits), haproxy.showMap(balancer.map, limits), readMapFile(ssh, balancer.ssh, balancer.map, limits),
      balancer.stateFile === undefined ? undefined : readStateFile(ssh, balancer.ssh, balancer.stateFile, limits).catch(() => undefined),
    ]);
    const runtime = Object.fromEntries(rows.filter((row) => row['pxname'] === balancer.healthBackend && row['svname'] !== 'BACKEND').map((row) => [row['svname'] ?? '', row['status'] ?? '']));
    const wanted = balancer.siteBackends[balancer.site] ?? '';
    const [now, kept] = [map[balancer.mapKey], file[balancer.mapKey]];
    const trouble = now !== kept ? `${balancer.name}: its map sends to ${now ?? 'nobody'} in memory and to ${kept ?? 'nobody'} after a reload`
      : now !== wanted ? `${balancer.name}: sends to ${now ?? 'nobody'}, not to ${wanted}` : undefined;
    return {
      name: balancer.name, runtime, ...(trouble === undefined ? {} : { trouble }), out: now !== wanted,
      ...(saved ? { file: Object.fromEntries(saved.filter(({ backend }) => backend === balancer.healthBackend).map(({ server, admin }) => [server, admin.forcedMaint ? 'MAINT' : admin.forcedDrain ? 'DRAIN' : 'UP'])) } : {}),
    };
  } catch (error) {
    limits.signal?.throwIfAborted();
    return { name: balancer.name, trouble: `${balancer.name} can't be asked: ${short(error)}`, ...(isSilence(error) ? { out: true } : {}) };
  }
}

/** The Edges that this Server's Transaction Manager is connected to; undefined where it can't be asked. */
export async function lookAtStreaming(clients: Clients, server: ServerTarget, edges: readonly EdgeAddress[], { protocols, timeoutMs, signal }: Limits & { protocols: readonly Protocol[] }): Promise<string[] | undefined> {
  try {
    return await edgesConnected(clients, server, { edges, protocols, limits: { timeoutMs, ...(signal ? { signal } : {}) } });
  } catch {
    signal?.throwIfAborted();
    return undefined;
  }
}

const short = (error: unknown): string => shorten(error instanceof Error ? error.message : String(error), 300);
