/** Figures as people read them. Pure. */
import type { OperationFigures, StepFigure } from './figure';
import type { NodeFigures } from './nodes';
import type { SetUpFigures } from './setup';

/** What is aimed at, in milliseconds a step and events an activity. */
export const aims = { oneNode: 60, fanOut: 250, growth: 1.5, eventsPerActivity: 4.5 };

const seconds = (ms: number): string => (ms / 1000).toFixed(2);
const whole = (value: number): string => String(Math.round(value));

interface Added {
  mean: number;
  worst: StepFigure;
}

function added(steps: readonly StepFigure[]): Added | undefined {
  const [first] = steps;
  if (!first) return undefined;
  return { mean: steps.reduce((sum, step) => sum + step.added, 0) / steps.length, worst: steps.reduce((worst, step) => (step.added > worst.added ? step : worst), first) };
}

const addedText = (steps: readonly StepFigure[]): string => {
  const found = added(steps);
  return found ? `${whole(found.mean)} (${whole(found.worst.added)}: ${found.worst.key})` : '';
};

const oneNode = ({ steps }: OperationFigures): StepFigure[] => steps.filter(({ nodes }) => nodes === 1);
const fanOuts = ({ steps }: OperationFigures): StepFigure[] => steps.filter(({ nodes }) => nodes > 1);

const costHeader = ['total s', 'product alone s', 'added s', 'of it checks s', 'added ms a step, one node: mean (most)', 'fan-out: mean (most)', 'activities', 'events', 'events an activity', 'history KB'];
const costCells = (one: OperationFigures): string[] => [
  seconds(one.total), seconds(one.product), seconds(one.total - one.product), seconds(one.checks),
  addedText(oneNode(one)), addedText(fanOuts(one)), String(one.activities), String(one.events), (one.events / one.activities).toFixed(1), whole(one.bytes / 1024),
];

/** The table of docs/benchmarks.md, in Markdown. */
export function setUpTable(figures: readonly SetUpFigures[]): string {
  const rows = figures.map((one) => [String(one.servers), String(one.edges), `${one.productTimeMs} ms`, ...costCells(one)]);
  return [markdown([['Servers', 'Edges', 'product time', ...costHeader], ...rows]), '', ...growth(figures)].join('\n');
}

/** The same for operations on the nodes of a cluster that works. */
export function nodesTable(figures: readonly NodeFigures[]): string {
  const rows = figures.map((one) => [one.operation, String(one.servers), `${one.productTimeMs} ms`, String(one.steps.length), ...costCells(one)]);
  return markdown([['operation', 'Servers', 'product time', 'steps', ...costHeader], ...rows]);
}

/** How the time grows from 3 Servers to 20. */
function growth(figures: readonly SetUpFigures[]): string[] {
  return [...new Set(figures.map(({ productTimeMs }) => productTimeMs))].flatMap((time) => {
    const of = (count: number): SetUpFigures | undefined => figures.find(({ servers, edges, productTimeMs }) => servers === count && edges === 0 && productTimeMs === time);
    const [few, many] = [of(3), of(20)];
    return few && many ? [`20 Servers take ${(many.total / few.total).toFixed(2)} times as long as 3 at ${time} ms of product time (the product alone ${(many.product / few.product).toFixed(2)} times).`] : [];
  });
}

/** Every step and every activity type of one measurement, for those who look where the time goes. */
export function detailsText(figures: OperationFigures & { servers: number; productTimeMs: number; edges?: number; operation?: string }): string {
  const steps = figures.steps.map(({ key, nodes, took, product, added: extra }) => [key, String(nodes), whole(took), whole(product), whole(extra)]);
  const types = figures.types.map(({ type, count, waited, ran, longest, retried }) => [type, String(count), whole(waited), whole(ran), whole(longest), String(retried)]);
  return [
    `\n${figures.operation ?? 'setUpCluster'}: ${figures.servers} Servers${figures.edges ? `, ${figures.edges} Edges` : ''}, ${figures.productTimeMs} ms: ${seconds(figures.total)} s, product alone ${seconds(figures.product)} s, checks ${seconds(figures.checks)} s`,
    columns([['step', 'nodes', 'ms', 'product', 'added'], ...steps]),
    columns([['activity', 'count', 'waited ms', 'ran ms', 'longest', 'retried'], ...types]),
  ].join('\n');
}

const markdown = ([header = [], ...rows]: string[][]): string => [header, header.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');

function columns(rows: string[][]): string {
  const widths = (rows[0] ?? []).map((_, index) => Math.max(...rows.map((row) => row[index]!.length)));
  return rows.map((row) => `  ${row.map((cell, index) => (index === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[index]!))).join('  ')}`).join('\n');
}
