/** The doors of all operations, in the order of `stctl --help`. */
import type { OperationDoor } from '../operationDoor';
import { addNode } from './addNode';
import { adoptCluster } from './adoptCluster';
import { rebalanceWorkload } from './rebalanceWorkload';
import { removeNode } from './removeNode';
import { replaceNode } from './replaceNode';
import { rollingRestart } from './rollingRestart';
import { setUpCluster } from './setUpCluster';
import { updateCluster } from './updateCluster';

export const doors: OperationDoor[] = [setUpCluster, adoptCluster, rebalanceWorkload, removeNode, replaceNode, rollingRestart, updateCluster, addNode];
