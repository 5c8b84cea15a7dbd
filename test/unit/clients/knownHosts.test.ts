import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fingerprint, hostKeyAlgorithms, lookupName, parseKnownHosts, whyRefused } from '../../../src/clients/knownHosts';

jest.setTimeout(30_000);

let folder: string;
const keys: Record<string, string> = {};
const blob = (name: string): Buffer => Buffer.from(keys[name]!.split(' ')[1]!, 'base64');
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'st-known-'));
  for (const [name, type] of [['ed', 'ed25519'], ['ed2', 'ed25519'], ['ecdsa', 'ecdsa'], ['rsa', 'rsa']] as const) {
    execFileSync('ssh-keygen', ['-q', '-t', type, ...(type === 'rsa' ? ['-b', '2048'] : []), '-N', '', '-f', join(folder, name)]);
    keys[name] = readFileSync(join(folder, `${name}.pub`), 'utf8').split(' ').slice(0, 2).join(' ');
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const accepts = (text: string, address: string, port = 22, name = 'ed'): boolean => whyRefused(parseKnownHosts(text)(address, port), blob(name)) === undefined;

test('a name is found plain, among several, in any case, and with its port', () => {
  const text = `# comment\n\nst1,10.0.0.11 ${keys['ed']} a comment\n[st2]:2222 ${keys['ed']}\n`;
  expect(accepts(text, 'st1')).toBe(true);
  expect(accepts(text, 'ST1')).toBe(true);
  expect(accepts(text, '10.0.0.11')).toBe(true);
  expect(accepts(text, '10.0.0.1')).toBe(false);
  expect(accepts(text, 'st2', 2222)).toBe(true);
  expect(accepts(text, 'st2')).toBe(false);
  expect(accepts(text, 'st1', 2222)).toBe(false);
  expect(lookupName('St1', 22)).toBe('st1');
  expect(lookupName('fe80::1', 2022)).toBe('[fe80::1]:2022');
});

test('what ssh-keygen -H hashes is found, and nothing else', () => {
  const path = join(folder, 'hashed');
  writeFileSync(path, `st1 ${keys['ed']}\n10.0.0.12 ${keys['ed']}\n[10.0.0.13]:2222 ${keys['ed']}\n`);
  execFileSync('ssh-keygen', ['-q', '-H', '-f', path], { stdio: 'ignore' });
  const text = readFileSync(path, 'utf8');
  expect(text).not.toContain('10.0.0.12');
  expect(accepts(text, 'st1')).toBe(true);
  expect(accepts(text, '10.0.0.12')).toBe(true);
  expect(accepts(text, '10.0.0.13', 2222)).toBe(true);
  expect(accepts(text, '10.0.0.13')).toBe(false);
  expect(accepts(text, 'st2')).toBe(false);
});

test('patterns and their negation are as ssh has them', () => {
  const text = `*.example.com,!bad.example.com,10.0.?.1 ${keys['ed']}\n`;
  expect(accepts(text, 'a.example.com')).toBe(true);
  expect(accepts(text, 'bad.example.com')).toBe(false);
  expect(accepts(text, 'example.com')).toBe(false);
  expect(accepts(text, '10.0.7.1')).toBe(true);
  expect(accepts(text, '10.0.77.1')).toBe(false);
  expect(accepts(text, '10x0x7x1')).toBe(false);
});

test('several keys of one host are all accepted, and their types are asked for', () => {
  const text = `st1 ${keys['ed']}\nst1 ${keys['rsa']}\nst1 ${keys['ecdsa']}\n`;
  const entries = parseKnownHosts(text)('st1', 22);
  for (const name of ['ed', 'rsa', 'ecdsa']) expect(whyRefused(entries, blob(name))).toBeUndefined();
  expect(whyRefused(entries, blob('ed2'))).toContain(fingerprint(blob('ed2')));
  expect(hostKeyAlgorithms(entries.accepted)).toEqual(['ssh-ed25519', 'rsa-sha2-512', 'rsa-sha2-256', 'ecdsa-sha2-nistp256']);
});

test('a revoked key is refused whatever other lines say', () => {
  const text = `st1 ${keys['ed']}\nst1 ${keys['ed2']}\n@revoked * ${keys['ed']}\n`;
  expect(accepts(text, 'st1', 22, 'ed')).toBe(false);
  expect(accepts(text, 'st1', 22, 'ed2')).toBe(true);
});

test('a certificate authority is no host key, and the reason is told', () => {
  const entries = parseKnownHosts(`@cert-authority *.example.com ${keys['ed']}\n@strange st1.example.com ${keys['ed']}\n`)('st1.example.com', 22);
  expect(entries.accepted).toEqual([]);
  expect(entries.ignored).toEqual([expect.stringMatching(/line 1: .*@cert-authority/), expect.stringMatching(/line 2: .*@strange/)]);
});

test('lines that make no sense are passed over', () => {
  expect(accepts(`st1\n|1|broken ${keys['ed']}\n|2|a|b ${keys['ed']}\nst1 ssh-ed25519\nst1 ${keys['ed']}\r\n`, 'st1')).toBe(true);
});

test('a fingerprint reads as ssh-keygen prints it', () => {
  expect(execFileSync('ssh-keygen', ['-lf', join(folder, 'ed.pub')], { encoding: 'utf8' })).toContain(fingerprint(blob('ed')));
});
