/**
 * Processes as /proc tells them. A process is known by its id and its start time together, so that an id that was given
 * out again is never mistaken for it; nothing is ever found or ended by name.
 */
import * as fs from 'node:fs';

export interface ProcessId {
  pid: number;
  /** Clock ticks after the machine's boot. */
  started: string;
}

interface Stat {
  state: string;
  parent: number;
  started: string;
}

function stat(pid: number): Stat | undefined {
  try {
    const text = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the command's name in brackets and may hold anything, brackets and blanks included.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return { state: fields[0] ?? '', parent: Number(fields[1]), started: fields[19] ?? '' };
  } catch {
    return undefined;
  }
}

/** Identifies a process that runs now. */
export function identify(pid: number): ProcessId | undefined {
  const now = stat(pid);
  return now === undefined ? undefined : { pid, started: now.started };
}

/** Whether this very process still exists and is not merely waiting to be reaped. */
export function isAlive(id: ProcessId): boolean {
  const now = stat(id.pid);
  return now !== undefined && now.started === id.started && now.state !== 'Z' && now.state !== 'X';
}

/** Sends a signal to this very process; gone is fine. */
export function signal(id: ProcessId, name: NodeJS.Signals): void {
  if (!isAlive(id)) return;
  try {
    process.kill(id.pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

const allPids = (): number[] => fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number);

/** Direct children of a process. */
export function childrenOf(pid: number): number[] {
  return allPids().filter((p) => stat(p)?.parent === pid);
}

export interface NamespaceProcess {
  /** As the machine knows it. */
  pid: number;
  /** As the host itself knows it. */
  inner: number;
  state: string;
}

/** All processes of the process namespace whose process 1 is `init`; zombies left out. */
export function processesOfNamespace(init: number): NamespaceProcess[] {
  const namespace = (pid: number): string | undefined => {
    try {
      return fs.readlinkSync(`/proc/${pid}/ns/pid`);
    } catch {
      return undefined;
    }
  };
  const wanted = namespace(init);
  if (wanted === undefined) return [];
  const found: NamespaceProcess[] = [];
  for (const pid of allPids()) {
    if (namespace(pid) !== wanted) continue;
    const now = stat(pid);
    if (now === undefined || now.state === 'Z') continue;
    try {
      const ids = /^NSpid:\s+(.*)$/m.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]?.split(/\s+/) ?? [];
      found.push({ pid, inner: Number(ids.at(-1)), state: now.state });
    } catch {
      // ended while we looked
    }
  }
  return found;
}
