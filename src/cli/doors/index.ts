/** The doors of all operations, in the order of `stctl --help`. */
import type { OperationDoor } from '../operationDoor';
import { adoptCluster } from './adoptCluster';
import { rebalanceWorkload } from './rebalanceWorkload';
import { removeNode } from './removeNode';
import { replaceNode } from './replaceNode';
import { setUpCluster } from './setUpCluster';

export const doors: OperationDoor[] = [setUpCluster, adoptCluster, rebalanceWorkload, removeNode, replaceNode];
