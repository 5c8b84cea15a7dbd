/** Messages that are too long for their place: wherever one is cut, what happened and why are both still told. */
import fc from 'fast-check';
import type { Lease } from '../../../src/model/cluster';
import { newRecord } from '../../../src/model/clusterRecord';
import { mailText } from '../../../src/model/mailTexts';
import type { OperationReport } from '../../../src/model/operation';
import { endedEvent, interruptedEvent } from '../../../src/model/operationEvents';
import { shorten } from '../../../src/model/shorten';
import { unfinished } from '../../../src/model/unfinished';

const paths = ['installer.properties', 'database.properties', 'server.license', 'feature.license'].map((name) => `/opt/axway/SecureTransport/installation/${name}`).join(', ');
const message = `st@10.20.0.12:22: st2: writing ${paths} ended with exit code 1. It wrote: tee: /opt/axway/SecureTransport/installation/installer.properties.st-orchestrator: No space left on device`;

test('what fits stays as it is, and what does not loses its middle', () => {
  expect(shorten('st2: refused', 12)).toBe('st2: refused');
  expect(shorten('0123456789abcdef', 13)).toBe('01234 … bcdef');
  expect(shorten(message, 80)).toBe('st@10.20.0.12:22: st2: writing … -orchestrator: No space left on device');
});

test('it is never longer than asked for, and no character is cut', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 60 }), fc.nat(80), (text, most) => {
    const cut = shorten(text, most);
    expect([...cut].length).toBeLessThanOrEqual(most);
    // What is no half of a character can be told as UTF-8, and comes back.
    if (!/\p{Surrogate}/u.test(text)) expect(Buffer.from(cut).toString()).toBe(cut);
  }));
});

describe('the reason at the end of a long message', () => {
  const report: OperationReport = {
    apiVersion: 'st-orchestrator/v1', kind: 'OperationReport', operation: 'setUpCluster', cluster: 'demo', workflowId: 'set-up-cluster/demo', dryRun: false, phase: 'ended', outcome: 'failed', summary: `Write what the installer needs (st2): ${message}`, now: 'x', next: 'x', startedAt: '2026-11-01T03:00:00Z',
    checks: [], steps: [{ key: 'a/st2', title: 'Write what the installer needs', node: 'st2', state: 'failed', note: message }], unfinished: [], decisions: [],
  };
  test('stands in what is unfinished', () => expect(unfinished(report)).toEqual([expect.stringMatching(/^Write what the installer needs \(st2\): failed, st@10\.20\.0\.12.* … .*No space left on device$/)]));
  test('stands in the subject of the mail', () => {
    const { subject } = mailText(endedEvent(report, { firstExecutionRunId: 'r', scheduled: false })!);
    expect(subject).toMatch(/^\[demo\] CRITICAL: setUpCluster has failed: .* … .*No space left on device$/);
    expect(subject.length).toBeLessThanOrEqual(180);
  });
  test('stands in the mail of an interruption', () => {
    const lease: Lease = { workflowId: 'set-up-cluster/demo', firstExecutionRunId: 'r', operation: 'setUpCluster', epoch: 3, since: '2026-11-01T03:00:00Z' };
    const { now } = interruptedEvent({ ...newRecord('demo'), unfinished: [...Array<string>(20).fill('Start the Server: not begun, and this is told at length'), message] }, lease);
    expect(now).toMatch(/^Begun and neither done nor undone: .* … .*No space left on device\.$/);
  });
});
