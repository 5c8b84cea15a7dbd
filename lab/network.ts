/**
 * The lab's network: a bridge in a network namespace of its own (`stl<n>`), so that neither the machine's firewall nor its
 * routes have a say in it; every host plugs in with a cable (veth pair), and so does the machine itself, as the first of its subnet.
 */
import { hostNumber, subnet, type LabHost, type LabPlan } from './plan';
import { run } from './shell';

/** Name of the bridge, of the namespace it stands in, and of the machine's interface into it. */
export const switchName = (index: number): string => `stl${index}`;
export const hostNamespace = (index: number, host: string): string => `stl${index}-${host}`;
/** The switch's end of a host's cable. */
export const cable = (index: number, host: LabHost): string => `stl${index}v${hostNumber(host)}`;

/** Applies many `ip` commands in one process, in namespace `ns` or the machine's own. */
const ipBatch = (commands: string[], ns?: string): Promise<string> =>
  run('ip', [...(ns === undefined ? [] : ['-n', ns]), '-batch', '-'], { input: `${commands.join('\n')}\n` });

/** Builds the switch, all cables and all hosts' network namespaces. */
export async function buildNetwork(plan: LabPlan): Promise<void> {
  const ns = switchName(plan.index);
  await ipBatch([`netns add ${ns}`, ...plan.hosts.map((h) => `netns add ${hostNamespace(plan.index, h.name)}`)]);
  await ipBatch([
    `link add ${ns} type bridge forward_delay 0 mcast_snooping 0`,
    `link set ${ns} up`,
    `link add ${ns}up type veth peer name ${ns}m`,
    `link set ${ns}up master ${ns} up`,
    ...plan.hosts.flatMap((h) => {
      const port = cable(plan.index, h);
      return [
        `link add ${port} type veth peer name eth0 netns ${hostNamespace(plan.index, h.name)}`,
        `link set ${port} master ${ns} up`,
      ];
    }),
  ], ns);
  // The machine's end arrives under a name of its own, as the bridge holds the other inside the namespace.
  await run('ip', ['-n', ns, 'link', 'set', `${ns}m`, 'netns', String(process.pid), 'name', ns]);
  const { at, prefix } = subnet(plan);
  // An IPv6 address is otherwise looked for in the network for a second before it can be used.
  const address = (one: string, device: string): string => `addr add ${one}/${prefix} dev ${device}${plan.options.ipv6 === true ? ' nodad' : ''}`;
  await ipBatch([address(at(1), ns), `link set ${ns} up`]);
  await Promise.all(plan.hosts.map((h) => ipBatch(
    ['link set lo up', address(h.address, 'eth0'), 'link set eth0 up', `route add default via ${at(1)}`],
    hostNamespace(plan.index, h.name),
  )));
}

/** Names of the network namespaces of a subnet that exist. */
export async function namespacesOf(index: number): Promise<string[]> {
  const listed = await run('ip', ['netns', 'list']);
  const mine = new RegExp(`^stl${index}(-|$)`);
  return listed.split('\n').map((line) => line.split(' ')[0] ?? '').filter((name) => mine.test(name));
}

/** Process ids in a network namespace. */
export async function processesIn(namespace: string): Promise<number[]> {
  return (await run('ip', ['netns', 'pids', namespace])).split('\n').filter(Boolean).map(Number);
}

/** Removes all that `buildNetwork` made; what is gone already is fine. The processes in it have ended before. */
export async function removeNetwork(index: number): Promise<void> {
  // Deleting the machine's end takes the pair at once; a namespace's own devices go a moment after it.
  await run('ip', ['link', 'del', switchName(index)], { accept: [1] });
  for (const namespace of await namespacesOf(index)) await run('ip', ['netns', 'del', namespace]);
}

/** Pulls (`down`) or plugs in (`up`) a host's cable at the switch. */
export async function setCable(plan: LabPlan, host: LabHost, state: 'up' | 'down'): Promise<void> {
  await run('ip', ['-n', switchName(plan.index), 'link', 'set', cable(plan.index, host), state]);
}

/** Names of the cables that are pulled; none when the network is not there. */
export async function pulledCables(index: number): Promise<Set<string>> {
  const text = await run('ip', ['-j', '-n', switchName(index), 'link', 'show'], { accept: [1, 255] });
  const links = text.trim() === '' ? [] : (JSON.parse(text) as { ifname: string; flags: string[] }[]);
  return new Set(links.filter((l) => !l.flags.includes('UP')).map((l) => l.ifname));
}
