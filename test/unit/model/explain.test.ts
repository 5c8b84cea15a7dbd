import { errorCodes, nonRetryable, type ErrorCode } from '../../../src/model/errors';
import { explain, explanationText, unknownCode } from '../../../src/model/explain';

const codes = Object.keys(errorCodes) as ErrorCode[];

test.each(codes)('%s is explained: what happened, the state, what comes by itself, what one can do', (code) => {
  const found = explain(code)!;
  expect(found.code).toBe(code);
  for (const sentence of [found.happened, found.state, found.byItself, ...found.youCan]) expect(sentence).toMatch(/^[A-Z].{6,}\.$/);
  expect(found.youCan.length).toBeGreaterThan(0);
});

test('only what is retried is said to be tried again', () => {
  for (const code of codes) expect([code, explain(code)!.byItself.startsWith('It is tried again')]).toEqual([code, !nonRetryable.has(code)]);
});

test('capitals do not matter, and a word that is no code gets the one that was meant', () => {
  expect(explain(' clusterbusy ')?.code).toBe('ClusterBusy');
  expect(explain('toString')).toBeUndefined();
  expect(unknownCode('ClusterBuzy')).toBe('there is no error code "ClusterBuzy"; did you mean "ClusterBusy"?');
  expect(unknownCode('xyz')).toContain('the codes are InvalidInput, ');
});

test('as text it fits a terminal and stands on its own', () => {
  expect(explanationText(explain('ClusterBusy')!)).toMatchInlineSnapshot(`
"ClusterBusy: Another operation holds the lease of this cluster: only one may change it at a time.

State:       Nothing was changed; the cluster is as it was. The other operation goes on.
By itself:   Nothing: it is not tried again.
You can:
  - Watch the other one: stctl watch <its workflow id>.
  - Start yours again with --wait-for-lease 10m (in JSON "waitForLease": "10m") to wait for its end."
`);
});
