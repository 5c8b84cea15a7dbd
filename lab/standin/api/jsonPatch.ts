import { ApiError } from './http';

interface Operation {
  op: string;
  path: string;
  value?: unknown;
}

/**
 * Applies `add`, `replace`, `remove` and `test` of a JSON Patch to a copy of `document`. A path that leads nowhere is 400 `Missing field`,
 * as the product says it; an empty patch changes nothing.
 */
export function applyPatch<T>(document: T, patch: unknown): T {
  if (!Array.isArray(patch)) throw new ApiError(400, 'The request body is not a JSON Patch.');
  const copy = structuredClone(document);
  for (const operation of patch as Operation[]) apply(copy, operation);
  return copy;
}

function apply(document: unknown, { op, path, value }: Operation): void {
  const parts = String(path ?? '').split('/').slice(1).map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
  const last = parts.pop();
  let target = document as Record<string, unknown>;
  for (const part of parts) target = (target?.[part] ?? missing(path)) as Record<string, unknown>;
  if (last === undefined || typeof target !== 'object') missing(path);
  const list = Array.isArray(target) ? (target as unknown[]) : undefined;
  const there = list ? Number(last) < list.length : last in target;
  if (op === 'add' && list) list.splice(last === '-' ? list.length : Number(last), 0, value);
  else if (!there) missing(path);
  else if (op === 'add' || op === 'replace') target[last] = value;
  else if (op === 'remove' && list) list.splice(Number(last), 1);
  else if (op === 'remove') delete target[last];
  else if (op === 'test') { if (JSON.stringify(target[last]) !== JSON.stringify(value)) throw new ApiError(400, `The test of ${path} failed.`); }
  else throw new ApiError(400, `Unknown operation ${op}.`);
}

function missing(path: string): never {
  throw new ApiError(400, `Missing field: ${path}`);
}
