import type { Api } from './http';

/** Writes an accepted write of an administrator to the audit log; never fails, because a log entry must not undo what was done. */
export async function recordWrite({ pool }: Api, administrator: string, { method, path }: { method: string; path: string }): Promise<void> {
  if (['GET', 'HEAD'].includes(method) || path === '/myself') return;
  await pool.query('insert into auditlog (username, operation, objectname) values ($1, $2, $3)', [administrator, method, path]).catch(() => undefined);
}
