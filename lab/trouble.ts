/**
 * What goes wrong on a host or on the way to it, short of its power and its cable: a firewall between two hosts, a clock that is
 * off, a disk that is full. Each can be taken back; a firewall stands outside of the hosts and stays when one is switched off.
 */
import { initOf } from './hosts';
import { mountTable } from './identity';
import { hostNamespace } from './network';
import { fileDriveHome, type LabHost, type LabPlan } from './plan';
import { run } from './shell';
import { misbehaviourFile, type Misbehaviour } from './standin/misbehaviour';

/** A TCP and UDP port, only one of the two, or everything. */
export interface Way {
  port?: number;
  protocol?: 'tcp' | 'udp';
}

/** `8088`, `8088/udp`. @throws Error that says what was expected. */
export function parseWay(text: string | undefined): Way {
  if (text === undefined) return {};
  const [, port, protocol] = /^(\d{1,5})(?:\/(tcp|udp))?$/.exec(text) ?? [];
  if (port === undefined || Number(port) < 1 || Number(port) > 65535) throw new Error(`port "${text}": expected a number from 1 to 65535, alone or with /tcp or /udp`);
  return { port: Number(port), ...(protocol === undefined ? {} : { protocol: protocol as 'tcp' | 'udp' }) };
}

const program = ({ options }: LabPlan): string => (options.ipv6 === true ? 'ip6tables' : 'iptables');

/** The rules stand where the packets arrive, so that the sender sees nothing of them: silence, as from a firewall in between. */
export async function setBlocked(plan: LabPlan, from: LabHost, to: LabHost, { port, protocol }: Way, blocked: boolean): Promise<void> {
  const iptables = (args: string[], accept: number[] = []): Promise<string> => run('ip', ['netns', 'exec', hostNamespace(plan.index, to.name), program(plan), '-w', ...args], { accept });
  for (const way of port === undefined ? [[]] : ['tcp', 'udp'].filter((one) => protocol === undefined || one === protocol).map((one) => ['-p', one, '--dport', String(port)])) {
    const rule = ['INPUT', '-s', from.address, ...way, '-m', 'comment', '--comment', 'lab', '-j', 'DROP'];
    await iptables(['-D', ...rule], [1]);
    if (blocked) await iptables(['-A', ...rule]);
  }
}

/** Lets everything in again, on all hosts. */
export async function unblockAll(plan: LabPlan): Promise<void> {
  await Promise.all(plan.hosts.map((host) => run('ip', ['netns', 'exec', hostNamespace(plan.index, host.name), program(plan), '-w', '-F', 'INPUT'])));
}

/** A shell script as root inside a host. */
async function inside(plan: LabPlan, host: LabHost, script: string, args: string[]): Promise<void> {
  const init = initOf(plan, host);
  if (init === undefined) throw new Error(`${host.name} is off`);
  await run('nsenter', [`--target=${init}`, '--mount', '--uts', '--ipc', '--net', '--pid', '--', '/bin/sh', '-euc', script, 'sh', ...args]);
}

const skewScript = String.raw`
own=/run/lab-clock
if [ -e $own/skewed ]; then umount /usr/bin/date; umount $own/date; rm -r $own; fi
if [ "$1" = 0 ]; then exit 0; fi
mkdir -p $own
touch $own/date
mount --bind /usr/bin/date $own/date
cat >$own/skewed <<EOF
#!/bin/sh
now=\$((\$($own/date +%s%N) + $1 * 1000000))
exec $own/date -d "@\$((now / 1000000000)).\$(printf %09d \$((now % 1000000000)))" "\$@"
EOF
chmod 755 $own/skewed
mount --bind $own/skewed /usr/bin/date
`;

/**
 * Sets a host's clock off by so many milliseconds (0: right again), as far as the command "date" tells it: the kernel has one clock for
 * all hosts. Right again after a power cut.
 */
export const skew = (plan: LabPlan, host: LabHost, ms: number): Promise<void> => inside(plan, host, skewScript, [String(ms)]);

const fillScript = String.raw`
folder=$1 own=/run/lab-full
if [ -e $own ]; then echo "$folder is full already" >&2; exit 1; fi
mkdir -p $own/kept $own/full
mount --bind "$folder" $own/kept
mount -t tmpfs -o "size=$(($(du -sk "$folder" | cut -f 1) + 512))k" lab-full $own/full
cp -a "$folder/." $own/full/
chown --reference="$folder" $own/full
chmod --reference="$folder" $own/full
cat /dev/zero >$own/full/.lab-full 2>/dev/null || :
mount --bind $own/full "$folder"
umount $own/full
`;
const emptyScript = String.raw`
folder=$1 own=/run/lab-full
if [ ! -e $own ]; then exit 0; fi
rm -f "$folder/.lab-full"
# What the host could still write meanwhile is kept.
cp -au "$folder/." $own/kept/
umount "$folder"
umount $own/kept
rm -r $own
`;

/** Makes the disk below a folder full: it moves to a small one without a free byte, with all its files. Over after a power cut. */
export const fill = (plan: LabPlan, host: LabHost, folder: string): Promise<void> => inside(plan, host, fillScript, [folder]);
/** Back on its own disk. */
export const empty = (plan: LabPlan, host: LabHost, folder: string): Promise<void> => inside(plan, host, emptyScript, [folder]);

/** Says that a Server has mounted the shared files with these options, in its table of mounts: what they are in truth stays. Over after a power cut. */
export const tellMount = (plan: LabPlan, host: LabHost, options: string): Promise<void> => inside(plan, host, 'printf "%s" "$1" >/etc/mtab', [mountTable(options)]);

/** Lets the Administration Tool of a Server or an Edge answer wrongly; `well`: as ever. Stays over a power cut. */
export const tellAnswers = (plan: LabPlan, host: LabHost, how: Misbehaviour | 'well'): Promise<void> =>
  inside(plan, host, 'if [ "$2" = well ]; then rm -f "$1"; else printf %s "$2" >"$1"; fi', [`${fileDriveHome}/${misbehaviourFile}`, how]);
