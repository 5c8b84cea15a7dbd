/** One operation beside the product alone, step by step. Pure. */
import type { ProductStep } from './bareHands';
import { checksMs, stepsOf, typesOf, type ActivityTimes, type TypeTimes } from './history';

export interface StepFigure {
  key: string;
  nodes: number;
  /** Milliseconds: in the operation, of the product alone, and the difference. */
  took: number;
  product: number;
  added: number;
}

export interface OperationFigures {
  /** Milliseconds, from the order to the report. */
  total: number;
  /** The product's critical path, measured alone. */
  product: number;
  checks: number;
  steps: StepFigure[];
  types: TypeTimes[];
  activities: number;
  events: number;
  bytes: number;
}

export function figureOf({ total, activities, events, bytes }: { total: number; activities: ActivityTimes[]; events: number; bytes: number }, alone: readonly ProductStep[]): OperationFigures {
  return {
    total, product: alone.reduce((sum, { ms }) => sum + ms, 0), checks: checksMs(activities), steps: compare(stepsOf(activities), alone), types: typesOf(activities),
    activities: activities.length, events, bytes,
  };
}

/** Steps without a command of the product (files, the epoch) took the product no time. */
function compare(steps: ReturnType<typeof stepsOf>, alone: readonly ProductStep[]): StepFigure[] {
  const left = [...alone];
  const figures = steps.map(({ key, nodes, ms }) => {
    const at = left.findIndex((one) => one.key === key && one.nodes === nodes);
    const product = at < 0 ? 0 : left.splice(at, 1)[0]!.ms;
    return { key, nodes, took: ms, product, added: ms - product };
  });
  if (left.length > 0) throw new Error(`the product alone did steps that the operation did not: ${left.map(({ key, nodes }) => `${key} (${nodes})`).join(', ')}`);
  return figures;
}
