/**
 * The spec of a cluster: what an operations engineer writes down (`ClusterFile`) and what everything else works with (`ClusterSpec`):
 * defaults merged into every node, ranges expanded, durations in milliseconds, plain JSON. Who is a member is state, never spec.
 */
import { checkHygiene } from './hygiene';
import { clusterFileSchema } from './clusterFileSchema';
import { normalise } from './normalise';
import { problemsFromZod, type InputProblem } from './problems';
import { checkSlices } from './slices';
import { checkRules } from './specRules';
import type { ClusterSpec } from './specTypes';

export type * from './specTypes';
export { type ClusterFile, apiVersion, protocols } from './clusterFileSchema';
export { type InputProblem, formatPath, formatProblem } from './problems';

export type ParsedSpec = { spec: ClusterSpec; problems?: undefined } | { spec?: undefined; problems: InputProblem[] };

/**
 * Checks a value of the shape of a cluster file, or an already normalised spec, and normalises it: parsing the result again gives the same.
 * All problems are found at once, at most one for each place. Paths must be absolute already.
 */
export function parseClusterSpec(value: unknown): ParsedSpec {
  const hygiene = checkHygiene(value, { prose: ([first, second, third]) => first === 'notifications' && second === 'templates' && third === 'body' });
  if (hygiene.fatal) return { problems: hygiene.problems };
  const parsed = clusterFileSchema().safeParse(value, { reportInput: true });
  const problems = [...hygiene.problems, ...(parsed.error ? problemsFromZod(parsed.error) : []), ...checkRules(value)];
  if (problems.length > 0 || !parsed.success) return { problems: firstOfEachPlace(problems) };
  const spec = normalise(parsed.data);
  const oversized = checkSlices(spec);
  return oversized.length > 0 ? { problems: oversized } : { spec };
}

function firstOfEachPlace(problems: InputProblem[]): InputProblem[] {
  const first = new Map<string, InputProblem>();
  for (const problem of problems) {
    const place = JSON.stringify(problem.path);
    if (!first.has(place)) first.set(place, problem);
  }
  return [...first.values()];
}
