/** What of the initial configuration is left to a person: in the guide's order, and nothing that does not concern this cluster. */
import { leftByHand } from '../../../src/model/initialConfiguration';
import { parseClusterSpec, type ClusterSpec } from '../../../src/model/spec';
import { demoFile } from './demoFile';

const specOf = (change: (spec: ClusterSpec) => void = () => undefined): ClusterSpec => {
  const { spec } = parseClusterSpec(demoFile());
  change(spec!);
  return spec!;
};

test('without Edges: keystore, CA, certificates, address, passwords, restart', () => {
  expect(leftByHand(specOf()).map((line) => line.replace(/[,;(].*/, '').trim())).toEqual([
    'set the password of the keystore',
    'make or import the internal CA',
    'give each protocol server its certificate',
    'set the address of the product\'s own notifications',
    'change the default passwords of the administrators "admin"',
    'after that: stop_all and start_all on every Server',
  ]);
});

test('with Edges: their CA too, and the synchronisation at the primary where there are several', () => {
  const withEdges = (count: number): string[] => leftByHand(specOf((spec) => {
    spec.sites['prod']!.edges = Array.from({ length: count }, (_, index) => ({ name: `ed${index + 1}` })) as never;
  }));
  expect(withEdges(1).filter((line) => /Edge/.test(line))).toEqual([expect.stringContaining('make or import the internal CA, on Servers and Edges')]);
  expect(withEdges(2).filter((line) => /Synchronize All/.test(line))).toEqual([expect.stringContaining('in the Administration Tool of ed1, the primary')]);
});
