/** What a host that is to be a Server must be, against what one look at it told. Pure. */
import { isVersionOf, type HostFacts } from '../model/facts';
import type { Problem } from '../model/operation';
import { portsText } from '../model/ports';
import type { HostTarget } from '../model/targets';
import { listeningPorts, mountOptions, readFolder, type HostAnswer } from './hostScript';
import { readInstallationState } from './installationState';
import { hiddenProcesses } from './processLook';

export interface ExpectedHost {
  installer: string;
  /** Edges have none. */
  sharedPath: string | undefined;
  version: string;
  /** Those that the product will listen on, and nobody else may. */
  ports: number[];
}

/** The vendor names no sizes: what an installation and the first day's files need at least. */
const neededKb = 512 * 1024;
const neededTmpKb = 64 * 1024;
const neededInodes = 10_000;

type Add = (what: string, remedy: string) => void;

export function hostProblems(host: HostTarget, answer: HostAnswer, facts: HostFacts, expected: ExpectedHost): Problem[] {
  const problems: Problem[] = [];
  const add: Add = (what, remedy) => void problems.push({ what: `${host.node}: ${what}`, remedy });
  const { values, reach } = answer;
  if (values.get('os') !== 'Linux') add(`the operating system is ${values.get('os') ?? 'unknown'}, expected Linux`, 'run this cluster by the vendor\'s own procedure');
  fileSystems(host, answer, facts, expected, add);
  const refused = values.get('sudo') ?? '';
  if (refused !== '') add(`sudo refuses ${host.ssh.user} to run as ${host.productUser}: ${refused}`, 'allow the commands of docs/sudoers.example');
  // Where sudo refuses everything that is the reason, and told.
  else if (values.has('sudo') && values.get('processes') !== 'seen') problems.push(hiddenProcesses(host));
  const owner = values.get('cluster');
  if (owner && !/^\d+$/.test(values.get('epoch') ?? '')) add('~/.st-orchestrator/epoch is damaged', `write the line "${host.cluster} <epoch>" into it, with the epoch that "stctl status ${host.cluster}" tells`);
  if (owner && owner !== host.cluster) add(`this host belongs to cluster "${owner}"`, `remove it from "${owner}" first, or take it out of this cluster file`);
  for (const { address, port, result } of reach) {
    if (result === 'blocked') add(`${address} port ${port} can't be reached from here (no answer)`, 'open the port in this direction');
    if (result === 'unknown-name') add(`the name ${address} is not known here`, 'add it to DNS or /etc/hosts');
  }
  product(host, answer, facts, expected, add);
  return problems;
}

/** One sentence for all who meet a dead mount. */
export const hangs = (path: string): [what: string, remedy: string] =>
  [`${path} does not answer: whoever touches it hangs`, 'it is a dead mount: see to the machine that it comes from, or mount it again'];

function fileSystems(host: HostTarget, { values }: HostAnswer, { installation }: HostFacts, { installer, sharedPath }: ExpectedHost, add: Add): void {
  const parent = values.get('parent') ?? host.fileDriveHome;
  const room = (path: string, said: string | undefined, needed: number): void => {
    const found = readFolder(said);
    if (found.state === 'hangs') add(...hangs(path));
    if (found.state !== 'yes') return;
    if (found.freeKb < needed) add(`${found.freeKb} KB are free in ${path}, expected ${needed}`, 'make room');
    else if (found.freeInodes !== null && found.freeInodes < neededInodes) add(`${found.freeInodes} inodes are free in ${path}, expected ${neededInodes}`, 'make room: remove files, however small');
  };
  room(parent, values.get('home'), neededKb);
  room('/tmp', values.get('tmp'), neededTmpKb);
  if (sharedPath !== undefined) room(sharedPath, values.get('shared'), neededKb);
  if (sharedPath !== undefined && readFolder(values.get('shared')).state === 'no') add(`the shared file system is not mounted: ${sharedPath} is no folder`, 'mount it at this path');
  const home = mountOptions(values.get('home_mount'));
  if (home.includes('ro')) add(`${parent} is mounted read-only`, 'mount it read-write');
  if (home.includes('noexec')) add(`${parent} is mounted noexec: nothing of the product could run there`, 'mount it without noexec');
  if (installation !== 'complete' && mountOptions(values.get('tmp_mount')).includes('noexec')) {
    add('/tmp is mounted noexec: the installer runs programs from there', 'mount -o remount,exec /tmp for as long as the installation takes');
  }
  // Where a product stands the package is not needed; an adopted Server may have lost it long ago.
  if (installation === 'complete') return;
  if (values.get('package') === 'hangs') add(...hangs(installer));
  else if (values.get('package') !== 'yes') add(`no installer package: ${installer}/setup.sh is missing or not executable`, 'put the vendor\'s package there');
}

function product(host: HostTarget, { values, elsewhere }: HostAnswer, { installation, ours, version }: HostFacts, expected: ExpectedHost, add: Add): void {
  if (installation === 'unknown') {
    // That sudo refuses everything, or that nothing answers there, is told already.
    if (!values.has('sudo') || values.get('sudo')?.startsWith('everything')) return;
    const { why } = readInstallationState(values.get('installation') ?? '');
    return add(`what stands in ${host.fileDriveHome} can't be known: ${why}`, `give it back to ${host.productUser}, readable, and allow the commands of docs/sudoers.example`);
  }
  if (installation === 'none') {
    for (const path of elsewhere) add(`a product stands in ${path}, and FILEDRIVEHOME is ${host.fileDriveHome}: it is the same path on every Server`, 'correct product.fileDriveHome, or take that installation away');
    const taken = listeningPorts(values.get('listening'));
    const ours = expected.ports.filter((port) => taken.includes(port));
    if (ours.length > 0) add(`${ours.length === 1 ? 'port' : 'ports'} ${portsText(ours)}, which the product needs, ${ours.length === 1 ? 'is' : 'are'} taken by another program`, '"ss -ltnp" as root names it: end it there, or give the product another port');
    return;
  }
  if (!ours) return add(`a product stands in ${host.fileDriveHome} that no operation of this cluster installed`, 'adopt the cluster it belongs to, or take the host out of this cluster file');
  if (installation === 'complete' && version !== null && !isVersionOf(version, expected.version)) {
    add(`version ${version} is installed, expected ${expected.version}`, 'every Server of a cluster has the same version: update it, or correct product.version');
  }
}
