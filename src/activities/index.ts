/** All activities under their registered names, `group.method`. The one list: what is not here does not exist for workflows. */
import type { Client } from '@temporalio/client';
import type { Authority } from '../model/targets';
import { additionActivities } from './additions';
import { administratorActivities } from './administrators';
import { adoptionActivities } from './adoption';
import { backupActivities } from './backups';
import { cacheAddressActivities } from './cacheAddress';
import type { Clients } from './clients';
import { databaseActivities } from './database';
import { discoveryActivities } from './discovery';
import { edgeActivities } from './edges';
import { endActivities } from './ends';
import { fileActivities } from './files';
import { gateActivities } from './gates';
import { hostActivities } from './hosts';
import { installationActivities } from './installation';
import { leaseActivities } from './leases';
import { loadBalancerActivities } from './loadBalancer';
import { maintenanceActivities } from './maintenance';
import { networkActivities } from './network';
import { notificationActivities } from './notifications';
import { restartActivities } from './restarts';
import { serverActivities } from './servers';
import { stopActivities } from './stops';
import { workloadActivities } from './workload';
import { watchingActivities } from './watching';

export interface ActivityDependencies {
  clients: Clients;
  /** The worker's own Temporal client, for the records. */
  temporal: Client;
  taskQueue: string;
}

export type RegisteredActivities = Record<string, (input: never, authority: Authority) => Promise<unknown>>;

export function createActivities(dependencies: ActivityDependencies): RegisteredActivities {
  return flatten({
    leases: leaseActivities(dependencies),
    hosts: hostActivities(dependencies),
    network: networkActivities(dependencies),
    edges: edgeActivities(dependencies),
    installation: installationActivities(dependencies),
    servers: serverActivities(dependencies),
    stops: stopActivities(dependencies),
    restarts: restartActivities(dependencies),
    database: databaseActivities(dependencies),
    gates: gateActivities(dependencies),
    cache: cacheAddressActivities(dependencies),
    ends: endActivities(dependencies),
    files: fileActivities(dependencies),
    backups: backupActivities(dependencies),
    administrators: administratorActivities(dependencies),
    additions: additionActivities(dependencies),
    adoption: adoptionActivities(dependencies),
    discovery: discoveryActivities(dependencies),
    loadBalancer: loadBalancerActivities(dependencies),
    maintenance: maintenanceActivities(dependencies),
    notifications: notificationActivities(dependencies),
    workload: workloadActivities(dependencies),
    watching: watchingActivities(dependencies),
  });
}

function flatten(groups: Record<string, object>): RegisteredActivities {
  const entries = Object.entries(groups).flatMap(([group, methods]) => Object.entries(methods).map(([method, act]) => [`${group}.${method}`, act] as const));
  return Object.fromEntries(entries) as RegisteredActivities;
}
