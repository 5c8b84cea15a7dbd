/** What of a lab's snapshot lasts: what an operator set, and what runs; not the partners' files, nor what is remembered of stops and of programs that have ended. */
import type { LabSnapshot } from '../../lab/snapshot';

/** Says by which operation a host was gated, and when. */
const sentence = 'SecureTransport/bin/st-orchestrator-gate.closed';

/** `cluster`: whose database is looked at. A local option that says what its default says is as good as none. */
export function lasting({ hosts, databases, balancer }: LabSnapshot, cluster: string): object {
  const { configurationoption = [], configurationoptionlocal = [], nodeservice = [], clusternode = [] } = databases[cluster.replaceAll('-', '_')] ?? {};
  const byDefault = (name: unknown): unknown => configurationoption.find((option) => option['name'] === name)?.['defaultvalue'];
  const local = configurationoptionlocal.filter(({ name, value }) => JSON.stringify(value) !== JSON.stringify(byDefault(name)));
  // A node that was removed leaves its rows as they were when it was stopped; who lost its power says for ever that it runs.
  const services = nodeservice.filter(({ localconfigurationsid: id }) => clusternode.some((node) => node['localconfigurationsid'] === id));
  const machines = Object.entries(hosts).map(([name, { files, markers, ...host }]) => [name, {
    ...host, files: { ...files, ...(sentence in files ? { [sentence]: 'closed' } : {}) }, markers: markers.filter((file) => !/^(stops|jobs|updates)\//.test(file)),
  }]);
  return { hosts: Object.fromEntries(machines), balancer, configurationoption, local, nodeservice: services, clusternode };
}
