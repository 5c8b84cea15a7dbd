/**
 * How soon a Server that is gone is told as such: in the status, and by a mail that has reached its server. Every second one loses its power (its port refuses from
 * then on), the others their network cable (they are silent). Nodes fall in turn, the next when all are well.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { WorkflowHandle } from '@temporalio/client';
import type { LabMail } from '../../lab/mail/host';
import type { ClusterHealth } from '../../src/model/health';
import { momentOf, waitFor, type WatchedCluster } from './watched';

export interface Trial {
  node: string;
  way: 'kill' | 'cut';
  /** Milliseconds since 1970. */
  at: number;
  /** Milliseconds from there to the status that says so, and to the mail; NaN when none came. */
  status: number;
  mail: number;
}

export interface TrialFigures {
  name: string;
  settings: { interval: number; failuresToOffline: number };
  trials: Trial[];
}

const kinds = [
  { name: 'defaults', settings: { interval: 2_000, failuresToOffline: 3 } },
  { name: 'tuned', settings: { interval: 500, failuresToOffline: 2 } },
];
/** A node that is well is told so at once, so that its next failure is another one. */
const calm = 0;
/** For the mails of the last ones. */
const mailMs = 5_000;

export async function measureTrials(watched: WatchedCluster, { trials }: { trials: number }): Promise<TrialFigures[]> {
  const figures: TrialFigures[] = [];
  for (const { name, settings } of kinds) {
    const taken = await watched.watching({ ...settings, calm }, (monitor) => inTurn(watched, monitor, { trials, interval: settings.interval }));
    const mails = await watched.mails();
    figures.push({ name, settings, trials: taken.map((one, index) => ({ ...one, mail: mailOf(one, mails, taken.slice(index + 1).find(({ node }) => node === one.node)?.at) - one.at })) });
  }
  return figures;
}

const allWell = ({ nodes, watch }: ClusterHealth): boolean => nodes.every(({ state }) => state === 'Online') && watch?.incidents.length === 0;

async function inTurn({ estate, nodes }: WatchedCluster, monitor: WorkflowHandle, { trials, interval }: { trials: number; interval: number }): Promise<Trial[]> {
  const taken: Trial[] = [];
  for (let index = 0; index < trials; index += 1) {
    const node = nodes[index % nodes.length]!;
    await waitFor(monitor, allWell);
    // Not always at the same moment between two looks.
    await pause(Math.random() * interval);
    const way = index % 2 === 0 ? 'kill' : 'cut';
    const ordered = estate.lab(way, node);
    // It is seen before the command has ended, perhaps.
    const [at, seen] = await Promise.all([
      ordered.then(momentOf),
      waitFor(monitor, (health) => health.nodes.some((one) => one.node === node && one.state !== 'Online')).then(() => Date.now()),
    ]);
    if (process.env['ST_BENCH_VERBOSE']) console.error(`${node} ${way}: told after ${seen - at} ms`);
    taken.push({ node, way, at, status: seen - at, mail: NaN });
    await mailTaken(estate.dir, at);
    await estate.lab(way === 'kill' ? 'start' : 'heal', node);
  }
  await waitFor(monitor, allWell);
  await pause(mailMs);
  return taken;
}

/** Waits for the mail of a node that fell then, so that bringing it back takes no processor time from its telling; where the folder can't be read, for a while. */
async function mailTaken(dir: string, since: number): Promise<void> {
  const folder = join(dir, 'hosts/mail1/mails');
  // Two are told of each fall: that there are too few, and the node.
  const arrived = async (): Promise<boolean> => (await readdir(folder)).filter((name) => name.endsWith('.json') && Number(name.split('-')[0]) >= since).length >= 2;
  for (const ends = Date.now() + mailMs; Date.now() < ends && !(await arrived().catch(() => false)); ) await pause(25);
}

/** When the mail of this failure was taken by the mail server, in milliseconds since 1970. */
function mailOf({ node, at }: Trial, mails: readonly LabMail[], before = Infinity): number {
  const its = mails.filter((mail) => new RegExp(`\\b${node} of \\S+ is (Unknown|Offline)\\b`).test(mail.subject)).map((mail) => Date.parse(mail.at));
  return its.find((moment) => moment >= at && moment < before) ?? NaN;
}
