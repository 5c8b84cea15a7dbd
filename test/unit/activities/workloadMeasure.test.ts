import { measureNode, measureQueue, processorsIn } from '../../../src/activities/workloadMeasure';
import type { Clients } from '../../../src/activities/clients';
import { StError } from '../../../src/model/errors';
import type { ServerTarget } from '../../../src/model/targets';

const server = { node: 'st1', address: '10.0.0.1', ssh: {}, admin: {} } as ServerTarget;
const clients = (events: () => Promise<object[]>, more: object = {}): Clients => ({ admin: { server: () => ({ events, sessions: async () => [{ id: 'SSH:1' }] }) }, ssh: { run: async () => ({ stdout: '' }) }, ...more }) as unknown as Clients;

test('processors are read from /proc/stat: waiting for disks is not busy, and a guest is counted once', () => {
  expect(processorsIn('cpu  100 0 50 800 50 0 0 0 20 0\ncpu0 50 0 25 400 25 0 0 0 0 0\ncpu1 50 0 25 400 25 0 0 0 0 0\nintr 1\n')).toEqual({ cores: 2, busy: 150, all: 1000 });
});

test('the queue is averaged over its looks, by Server and type; what is gone at a later look has ended', async () => {
  const looks = [[{ id: 'a', status: 'active', node: 'x', eventType: 'PUSH' }, { id: 'b', status: 'ready', node: 'x', eventType: 'ODD' }], [{ id: 'b', status: 'active', node: 'x' }]];
  let at = 0;
  const found = await measureQueue(clients(async () => looks[Math.min(at++, 1)]!), server, 450);
  expect(found).toMatchObject({ what: 'queue', halfMs: 225, halves: [{ x: { PUSH: { ended: 1 }, unknown: { ended: 0 } } }, { x: { unknown: { waiting: 0, active: 1, ended: 0 } } }] });
  expect(found.looks).toBe(at);
});

test('what can\'t be seen is said, and is no error', async () => {
  const silent = async () => { throw new StError('Unreachable', 'no answer'); };
  expect(await measureQueue(clients(silent), server, 200)).toEqual({ what: 'queue', halves: null, halfMs: 100, looks: 0, why: 'the event queue, asked of st1: no answer' });
  expect(await measureNode(clients(silent, { ssh: { run: silent } }), server, { windowMs: 10, id: null })).toEqual({ what: 'node', node: 'st1', ids: ['10.0.0.1', 'st1'], cores: null, cpu: null, sessions: 1, why: 'st1: its processors: no answer' });
});
