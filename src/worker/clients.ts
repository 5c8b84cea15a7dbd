/** Makes the clients that activities work with: once per process, shared by all activities, closed when the worker has ended. */
import type { ActivityDependencies } from '../activities';
import { createClients as create } from '../clients';

export type Clients = ActivityDependencies['clients'];

export const createClients = (): Clients & { close(): Promise<void> } => create();
