import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../../../lab/shell';
import { createPrograms } from '../../../src/clients/program';

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'st-program-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const programs = createPrograms({ env: { PATH: process.env['PATH'], SMTP_PASSWORD: 'hunter22' } });
function program(body: string): string {
  const file = join(folder, 'tell');
  writeFileSync(file, `#!/bin/sh\n${body}\n`, { mode: 0o755 });
  return file;
}

test('a program reads the event from its standard input, gets its arguments as they are, and none of the worker\'s secrets', async () => {
  const out = join(folder, 'out');
  await programs.run([program('cat >"$1"; printf "%s|" "$2" "$ST_EVENT_ID" "$SMTP_PASSWORD" >>"$1"'), out, 'a b; $(reboot)'], { summary: 'st1 is Offline' }, { env: { ST_EVENT_ID: 'e.1' } });
  expect(readFileSync(out, 'utf8')).toBe('{"summary":"st1 is Offline"}\na b; $(reboot)|e.1||');
});

test('what it said last is told when it fails, and a program that is not there is named', async () => {
  await expect(programs.run([program(`printf '%s' "${'x'.repeat(2_000)} the pager is off" >&2; exit 3`)], {})).rejects.toMatchObject({ code: 'RemoteCommandFailed', message: expect.stringMatching(/tell ended with exit code 3\. It said: x{1,500} the pager is off$/) });
  await expect(programs.run([join(folder, 'none')], {})).rejects.toMatchObject({ code: 'RemoteCommandFailed', message: expect.stringMatching(/none could not be started on the worker's host: ENOENT\.$/) });
});

test('one that does not read its input, or reads a large one late, is fine', async () => {
  await programs.run(['/bin/true'], { text: 'x'.repeat(1_000_000) });
  await programs.run([program('sleep 0.1; cat >/dev/null')], { text: 'x'.repeat(1_000_000) });
});

test('one that does not end is killed with all that it started; so is one that is no longer wanted', async () => {
  const file = program(`sleep 60 & echo $! >"${folder}/child"; echo waiting; wait`);
  await expect(programs.run([file], {}, { timeoutMs: 300 })).rejects.toMatchObject({ code: 'NotYet', message: expect.stringMatching(/not finished within 300 ms; it was killed\. It said: waiting$/) });
  const isGone = (): boolean => !existsSync(`/proc/${readFileSync(join(folder, 'child'), 'utf8').trim()}/cmdline`) || readFileSync(`/proc/${readFileSync(join(folder, 'child'), 'utf8').trim()}/cmdline`, 'utf8') === '';
  await until('the end of its child', isGone);
  const stop = new AbortController();
  const running = programs.run([file], {}, { signal: stop.signal });
  setTimeout(() => stop.abort(new Error('no longer')), 100);
  await expect(running).rejects.toThrow('no longer');
  await until('the end of its child', isGone);
});
