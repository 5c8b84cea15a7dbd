/** Every workflow type, by explicit name: a barrel of stars loses exports when it is bundled. */
export { cluster } from './cluster';
export { setUpCluster } from './setUpCluster';
