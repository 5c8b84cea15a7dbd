import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { addNodeInput } from '../../../src/model/addNodeInput';
import { parseInput } from '../../../src/model/inputs';

test('examples/add-node.json is a valid input of addNode', () => {
  const example: unknown = JSON.parse(readFileSync(join(__dirname, '../../../examples/add-node.json'), 'utf8'));
  expect(parseInput(addNodeInput, example)).toMatchObject({ value: { cluster: 'demo', nodes: ['st4'] } });
});

test.each([[[]], [['st4', 'st4']], ['st4'], [undefined]])('nodes: %p is refused', (nodes) => {
  expect(parseInput(addNodeInput, { cluster: 'demo', nodes })).toHaveProperty('problems.0', expect.stringMatching(/^nodes: /));
});
