import fc from 'fast-check';
import { decideInput, parseInput, setUpClusterInput } from '../../../src/model/inputs';
import { parseClusterSpec } from '../../../src/model/spec';
import { changed, demoFile } from './demoFile';

const setUp = (value: unknown) => parseInput(setUpClusterInput, value);
const decide = (value: unknown) => parseInput(decideInput, value);

describe('the input of setUpCluster', () => {
  test('is the name of a cluster that was applied, and nothing more is added to it', () => expect(setUp({ cluster: 'demo' })).toEqual({ value: { cluster: 'demo' } }));

  test('takes a spec as a file has it or normalised, and hands on the normalised one', () => {
    const { spec } = parseClusterSpec(demoFile());
    for (const given of [demoFile(), spec]) expect(setUp({ cluster: 'demo', spec: given })).toEqual({ value: { cluster: 'demo', spec } });
  });

  test('takes durations as milliseconds or texts, and reasons with quotes in them', () => {
    expect(setUp({ cluster: 'demo', waitForLease: '30s', patience: 1500, dryRun: true, fingerprint: '0123456789ab', requestedBy: ' Ada ', reason: 'it\'s "due"' })).toEqual({
      value: { cluster: 'demo', waitForLease: 30_000, patience: 1500, dryRun: true, fingerprint: '0123456789ab', requestedBy: 'Ada', reason: 'it\'s "due"' },
    });
  });

  test.each<[unknown, string[]]>([
    [undefined, ['expected one JSON object, found nothing']],
    ['demo', ['expected one JSON object, found "demo"']],
    [[{ cluster: 'demo' }], ['expected one JSON object, found a list']],
    [{}, ['cluster: missing; expected text']],
    [{ cluster: 'demo', dryrun: true }, ['dryrun: unknown key; did you mean "dryRun"?']],
    [{ cluster: 'demo', dryRun: 'yes' }, ['dryRun: expected true or false, found text']],
    [{ cluster: 'De mo' }, [expect.stringContaining('cluster: expected a name of small letters')]],
    [{ cluster: 'demo', waitForLease: '30' }, [expect.stringContaining('waitForLease: expected a duration such as "30s"')]],
    [{ cluster: 'demo', waitForLease: '8d' }, ['waitForLease: expected a duration from 0ms to 7d, found "8d"']],
    [{ cluster: 'demo', fingerprint: 'abc' }, ['fingerprint: expected the 12 hexadecimal digits that a plan names, found "abc"']],
    [{ cluster: 'demo', reason: 'a\nb' }, ['reason: the text contains a line break, which is not allowed']],
    [{ cluster: 'demo', reason: '  ' }, ['reason: expected at least 1 character, found 0']],
    [{ cluster: 'demo', spec: null }, ['spec: expected a mapping, found nothing']],
    [{ cluster: 'other', spec: demoFile() }, ['cluster: expected the name in the spec (demo), found "other"']],
    [{ cluster: 'D', reason: 7, spec: changed(['kind'], 'x') }, [expect.stringContaining('cluster: '), 'reason: expected text, found 7', 'spec.kind: expected Cluster, found "x"']],
  ])('%j: %j', (value, problems) => expect(setUp(value)).toEqual({ problems }));

  test('in a spec inside an input, paths begin with spec', () => {
    expect(setUp({ cluster: 'demo', spec: changed(['sites', 'prod', 'servers', 1, 'adress'], 'x') })).toEqual({ problems: ['spec.sites.prod.servers[1].adress: unknown key; did you mean "address"?'] });
    expect(setUp({ cluster: 'demo', spec: changed(['defaults', 'ssh', 'key'], 'file:./id') })).toEqual({ problems: ['spec.defaults.ssh.key: expected an absolute path after file:'] });
  });

  test('whatever it is, it is answered and never thrown', () => {
    fc.assert(fc.property(fc.oneof(fc.anything(), fc.record({ cluster: fc.anything(), spec: fc.anything(), reason: fc.anything() })), (value) => expect(Object.keys(setUp(value))).toHaveLength(1)));
  });
});

describe('a decision', () => {
  const decision = { step: 'startTm', node: 'st1', do: 'retry', by: 'Ada', reason: 'the disk was full' };
  test('is taken as it is', () => expect(decide(decision)).toEqual({ value: decision }));
  test('must say who and why, and what', () => {
    expect(decide({ ...decision, by: '', reason: undefined, do: 'skipp' })).toEqual({
      problems: ['do: expected retry or skip or done-by-hand or abort, found "skipp"; did you mean "skip"?', 'by: expected at least 1 character, found 0', 'reason: missing; expected text'],
    });
  });
});
