/** Tells one event by every way that the cluster file names. The ways don't wait for each other, and each is tried for a day. */
import { proxyActivities, setCurrentDetails } from '@temporalio/workflow';
import type { NotificationActivities, Told } from '../activities/notifications';
import { firstPauseMs, longestPauseMs, notifyInput, triesWithin, waysOut, type NotificationReport, type NotifyInput, type Way } from '../model/notifications';
import { formatProblem, listProblems, problemsFromZod } from '../model/problems';
import { describe, failure } from './operation/failures';

const defaultPatienceMs = 24 * 60 * 60_000;

/** Fails only when nothing arrived: a list of failed workflows is then the list of what nobody was told. */
export async function notify(raw: NotifyInput): Promise<NotificationReport> {
  const parsed = notifyInput().safeParse(raw, { reportInput: true });
  if (!parsed.success) throw failure('InvalidInput', `The input of notify is wrong; nobody was told. ${listProblems(problemsFromZod(parsed.error).map(formatProblem))}`);
  const { event, notifications, patience } = raw;
  const ways = waysOut(notifications);
  const names = Object.keys(ways) as Way[];
  if (names.length === 0) throw failure('InvalidInput', 'notifications: expected smtp (with from and to), webhook or command; nobody was told.');
  const rows = names.map((way) => ({ way, state: 'being tried', note: '' }));
  const show = (): void => setCurrentDetails(['**' + event.summary + '**', '', '| Way | | |', '|---|---|---|', ...rows.map(({ way, state, note }) => `| ${way} | ${state} | ${note.replace(/[|\n]/g, ' ')} |`)].join('\n'));
  const tries = triesWithin(patience ?? defaultPatienceMs);
  show();
  const told = await Promise.all(names.map(async (way, index) => {
    const row = rows[index]!;
    const found = await tellBy(way, { event, ...ways[way] }, tries).then(({ note }) => ({ way, arrived: true, note }), (error: unknown) => ({ way, arrived: false, note: describe(error).message }));
    Object.assign(row, { state: found.arrived ? 'arrived' : 'did not arrive', note: found.note });
    show();
    return found;
  }));
  if (told.every(({ arrived }) => !arrived)) throw failure('NotYet', `Nobody was told of "${event.summary}": ${told.map(({ way, note }) => `${way}: ${note}`).join('; ')}`);
  return { apiVersion: 'st-orchestrator/v1', kind: 'NotificationReport', event: event.id, cluster: event.cluster, ways: told };
}

/** A mail that was handed over just before a worker died is sent again, under the same id. */
function tellBy(way: Way, input: object, tries: number): Promise<Told> {
  const activities = proxyActivities<Record<string, (input: object) => Promise<Told>>>({
    activityId: way, summary: `tell by ${way}`, startToCloseTimeout: '60s', heartbeatTimeout: '5s',
    retry: { initialInterval: firstPauseMs, maximumInterval: longestPauseMs, maximumAttempts: tries },
  });
  return activities[`notifications.${way satisfies keyof NotificationActivities}`]!(input);
}
