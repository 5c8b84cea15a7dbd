/** Checks: all reads of a group at once, all failures at once, and nothing after the first step. */
import type { CheckRow, Problem } from '../../model/operation';
import type { Check, Comparison } from './context';
import { bug, describe, failure, isCancellation } from './failures';
import { now, show, titleOf, type Run } from './run';
import { problemsOf, problemsText, refusing, stepKey, unread } from './steps';
import { perform } from './tasks';

export async function runChecks(run: Run, group: Record<string, Check<unknown>>, compare?: Comparison<Record<string, unknown>>): Promise<Record<string, unknown>> {
  const factsOf = (): Record<string, unknown> => Object.fromEntries(Object.keys(group).map((name) => [name, run.facts.get(name)]));
  if (!run.acting) {
    if (run.book.steps.length > 0) throw bug('a check after the first step');
    await Promise.all(Object.entries(group).map(async ([name, check]) => run.facts.set(name, await read(run, name, check))));
    if (compare) {
      const problems = compare.problems(found(factsOf()), Object.fromEntries(run.measured));
      run.book.checks.push({ key: `check/compare/${Object.keys(group).join('+')}`, title: compare.title, state: stateOf(problems), problems, endedAt: now() });
    }
    const problems = problemsOf(run.book);
    if (problems.length > 0) throw failure('PreconditionFailed', problemsText(problems));
  }
  return factsOf();
}

async function read(run: Run, name: string, check: Check<unknown>): Promise<unknown> {
  const facts = await Promise.all(check.reads.map(async ({ node, task }) => {
    const row: CheckRow = { key: stepKey(`check/${name}`, node), title: check.title, ...(node !== undefined ? { node } : {}), state: 'running', problems: [] };
    run.book.checks.push(row);
    try {
      const result = await perform(task, { key: row.key, summary: titleOf(row), kind: 'check', authority: run.authority });
      row.problems = result.problems;
      if (result.measured !== undefined) run.measured.set(name, [...(run.measured.get(name) ?? []), result.measured]);
      return result.facts;
    } catch (error) {
      if (isCancellation(error)) throw error;
      row.problems = [unread(describe(error), { node, silent: check.silent })];
      return undefined;
    } finally {
      row.state = stateOf(row.problems);
      row.endedAt = now();
      show(run);
    }
  }));
  return check.each ? facts : facts[0];
}

const stateOf = (problems: Problem[]): CheckRow['state'] => (refusing(problems).length > 0 ? 'failed' : 'passed');

/** Facts of the reads that succeeded: what failed is reported by itself. */
const found = (facts: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(facts).map(([name, fact]) => [name, Array.isArray(fact) ? fact.filter((one) => one !== undefined) : fact]));
