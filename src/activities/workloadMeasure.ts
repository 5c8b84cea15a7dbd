/** Looks at the load over a window of time. What can't be seen is said, never an error: a measurement must not stop what is measured. */
import { setTimeout as delay } from 'node:timers/promises';
import type { AdminServer, Event } from '../clients/adminApi';
import { shorten } from '../model/shorten';
import type { ServerTarget } from '../model/targets';
import { isEventType } from '../model/workloadAttributes';
import type { NodeMeasure, QueueLoad, QueueMeasure } from '../model/workloadLoad';
import { abortSignal } from './context';
import type { Clients } from './clients';

const lookMs = 10_000;
/** Between two looks at the queue: a hundredth of the window, within these, and never less than a look takes. */
const pauses = { least: 100, most: 2_000 };

/** Type and node as the API tells them; the fact sheet names neither field, so what is not there is unknown and nobody's. */
const typeOf = ({ eventType }: Event): string => (typeof eventType === 'string' && isEventType(eventType) ? eventType : 'unknown');
const nodeOf = ({ node }: Event): string => (typeof node === 'string' ? node : '');

/** The whole queue, asked of one Server. Events that come and go between two looks are not seen. */
export async function measureQueue(clients: Clients, server: ServerTarget, windowMs: number): Promise<QueueMeasure> {
  const admin = clients.admin.server(server.admin);
  const halves: [QueueLoad, QueueLoad] = [{}, {}];
  const looks: [number, number] = [0, 0];
  const began = performance.now();
  const halfMs = windowMs / 2;
  let before = new Map<string, Event>();
  try {
    for (let at = 0; at < windowMs || looks[1] === 0; at = performance.now() - began) {
      const half = at < halfMs ? 0 : 1;
      const events = await admin.events({}, { timeoutMs: lookMs, signal: abortSignal() });
      const now = new Map(events.map((event) => [event.id, event]));
      for (const event of events) place(halves[half], event)[event.status === 'active' ? 'active' : 'waiting'] += 1;
      for (const [id, event] of before) if (!now.has(id)) place(halves[half], event).ended += 1;
      looks[half] += 1;
      before = now;
      const took = performance.now() - began - at;
      await delay(Math.max(took, Math.min(pauses.most, Math.max(pauses.least, windowMs / 100))), undefined, { signal: abortSignal() });
    }
  } catch (error) {
    if (abortSignal().aborted) throw error;
    return { what: 'queue', halves: null, halfMs, looks: 0, why: `the event queue, asked of ${server.node}: ${(error as Error).message}` };
  }
  return { what: 'queue', halves: halves.map((half, at) => average(half, looks[at]!)) as [QueueLoad, QueueLoad], halfMs, looks: looks[0] + looks[1] };
}

function place(load: QueueLoad, event: Event): { waiting: number; active: number; ended: number } {
  const types = (load[nodeOf(event)] ??= {});
  return (types[typeOf(event)] ??= { waiting: 0, active: 0, ended: 0 });
}

const average = (load: QueueLoad, looks: number): QueueLoad => Object.fromEntries(Object.entries(load).map(([node, types]) => [node,
  Object.fromEntries(Object.entries(types).map(([type, { waiting, active, ended }]) => [type, { waiting: waiting / Math.max(1, looks), active: active / Math.max(1, looks), ended }]))]));

/** Processors and sessions of one Server; `id` is how the queue names it. */
export async function measureNode(clients: Clients, server: ServerTarget, { windowMs, id }: { windowMs: number; id: string | null }): Promise<NodeMeasure> {
  const admin = clients.admin.server(server.admin);
  const began = performance.now();
  const failures: string[] = [];
  const orNull = <T>(what: string, reading: Promise<T>): Promise<T | null> => reading.catch((error: unknown) => {
    if (abortSignal().aborted) throw error;
    failures.push(`${server.node}: ${what}: ${(error as Error).message}`);
    return null;
  });
  const look = () => Promise.all([orNull('its processors', readProcessors(clients, server)), orNull('its sessions', sessionsOf(admin))]);
  const [first, open] = await look();
  await delay(Math.max(0, windowMs - (performance.now() - began)), undefined, { signal: abortSignal() });
  const [last, later] = await look();
  return {
    what: 'node', node: server.node, ids: [...(id === null ? [] : [id]), server.address, server.node], cores: last?.cores ?? first?.cores ?? null,
    cpu: first && last && last.all > first.all ? (last.busy - first.busy) / (last.all - first.all) : null,
    sessions: open === null || later === null ? null : (open + later) / 2,
    ...(failures.length > 0 ? { why: shorten([...new Set(failures)].join('; '), 400) } : {}),
  };
}

const sessionsOf = async (admin: AdminServer): Promise<number> => (await admin.sessions({ timeoutMs: lookMs, signal: abortSignal() })).length;

interface Processors {
  cores: number;
  /** Ticks since the host began. */
  busy: number;
  all: number;
}

async function readProcessors({ ssh }: Clients, server: ServerTarget): Promise<Processors> {
  const { stdout } = await ssh.run(server.ssh, ['cat', '/proc/stat'], { timeoutMs: lookMs, signal: abortSignal(), purpose: `${server.node}: reading /proc/stat` });
  return processorsIn(stdout);
}

/** Of the text of `/proc/stat`: idle and waiting for disks is not busy; time of guests is in that of users already. */
export function processorsIn(text: string): Processors {
  const ticks = (/^cpu\s+(.*)$/m.exec(text)?.[1] ?? '').split(/\s+/).map(Number).slice(0, 8);
  const all = ticks.reduce((total, value) => total + value, 0);
  return { cores: (text.match(/^cpu\d+ /gm) ?? []).length, busy: all - (ticks[3] ?? 0) - (ticks[4] ?? 0), all };
}
