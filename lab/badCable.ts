/**
 * A host's cable that is slow or loses packets: instead of the bridge it plugs into a small one of its own, and a program
 * (bad-cable.py) hands the frames on between the two. Every protocol has it alike, and nothing of the host or the product knows.
 */
import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { cable, switchName } from './network';
import { checkout, hostFolder } from './place';
import { hostNumber, type LabHost, type LabPlan } from './plan';
import { identify, isAlive, signal, type ProcessId } from './processes';
import { run, until } from './shell';

/** What a cable does to what goes over it. */
export interface CableFault {
  /** Added to a round trip, milliseconds. */
  slowMs: number;
  /** Of the packets of each direction, in percent. */
  lossPercent: number;
}

interface BadCable extends CableFault {
  process: ProcessId;
}

const sound: CableFault = { slowMs: 0, lossPercent: 0 };
const recordOf = (plan: LabPlan, host: LabHost): string => path.join(hostFolder(plan.name, host.name), 'cable.json');

function read(plan: LabPlan, host: LabHost): BadCable | undefined {
  const file = recordOf(plan, host);
  const found = fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, 'utf8')) as BadCable : undefined;
  return found !== undefined && isAlive(found.process) ? found : undefined;
}

/** How a host's cable is now. */
export function cableFault(plan: LabPlan, host: LabHost): CableFault {
  const { slowMs, lossPercent } = read(plan, host) ?? sound;
  return { slowMs, lossPercent };
}

/** Changes what a host's cable does; what is left out stays. A cable that does nothing is a plain one again. */
export async function setCableFault(plan: LabPlan, host: LabHost, change: Partial<CableFault>): Promise<void> {
  const before = read(plan, host);
  const wanted = { ...cableFault(plan, host), ...change };
  const ns = switchName(plan.index);
  const port = cable(plan.index, host);
  const number = hostNumber(host);
  const [side, outer, inner] = ['s', 'a', 'b'].map((letter) => `${ns}${letter}${number}`) as [string, string, string];
  const ip = (...args: string[]): Promise<string> => run('ip', ['-n', ns, ...args]);
  if (before !== undefined) {
    await ip('link', 'set', port, 'master', ns);
    signal(before.process, 'SIGKILL');
    await until(`the bad cable of ${host.name} to be gone`, () => !isAlive(before.process));
    await ip('link', 'del', side);
    fs.rmSync(recordOf(plan, host));
  }
  if (wanted.slowMs === 0 && wanted.lossPercent === 0) return;
  if (!fs.existsSync('/dev/net/tun')) throw new Error('this machine has no /dev/net/tun (a container gets one by --device /dev/net/tun), so a cable can be neither slow nor lossy');
  await ip('link', 'add', side, 'type', 'bridge', 'forward_delay', '0', 'mcast_snooping', '0');
  await ip('link', 'set', side, 'up');
  const log = path.join(hostFolder(plan.name, host.name), 'cable.log');
  const out = fs.openSync(log, 'w');
  const child = spawn('nsenter', [
    `--net=/run/netns/${ns}`, '--', '/usr/bin/python3', path.join(checkout, 'lab/bad-cable.py'),
    outer, inner, String(wanted.slowMs / 2), String(wanted.lossPercent / 100), String(plan.options.seed),
  ], { detached: true, stdio: ['ignore', 'ignore', out], cwd: '/' });
  fs.closeSync(out);
  child.unref();
  const process = identify(child.pid ?? 0);
  if (process === undefined) throw new Error(`the bad cable of ${host.name} did not start`);
  fs.writeFileSync(recordOf(plan, host), JSON.stringify({ ...wanted, process }));
  await until(`the bad cable of ${host.name}`, async () => {
    if (!isAlive(process)) throw new Error(fs.readFileSync(log, 'utf8').slice(-500));
    await ip('link', 'set', inner, 'master', side, 'up');
    await ip('link', 'set', outer, 'master', ns, 'up');
    return true;
  }, 5_000);
  await ip('link', 'set', port, 'master', side);
}
