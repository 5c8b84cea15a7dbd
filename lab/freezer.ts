/**
 * Freezing a host: the freezer of control groups, v1 or v2, where there is one; else SIGSTOP to every process of the host.
 * A frozen host keeps its connections and answers nothing.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { processesOfNamespace } from './processes';
import { until } from './shell';

const v1 = '/sys/fs/cgroup/freezer';
const v2 = ['/sys/fs/cgroup', '/sys/fs/cgroup/unified'];

/** The control group of a host, or undefined where the kernel offers no freezer. Creates it. */
export function makeGroup(lab: string, host: string): string | undefined {
  const name = `st-lab-${lab}-${host}`;
  const parents = fs.existsSync(path.join(v1, 'cgroup.procs')) ? [v1] : v2.filter((p) => fs.existsSync(path.join(p, 'cgroup.controllers')));
  for (const parent of parents) {
    const group = path.join(parent, name);
    try {
      fs.mkdirSync(group, { recursive: true });
      if (fs.existsSync(path.join(group, 'freezer.state')) || fs.existsSync(path.join(group, 'cgroup.freeze'))) return group;
      fs.rmdirSync(group);
    } catch {
      // read-only or not ours: the fallback serves
    }
  }
  return undefined;
}

/** Removes a host's control group once its processes are gone. */
export async function removeGroup(lab: string, host: string): Promise<void> {
  for (const parent of [v1, ...v2]) {
    const group = path.join(parent, `st-lab-${lab}-${host}`);
    if (!fs.existsSync(group)) continue;
    await until(`control group ${group} to be empty`, () => {
      fs.rmdirSync(group);
      return true;
    });
  }
}

/** Whether the group really holds this process: moving it in may have been refused. */
function holds(group: string, pid: number): boolean {
  return fs.readFileSync(path.join(group, 'cgroup.procs'), 'utf8').split('\n').includes(String(pid));
}

/** What was started on the host from outside, as the database is at power-on, is not in its group. */
function gather(group: string, init: number): void {
  const list = path.join(group, 'cgroup.procs');
  const held = new Set(fs.readFileSync(list, 'utf8').split('\n'));
  for (const { pid } of processesOfNamespace(init)) {
    if (held.has(String(pid))) continue;
    try {
      fs.writeFileSync(list, String(pid));
    } catch {
      // ended meanwhile
    }
  }
}

function write(group: string, frozen: boolean): void {
  const old = path.join(group, 'freezer.state');
  if (fs.existsSync(old)) fs.writeFileSync(old, frozen ? 'FROZEN' : 'THAWED');
  else fs.writeFileSync(path.join(group, 'cgroup.freeze'), frozen ? '1' : '0');
}

function readFrozen(group: string): boolean {
  const old = path.join(group, 'freezer.state');
  if (fs.existsSync(old)) return fs.readFileSync(old, 'utf8').trim() === 'FROZEN';
  return /^frozen 1$/m.test(fs.readFileSync(path.join(group, 'cgroup.events'), 'utf8'));
}

/** Stops or continues every process of a host; a process forked meanwhile is caught by the next look. */
async function signalAll(init: number, frozen: boolean): Promise<void> {
  await until(`all processes of the host to ${frozen ? 'stop' : 'go on'}`, () => {
    const others = processesOfNamespace(init).filter((p) => (p.state === 'T') !== frozen);
    for (const p of others) {
      try {
        process.kill(p.pid, frozen ? 'SIGSTOP' : 'SIGCONT');
      } catch {
        // ended meanwhile
      }
    }
    return others.length === 0;
  });
}

/** Freezes or thaws the host whose process 1 is `init`, and returns when it is so. */
export async function setFrozen(group: string | undefined, init: number, frozen: boolean): Promise<void> {
  if (group === undefined || !holds(group, init)) return signalAll(init, frozen);
  if (frozen) gather(group, init);
  write(group, frozen);
  await until(`control group ${group} to be ${frozen ? 'frozen' : 'thawed'}`, () => readFrozen(group) === frozen);
}

/** Whether the host whose process 1 is `init` is frozen. */
export function isFrozen(group: string | undefined, init: number): boolean {
  if (group !== undefined && fs.existsSync(group) && holds(group, init)) return readFrozen(group);
  const all = processesOfNamespace(init);
  return all.length > 0 && all.every((p) => p.state === 'T');
}
