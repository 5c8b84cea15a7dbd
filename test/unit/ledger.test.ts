import { describeLedger, judge, type Acknowledged, type Copy, type Transfer } from '../../lab/load/ledger';

const entry = (name: string): Acknowledged => ({ cluster: 'demo', account: 'p01', name, size: 1, sha256: `sha of ${name}`, at: 0 });
const transfer = (name: string, status: string, event: string | null = null, beating = false): Transfer => ({ account: 'p01', name, status, event, beating });
const copy = (name: string, sha256 = `sha of ${name}`): Copy => ({ account: 'p01', name, sha256 });
const of = (transfers: Transfer[], copies: Copy[]) => judge('demo', [entry('f.dat')], transfers, copies);

const cases: [what: string, word: string, transfers: Transfer[], copies: Copy[]][] = [
  ['delivered once and logged', 'processed', [transfer('f.dat', 'Processed')], [copy('f.dat')]],
  ['queued', 'underWay', [transfer('f.dat', 'Received', 'ready')], []],
  ['being worked on', 'underWay', [transfer('f.dat', 'In Progress', 'active', true)], []],
  ['in progress and left', 'stranded', [transfer('f.dat', 'In Progress', 'active')], []],
  ['in progress and left after its delivery', 'stranded', [transfer('f.dat', 'In Progress', 'active')], [copy('f.dat')]],
  ['in progress without an event', 'stranded', [transfer('f.dat', 'In Progress')], []],
  ['failed, its event still active', 'failed', [transfer('f.dat', 'Failed', 'active')], []],
  ['not in the log', 'lost', [], []],
  ['received, and nothing in the queue', 'lost', [transfer('f.dat', 'Received')], []],
  ['logged as processed, and nowhere', 'lost', [transfer('f.dat', 'Processed')], []],
  ['delivered as something else', 'lost', [transfer('f.dat', 'Processed')], [copy('f.dat', 'other')]],
  ['delivered twice', 'doubled', [transfer('f.dat', 'Processed')], [copy('f.dat'), copy('f.dat')]],
  ['sent again after it failed', 'processed', [transfer('f.dat', 'Failed'), transfer('f.dat', 'Processed')], [copy('f.dat')]],
];
test.each(cases)('a file that was acknowledged and is %s counts as %s', (_what, word, transfers, copies) => {
  const report = of(transfers, copies);
  const none = { processed: 0, underWay: 0, stranded: [], failed: [], lost: [], doubled: [] };
  expect(report).toEqual({ cluster: 'demo', acknowledged: 1, ...none, [word]: word === 'processed' || word === 'underWay' ? 1 : ['p01/f.dat'] });
});

test('is told in one line, with names only where something went wrong', () => {
  expect(describeLedger(of([transfer('f.dat', 'Processed')], [copy('f.dat')]))).toBe('acknowledged 1, processed 1, under way 0, stranded 0, failed 0, lost 0, doubled 0');
  expect(describeLedger(of([], []))).toBe('acknowledged 1, processed 0, under way 0, stranded 0, failed 0, lost 1, doubled 0\nlost: p01/f.dat');
});
