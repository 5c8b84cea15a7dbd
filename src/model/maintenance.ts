/** Maintenance windows of the record: times in which the failures of some nodes are expected. Pure; each change idempotent, and none without an end. */
import { z } from 'zod';
import type { ClusterRecord, Maintenance } from './cluster';
import type { ErrorCode } from './errors';
import { duration, durationText, matching, nodeName, strict, timeWithZone } from './fields';
import { fingerprint } from './fingerprint';
import { line } from './inputs';
import { didYouMean } from './problems';

const longestMs = 7 * 86_400_000;
const most = 50;

/** `nodes` empty: the whole cluster. `for`: a duration from now. */
const start = strict({ nodes: z.array(nodeName).max(120), until: timeWithZone.optional(), for: duration(60_000, longestMs).optional(), reason: line, ticket: line.optional(), by: line }).check((ctx) => {
  const { until, for: long } = ctx.value;
  if ((until === undefined) === (long === undefined)) ctx.issues.push({ code: 'custom', path: ['until'], message: 'expected either "until" or "for": a window always ends', input: until });
});

/** What people send to the record's update `maintenance`: one of the two. */
export const maintenanceRequest = () => strict({ start: start.optional(), end: matching(/^m-[0-9a-f]{12}$/, 'the id of a window, such as m-0123456789ab').optional() }).check((ctx) => {
  if ((ctx.value.start === undefined) === (ctx.value.end === undefined)) ctx.issues.push({ code: 'custom', path: [], message: 'expected one of "start" and "end"', input: undefined });
});
export type MaintenanceRequest = z.input<ReturnType<typeof maintenanceRequest>>;
export type ParsedMaintenanceRequest = z.output<ReturnType<typeof maintenanceRequest>>;

export interface MaintenanceAnswer {
  /** What was started or ended. */
  window: Maintenance;
  /** Those that are open now. */
  open: Maintenance[];
}

type Refused = { refused: ErrorCode; message: string };

export const isOpen = ({ since, until }: Maintenance, at: string): boolean => Date.parse(since) <= Date.parse(at) && Date.parse(at) < Date.parse(until);

/** The windows that are open at a time; readers ask with their own clock, since the record drops what is over only when somebody looks. */
export const openWindows = (windows: readonly Maintenance[], at: string): Maintenance[] => windows.filter((window) => isOpen(window, at));

/** The open window that expects failures of this node, if any. */
export const maintenanceOf = (windows: readonly Maintenance[], node: string, at: string): Maintenance | undefined =>
  openWindows(windows, at).find(({ nodes }) => nodes.length === 0 || nodes.includes(node));

const sentence = (text: string): string => (/[.?]$/.test(text) ? text : `${text}.`);

/** Opens a window; asked for again with the same words and the same end it is the one that is open. Windows may overlap: a node is in maintenance until the last of its windows has ended. */
export function startWindow(record: ClusterRecord, { nodes, until, for: long, reason, ticket, by }: NonNullable<ParsedMaintenanceRequest['start']>, at: string): MaintenanceAnswer | Refused {
  const refused = (message: string): Refused => ({ refused: 'InvalidInput', message: `${sentence(message)} Nothing was changed.` });
  if (!record.spec) return { refused: 'UnknownCluster', message: `Cluster "${record.name}" has no spec yet. Nothing was changed.` };
  const known = Object.values(record.spec.sites).flatMap(({ servers, edges }) => [...servers, ...edges].map(({ name }) => name));
  const unknown = nodes.find((node) => !known.includes(node));
  if (unknown !== undefined) return refused(`nodes: "${record.name}" has no node ${unknown}${didYouMean(unknown, known) || `; its nodes are ${known.join(', ')}`}`);
  const now = Date.parse(at);
  const end = until === undefined ? now + long! : Date.parse(until);
  if (!(end > now)) return refused(`until: expected a time after now (${at}), found ${until}.`);
  if (end - now > longestMs) return refused(`until: a window lasts at most ${durationText(longestMs)}, so that none is forgotten.`);
  expireWindows(record, at);
  if (record.maintenance.length >= most) return refused(`${most} windows are open; end one first.`);
  const window: Maintenance = { id: `m-${fingerprint({ nodes, at, end, reason, by })}`, nodes: [...new Set(nodes)], since: at, until: new Date(end).toISOString(), reason, by, ...(ticket !== undefined ? { ticket } : {}) };
  const same = record.maintenance.find((open) => fingerprint({ ...open, id: '', since: '' }) === fingerprint({ ...window, id: '', since: '' }));
  if (!same) record.maintenance = [...record.maintenance, window];
  return { window: same ?? window, open: record.maintenance };
}

/** Ends a window before its time. */
export function endWindow(record: ClusterRecord, id: string, at: string): MaintenanceAnswer | Refused {
  const window = record.maintenance.find((one) => one.id === id);
  expireWindows(record, at);
  record.maintenance = record.maintenance.filter((one) => one.id !== id);
  if (!window) return { refused: 'InvalidInput', message: `"${record.name}" has no open window ${id}${record.maintenance.length > 0 ? `; it has ${record.maintenance.map((one) => one.id).join(', ')}` : ''}. Nothing was changed.` };
  return { window, open: record.maintenance };
}

/** Drops what is over. What has not begun stays: clocks differ a little, and a window that was just opened must not be lost to one that is behind. */
export function expireWindows(record: ClusterRecord, at: string): void {
  record.maintenance = record.maintenance.filter(({ until }) => Date.parse(at) < Date.parse(until));
}

/** The update by which `keepMaintenance` looks at the record; `remember`: whether the product's own threshold mail was on before it was kept still, null to forget it. */
export interface KeepRequest {
  remember?: boolean | null;
}
export interface KeepAnswer {
  open: Maintenance[];
  /** As it was before the first of the open windows; undefined while nobody has looked. */
  productMailWasOn?: boolean;
}

/** What is first remembered stands until it is forgotten: whoever looks again finds the mail kept still by us. */
export function keepWindows(record: ClusterRecord, { remember }: KeepRequest, at: string): KeepAnswer {
  expireWindows(record, at);
  if (remember === null) {
    if (record.maintenance.length === 0) delete record.productMailWasOn;
  } else if (remember !== undefined && record.productMailWasOn === undefined) record.productMailWasOn = remember;
  return { open: record.maintenance, ...(record.productMailWasOn !== undefined ? { productMailWasOn: record.productMailWasOn } : {}) };
}
