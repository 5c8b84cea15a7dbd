/** The doors of removeNode and replaceNode: their examples are what their command lines print. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { stctl } from './terminal';

const example = (name: string): unknown => JSON.parse(readFileSync(join(__dirname, '../../../examples', name), 'utf8'));

test.each<[string, string[]]>([
  ['remove-node.json', ['remove-node', '-c', 'demo', 'st3', '--graceful-timeout', '10m', '--blocking', 'payroll', '--reason', 'its hardware is replaced']],
  ['replace-node.json', ['replaceNode', '-c', 'demo', 'st3', 'st4', '--reason', 'st3 does not come back']],
])('examples/%s', async (name, words) => {
  const { code, stdout, stderr } = await stctl(['input', ...words]);
  expect({ code, stderr }).toMatchObject({ code: 0 });
  expect(JSON.parse(stdout)).toEqual(example(name));
});

test.each<[string, string[], string]>([
  ['no node', ['remove-node', '-c', 'demo'], 'nodes'],
  ['force without a reason', ['remove-node', '-c', 'demo', 'st3', '--force'], 'reason: expected the reason'],
  ['a node by itself', ['replace-node', '-c', 'demo', 'st3', 'st3'], 'by: expected another node than "st3"'],
  ['three nodes', ['replace-node', '-c', 'demo', 'st3', 'st4', 'st5'], 'takes [node] [by], found also "st5"'],
])('%s is refused before anything is started', async (_, words, said) => {
  const { code, stderr } = await stctl(['input', ...words]);
  expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(said) });
});
