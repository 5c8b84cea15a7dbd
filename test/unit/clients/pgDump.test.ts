/** The dump program as a child of the worker: what it is told, what it is not, and how its end is told. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { dumpVersion, startDump } from '../../../src/clients/pgDump';
import type { DatabaseTarget } from '../../../src/model/targets';

const folder = mkdtempSync(join(tmpdir(), 'st-dump-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function program(body: string): string {
  const path = join(folder, `program-${Math.random().toString(36).slice(2)}`);
  writeFileSync(path, `#!/bin/sh\n${body}\n`);
  chmodSync(path, 0o755);
  return path;
}

const target: DatabaseTarget = { cluster: 'demo', kind: 'postgresql', host: 'db.example.com', port: 5433, name: 'demo', user: 'st', password: 'env:DB_PASSWORD', ca: '/ca.pem', tablespaces: [] };
const env = { DB_PASSWORD: 'correct horse', OTHER_SECRET: 'stays here' };

test('knows its version, and that there is none', async () => {
  expect(await dumpVersion(program('echo "pg_dump (PostgreSQL) 15.18 (Debian 15.18-1)"'))).toBe(15);
  expect(await dumpVersion(program('echo "pg_dump (PostgreSQL) 18beta1"'))).toBe(18);
  expect(await dumpVersion(program('exit 1'))).toBeUndefined();
  expect(await dumpVersion(join(folder, 'not-there'))).toBeUndefined();
});

test('the password goes by the environment and by nothing else, and no other secret goes at all', async () => {
  const dump = await startDump(program('echo "$*"; env | sort'), target, { env });
  const said = await text(dump.stream);
  await dump.ended;
  const [line, ...variables] = said.trim().split('\n');
  expect(line).toBe('--format=custom --no-password --host=db.example.com --port=5433 --username=st --dbname=demo');
  expect(variables).toEqual(expect.arrayContaining(['PGPASSWORD=correct horse', 'PGSSLMODE=verify-full', 'PGSSLROOTCERT=/ca.pem']));
  expect(said).not.toContain('stays here');
});

test('what ends badly says why, without the password', async () => {
  const dump = await startDump(program('echo half; echo "connection with correct horse refused" >&2; exit 3'), target, { env });
  dump.stream.resume();
  await expect(dump.ended).rejects.toMatchObject({ code: 'RemoteCommandFailed', message: expect.stringMatching(/ended with 3: connection with \*\*\* refused$/) });
  await expect((await startDump(join(folder, 'not-there'), target, { env })).ended).rejects.toMatchObject({ code: 'RemoteCommandFailed', message: expect.stringContaining('ENOENT') });
});

test('is ended when nobody waits for it any more', async () => {
  const stop = new AbortController();
  const dump = await startDump(program('exec sleep 60'), target, { env, signal: stop.signal });
  stop.abort();
  await expect(dump.ended).rejects.toMatchObject({ name: 'AbortError' });
});
