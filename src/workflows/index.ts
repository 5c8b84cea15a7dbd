/** Every workflow type, by explicit name: a barrel of stars loses exports when it is bundled. */
export { addNode } from './addNode';
export { adoptCluster } from './adoptCluster';
export { checkEnds } from './checkEnds';
export { checkHealth } from './checkHealth';
export { cluster } from './cluster';
export { keepMaintenance } from './keepMaintenance';
export { notify } from './notify';
export { rebalanceWorkload } from './rebalanceWorkload';
export { removeNode } from './removeNode';
export { replaceNode } from './replaceNode';
export { monitorCluster } from './monitorCluster';
export { rollingRestart } from './rollingRestart';
export { setUpCluster } from './setUpCluster';
export { updateCluster } from './updateCluster';
