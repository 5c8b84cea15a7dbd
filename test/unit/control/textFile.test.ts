/** Files that are no texts, no files or without end, at the door of every verb that takes a cluster file. */
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadClusterBytes } from '../../../src/control/clusterFile';
import { decodeText } from '../../../src/control/textFile';
import { stctl } from '../cli/terminal';

const examples = readFileSync(join(__dirname, '../../../examples/cluster.yaml'), 'utf8');
let folder: string;
beforeAll(() => { folder = mkdtempSync(join(tmpdir(), 'st-text-')); });
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const load = (bytes: Buffer) => loadClusterBytes(bytes, 'cluster.yaml', { baseDir: '/estate' });
/** What `stctl validate` says of a file with this content, and that it says so at once. */
async function validate(file: string, content?: string | Buffer): Promise<string> {
  const path = content === undefined ? file : join(folder, file);
  if (content !== undefined) writeFileSync(path, content);
  const began = Date.now();
  const { code, stdout, stderr } = await stctl(['validate', path]);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(Date.now() - began).toBeLessThan(5_000);
  return stderr.replace(`${folder}/`, '');
}

test('a byte-order mark and Windows line ends change nothing', () => {
  const plain = load(Buffer.from(examples));
  expect(plain).toHaveProperty('spec');
  expect(load(Buffer.from(`\ufeff${examples}`))).toEqual(plain);
  expect(load(Buffer.from(examples.replaceAll('\n', '\r\n')))).toEqual(plain);
  expect(load(Buffer.from(`\ufeff${examples.replaceAll('\n', '\r\n').replace('10.20.0.13', '10.20.0.333')}`))).toEqual({ problems: [expect.stringMatching(/^cluster\.yaml:\d+:\d+ sites\.prod\.servers\[2\]\.address: /)] });
});

test('what is not UTF-8 is told with its place', () => {
  const latin = (text: string): Buffer => Buffer.from(text, 'latin1');
  expect(decodeText(latin('kind: Cluster\nmetadata: { name: d\xe4mo }\n'))).toEqual({ line: 2, column: 20, message: 'the byte 0xE4 is no UTF-8; save the file as UTF-8' });
  expect(decodeText(Buffer.from('größe'))).toEqual({ text: 'größe' });
  expect(decodeText(Buffer.from('größe').subarray(0, 3))).toEqual({ line: 1, column: 3, message: 'the byte 0xC3 is no UTF-8; save the file as UTF-8' });
  expect(decodeText(Buffer.from([]))).toEqual({ text: '' });
  for (const bytes of [Buffer.from('\ufeffkind: Cluster', 'utf16le'), Buffer.from('\ufeffkind: Cluster', 'utf16le').swap16()]) {
    expect(load(bytes)).toEqual({ problems: ['cluster.yaml:1:1 the file is UTF-16; save it as UTF-8'] });
  }
});

test('stctl says what is wrong with each, where, and does not hang', async () => {
  expect(await validate('latin.yaml', Buffer.from('metadata: { name: d\xe4mo }\n', 'latin1'))).toContain('latin.yaml:1:20 the byte 0xE4 is no UTF-8');
  expect(await validate('empty.yaml', '')).toContain('empty.yaml:1:1 the file is empty');
  expect(await validate('nul.yaml', 'kind: "Clu\0ster"\n')).toMatch(/^nul\.yaml:1:\d+ /);
  expect(await validate('two.yaml', `${examples}\n---\n${examples}`)).toContain('a second document begins here');
  expect(await validate('large.yaml', Buffer.alloc(3_000_000, '#'))).toContain('large.yaml: more than 1048576 bytes');
  expect(await validate('/dev/zero')).toContain('/dev/zero: more than 1048576 bytes');
  expect(await validate(folder)).toContain('is a folder; expected a cluster file');
  expect(await validate(join(folder, 'none.yaml'))).toContain('there is no such file');
});

test('a pipe is read like a file', async () => {
  const pipe = join(folder, 'pipe');
  execFileSync('mkfifo', [pipe]);
  // Not awaited: whoever opens one end waits for the other.
  spawn('sh', ['-c', 'cat "$1" >"$2"', 'sh', join(__dirname, '../../../examples/cluster.yaml'), pipe], { stdio: 'ignore' });
  expect(await stctl(['validate', pipe])).toMatchObject({ code: 0 });
});
