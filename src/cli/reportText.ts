/** Reports and plans as people read them. Pure. */
import type { Colors } from 'picocolors/types';
import { isWarning, type OperationReport, type StepRow } from '../model/operation';
import { stepSums } from '../model/stepSums';
import { count, duration, oneLine, table, time, waitsText } from './output';

const paintState = (colors: Colors) => (text: string, header: string): string => {
  if (header !== 'STATE') return text;
  const state = text.trim();
  if (/failed|offline|interrupted/i.test(state)) return colors.red(text);
  if (/^(done|passed|completed|active)$/.test(state)) return colors.green(text);
  return /waiting|skipped|undone|held/.test(state) ? colors.yellow(text) : text;
};

const stepCells = (row: StepRow, index: number) => [index + 1, row.title, row.node, row.state, row.took === undefined ? undefined : duration(row.took), row.waits ? waitsText(row.waits) : row.note];

/** Every step, one line each. */
export const stepTable = ({ steps }: OperationReport, colors: Colors): string => table(['#', 'STEP', 'NODE', 'STATE', 'TOOK', 'NOTE'], steps.map(stepCells), paintState(colors));

/** "12 checks passed. 14 steps: 9 done, 5 left as they were." */
function sums({ checks, steps, outcome }: OperationReport): string {
  const passed = checks.filter(({ state }) => state === 'passed').length;
  const failed = checks.length - passed;
  const checked = checks.length === 0 ? 'No check ran' : failed === 0 ? `${count(passed, 'check')} passed` : `${passed} of ${count(checks.length, 'check')} passed`;
  if (steps.length === 0) return `${checked}; no step was ${outcome === 'nothing to do' || outcome === 'planned' ? 'needed' : 'begun'}.`;
  return `${checked}. ${count(steps.length, 'step')}: ${stepSums(steps)}.`;
}

/** What does not hold, or only deserves a look, with its check and its remedy. */
function told({ checks }: OperationReport, warnings: boolean): string[] {
  const lines = checks.flatMap(({ title, node, problems }) => problems.filter((problem) => isWarning(problem) === warnings).map(({ what, remedy }) =>
    `  - ${oneLine(`${title}${node ? ` (${node})` : ''}: ${what}`)}${remedy ? `\n    remedy: ${oneLine(remedy)}` : ''}`));
  return lines.length === 0 ? [] : ['', warnings ? 'Worth a look, though nothing was refused for it:' : 'What does not hold:', ...lines];
}

const took = ({ startedAt, endedAt }: OperationReport, now: Date): number => (endedAt ? Date.parse(endedAt) : now.getTime()) - Date.parse(startedAt);

/** How long it has been as it is, which is not how long it runs. */
const standing = ({ phaseSince, startedAt }: OperationReport, now: Date): string =>
  `${phaseSince === undefined ? '' : ` for ${duration(now.getTime() - Date.parse(phaseSince))}`}, begun ${duration(now.getTime() - Date.parse(startedAt))} ago`;

/** The short report: a headline, the sums, and what is unusual. */
export function reportText(report: OperationReport, colors: Colors, { full = false, now = new Date() }: { full?: boolean; now?: Date } = {}): string {
  const { operation, cluster, outcome, epoch, revision, summary, unfinished, byHand = [], decisions, workflowId, requestedBy, reason } = report;
  const state = outcome === 'running' ? report.phase : outcome;
  const colour = outcome === 'completed' || outcome === 'nothing to do' || outcome === 'planned' ? colors.green : outcome === 'failed' ? colors.red : colors.yellow;
  return [
    `${operation} ${cluster}: ${colour(state)}${outcome === 'running' ? standing(report, now) : ` after ${duration(took(report, now))}`}    ${[workflowId, epoch === undefined ? '' : `epoch ${epoch}`, revision === undefined ? '' : `revision ${revision}`].filter(Boolean).join(', ')}`,
    ...(requestedBy ? [`Asked for by ${requestedBy} (as claimed)${reason ? `: ${reason}` : ''}`] : []),
    // Further lines list what does not hold; the failure, or the full report, does that with the remedies.
    summary.split('\n')[0]!.replace(/:$/, '.'),
    sums(report),
    ...(full ? told(report, false) : []),
    ...told(report, true),
    ...(full && report.steps.length > 0 ? ['', stepTable(report, colors)] : []),
    ...(unfinished.length > 0 ? ['', 'Unfinished:', ...unfinished.map((line) => `  - ${oneLine(line)}`)] : []),
    ...(byHand.length > 0 ? ['', 'Left for a person:', ...byHand.map((line) => `  - ${oneLine(line)}`)] : []),
    ...(decisions.length > 0 ? ['', 'Decisions:', ...decisions.map((one) => `  - ${time(one.at)} ${one.by} (as claimed): ${one.do} ${one.step}${one.node ? ` (${one.node})` : ''}, ${oneLine(one.reason)}`)] : []),
    ...(full ? ['', `Now:  ${report.now}`, `Next: ${report.next}`] : []),
  ].join('\n');
}

/** On how many of its nodes a step must succeed. */
const needText = ({ need }: StepRow): string | undefined => (need === undefined ? undefined : typeof need === 'number' ? `at least ${need}` : need);

/** A plan: what was checked, what would be done, and how to run exactly that. */
export function planText(report: OperationReport, colors: Colors, howToRun: string): string {
  const { operation, cluster, fingerprint, revision, checks, steps, worstCaseMs } = report;
  const passed = checks.filter(({ state }) => state === 'passed');
  const titles = [...new Set(passed.map(({ title }) => title))].map((title) => {
    const nodes = passed.filter((check) => check.title === title).flatMap(({ node }) => (node ? [node] : []));
    return `  ${colors.green('✔')} ${title}${nodes.length > 0 ? `: ${nodes.join(', ')}` : ''}`;
  });
  return [
    `Plan ${operation} ${cluster}    fingerprint ${colors.bold(fingerprint ?? '-')}, revision ${revision ?? '-'}`,
    '',
    `${count(passed.length, 'check')} passed`,
    ...titles,
    ...told(report, true),
    '',
    ...(steps.length === 0 ? ['Nothing would be done: everything asked for is as it should be.'] : [`${count(steps.length, 'step')} would be done`, table(['#', 'STEP', 'NODE', 'NEED', 'UNDO'], steps.map((row, index) => [index + 1, row.title, row.node, needText(row), row.undo ?? 'none']))]),
    '',
    ...(worstCaseMs === undefined ? [] : [`At worst ${duration(worstCaseMs)}: every step's longest, one after the other, after all its patience; a step that can't go on for so long fails before.`]),
    'Nothing has been changed. A plan proves that the checks pass now; it can\'t prove that a step will succeed.',
    ...(steps.length === 0 ? [] : [`Run exactly this: ${colors.bold(howToRun)}`, 'It refuses when the spec, the cluster or a fact that was checked has changed since.']),
  ].join('\n');
}
