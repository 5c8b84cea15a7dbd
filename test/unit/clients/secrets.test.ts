import { chmodSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { credentialFingerprint, resolveSecret, secret } from '../../../src/clients/secrets';

jest.setTimeout(30_000);

const value = 'hunter2 très secret';
let folder: string;
beforeAll(() => { folder = mkdtempSync(join(tmpdir(), 'st-secrets-')); });
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, content: string, mode = 0o600): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  chmodSync(path, mode);
  return path;
}

const refusal = async (ref: string, options = {}): Promise<{ code: string; message: string }> => {
  const error = await resolveSecret(ref, options).then(() => { throw new Error(`${ref} was resolved`); }, (one: unknown) => one as { code: string; message: string; stack: string });
  expect(error.code).toBe('SecretUnavailable');
  expect(`${error.message}${inspect(error)}${JSON.stringify(error)}`).not.toContain(value);
  return error;
};

test('a secret prints as *** however it is printed, and reveals itself only on demand', () => {
  const one = secret(value);
  const seen = [String(one), 'joined with '.concat(one as unknown as string), JSON.stringify({ one }), inspect({ deep: { one } }, { depth: 9, showHidden: true }), inspect(one), Object.values(one).map(String).join()];
  for (const text of seen.slice(0, 5)) expect(text).toContain('***');
  for (const text of seen) expect(text).not.toContain(value);
  expect(one.reveal()).toBe(value);
});

test('env, file and command references are resolved, less one trailing newline', async () => {
  expect((await resolveSecret('env:PW', { env: { PW: value } })).reveal()).toBe(value);
  expect((await resolveSecret(`file:${file('one', `${value}\n`)}`)).reveal()).toBe(value);
  expect((await resolveSecret(`file:${file('two', `${value}\n\n`)}`)).reveal()).toBe(`${value}\n`);
  expect((await resolveSecret(`file:${file('crlf', `${value}\r\n`, 0o400)}`)).reveal()).toBe(value);
  expect((await resolveSecret(`command:/bin/cat "${file('with space', value)}"`)).reveal()).toBe(value);
});

test('a file that others may read, a relative path, a folder, nothing and emptiness are refused with the remedy', async () => {
  expect((await refusal(`file:${file('open', value, 0o644)}`)).message).toMatch(/mode is 644 .* chmod 600/);
  expect((await refusal(`file:${file('group', value, 0o640)}`)).message).toMatch(/mode is 640/);
  expect((await refusal('file:./secrets/password')).message).toContain('absolute');
  expect((await refusal(`file:${folder}`)).message).toContain('regular file');
  expect((await refusal(`file:${folder}/none`)).message).toContain('does not exist');
  expect((await refusal(`file:${file('empty', '\n')}`)).message).toContain('empty');
  expect((await refusal('env:NOT_SET', { env: {} })).message).toContain('not set');
});

test('a literal where a reference is due is refused and not repeated', async () => {
  await refusal(value);
  await refusal('');
  await refusal('file:');
});

test('a command is no shell code', async () => {
  expect((await resolveSecret('command:/bin/echo $(id);`id`')).reveal()).toBe('$(id);`id`');
});

test('a command that fails, hangs or talks too much is refused without what it said', async () => {
  const script = file('script.sh', `#!/bin/sh\necho '${value}'; echo '${value}' >&2; exit 3\n`, 0o700);
  expect((await refusal(`command:${script}`)).message).toContain('exit code 3');
  const begun = Date.now();
  expect((await refusal('command:/bin/sleep 30', { timeoutMs: 100 })).message).toContain('100 ms');
  expect(Date.now() - begun).toBeLessThan(5000);
  expect((await refusal('command:/usr/bin/yes x')).message).toContain('more than');
  expect((await refusal('command:/no/such/program')).message).toContain('does not exist');
});

test('the fingerprint of a credential changes with it and does not hold it', async () => {
  const path = file('changing', value);
  const before = await credentialFingerprint(`file:${path}`);
  expect(await credentialFingerprint(`file:${path}`)).toBe(before);
  utimesSync(path, new Date(), new Date(Date.now() + 5000));
  expect(await credentialFingerprint(`file:${path}`)).not.toBe(before);
  const one = await credentialFingerprint('env:PW', { env: { PW: value } });
  expect(one).not.toContain(value);
  expect(await credentialFingerprint('env:PW', { env: { PW: 'other' } })).not.toBe(one);
});
