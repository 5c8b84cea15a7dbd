/** What people see of an operation: the live table in the Temporal UI and the sentences of the report. Pure. */
import { isWarning, type CheckRow, type OperationReport, type StepRow } from '../../model/operation';
import { shorten } from '../../model/shorten';

const icons: Record<string, string> = {
  planned: '·', running: '▶', done: '✔', failed: '✖', waiting: '⏸', skipped: '↷', undoing: '↶', undone: '↶', 'undo failed': '✖', passed: '✔',
};

/** "1 step", "2 steps". */
export const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;

const cell = (text: string): string => shorten(text.replace(/\s+/g, ' '), 160).replaceAll('|', '\\|');
const seconds = (ms?: number): string => (ms === undefined ? '' : `${(ms / 1000).toFixed(1)} s`);

/** Temporal allows 20 KB of details. */
const longest = 18_000;
const mostRows = 100;
/** Rows before the first that is not done. */
const shownBefore = 10;

/** Rows around the present. */
export function visible(steps: StepRow[], most = mostRows): { rows: StepRow[]; left: number } {
  if (steps.length <= most) return { rows: steps, left: 0 };
  const present = steps.findIndex((row) => row.state !== 'done' && row.state !== 'skipped');
  const first = present < 0 ? steps.length - most : Math.max(0, Math.min(present - shownBefore, steps.length - most));
  return { rows: steps.slice(first, first + most), left: steps.length - most };
}

const warningLine = (check: CheckRow): string => `| ⚠ | ${cell(check.title)} | ${check.node ?? ''} | warning | | ${cell(check.problems.filter(isWarning).map(({ what }) => what).join('; '))} |`;
const checkLine = (check: CheckRow): string => `| ${icons[check.state] ?? ''} | ${cell(check.title)} | ${check.node ?? ''} | ${check.state} | | ${cell(check.problems.map(({ what }) => what).join('; '))} |`;
const stepLine = (row: StepRow): string => `| ${icons[row.state] ?? ''} | ${cell(row.title)} | ${row.node ?? ''} | ${row.state} | ${seconds(row.took)} | ${cell(row.note ?? '')} |`;

/** The current details: who is it, where is it, what comes next, what can a person do; then the table. Markdown, at most 18 KB. */
export function details(report: OperationReport): string {
  const done = report.steps.filter((row) => row.state === 'done').length;
  const upNext = report.steps.find((row) => row.state === 'planned');
  const head = [
    `**${report.operation}** of **${report.cluster}**${report.dryRun ? ' (dry run)' : ''}: ${report.phase}${report.steps.length > 0 ? `, ${done} of ${report.steps.length} steps done` : ''}`,
    '',
    report.summary,
    `**Now:** ${report.now}`,
    `**Next:** ${upNext && report.phase === 'working' ? `${upNext.title}${upNext.node ? ` (${upNext.node})` : ''}. ` : ''}${report.next}`,
    '',
    '| | Step | Node | State | Took | |',
    '|---|---|---|---|---|---|',
  ];
  const failedChecks = report.checks.filter((check) => check.state !== 'passed');
  const passed = report.checks.length - failedChecks.length;
  const rows = passed > 0 ? [`| ✔ | ${counted(passed, 'check')} | | passed | | |`] : [];
  rows.push(...failedChecks.map(checkLine), ...report.checks.filter(({ state, problems }) => state === 'passed' && problems.length > 0).map(warningLine));
  const { rows: steps, left } = visible(report.steps);
  if (left > 0) rows.push(`| | ${left} more are in the query "report" | | | | |`);
  rows.push(...steps.map(stepLine));
  let text = head.join('\n');
  for (const row of rows) {
    if (text.length + row.length + 1 > longest) break;
    text += `\n${row}`;
  }
  return text;
}
