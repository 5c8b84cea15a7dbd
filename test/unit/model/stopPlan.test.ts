/** What a graceful stop may do and must wait for. */
import { blockedBy, drainLimitMs, drainWait, eventOf, eventsAt, leftBehind, neighboursOf, readPending, roomFor, roomProblem, silent, stillPending, stuckOf, workProblems, type Room, type RoomState, type Work, type WorkEvent } from '../../../src/model/stopPlan';
import { serverTarget } from '../../../src/model/slices';
import { parseClusterSpec } from '../../../src/model/spec';
import { demoFile } from './demoFile';

const event = (id: string, more: Partial<WorkEvent> = {}): WorkEvent => ({ id, account: 'alice', file: `/upload/${id}.dat`, node: 'n1', status: 'active', heartbeat: 1_000_000, ...more });

describe('stops that were asked for', () => {
  test('are read with the time that they may still take', () => {
    expect(readPending('sshd\t28\t7\trolling-restart/demo\ntm\t-4\t6\tremove-node/demo/st2\nprocesses\t3\n')).toEqual({
      pending: [{ service: 'sshd', left: 28, epoch: 7, operation: 'rolling-restart/demo' }, { service: 'tm', left: -4, epoch: 6, operation: 'remove-node/demo/st2' }],
      processes: 3,
    });
    expect(readPending('').processes).toBeNaN();
  });

  test.each([
    ['of a service that runs, within its time', 28, ['sshd'], true],
    ['of which nobody can say whether it runs', 28, null, true],
    ['of a service that is down', 28, ['tm'], false],
    ['whose time has just passed', -1, ['sshd'], true],
    ['whose time is over', -4, ['sshd'], false],
    ['whose time is over, of which nobody can say', -4, null, false],
  ])('%s: waited for or not', (_, left, running, waits) => {
    expect(stillPending([{ service: 'sshd', left, epoch: 1, operation: 'x' }], running).length > 0).toBe(waits);
  });

  test('have room for each of their parts', () => {
    expect(drainLimitMs(300)).toBe(1_200_000);
    expect(drainLimitMs(1)).toBe(332_000);
  });
});

describe('events at work', () => {
  test('are of this Server, or may be', () => {
    const all = [event('a'), event('b', { node: 'n2' }), event('c', { node: '' })];
    expect(eventsAt(all, 'n1').map(({ id }) => id)).toEqual(['a', 'c']);
    expect(eventsAt(all, '').map(({ id }) => id)).toEqual(['a', 'b', 'c']);
  });

  test('that have begun since the first look need not end first; those of the first look must', () => {
    expect(stuckOf([event('a'), event('b')], [event('b'), event('c')]).map(({ id }) => id)).toEqual(['b']);
    expect(stuckOf([event('a')], [event('c')])).toEqual([]);
  });

  test('are silent when none of them has beaten between two looks', () => {
    expect(silent([event('a')], [event('a')])).toBe(true);
    expect(silent([event('a')], [event('a', { heartbeat: 1_001_000 })])).toBe(false);
  });

  test('are read from what the product answers, with what it leaves out as unknown', () => {
    expect(eventOf({ id: '1', status: 'active', accountName: 'alice', fileName: '/upload/x', node: 'n1', lastHeartbeat: 5 })).toEqual({ id: '1', status: 'active', account: 'alice', file: '/upload/x', node: 'n1', heartbeat: 5 });
    expect(eventOf({ id: '1', status: 'active' })).toEqual({ id: '1', status: 'active', account: '', file: '', node: '', heartbeat: 0 });
  });
});

describe('what a stop would cut', () => {
  const work: Work = { node: 'st2', sessions: 3, accounts: { alice: 2, bob: 1 }, transfers: [{ account: 'alice', file: '/upload/a.dat', bytes: 1200 }], active: [{ account: 'alice', file: '/upload/a.dat' }], ready: 4 };
  const unaccepted = { acceptActive: false };

  test('is told before, by account and size, and refuses only what was named', () => {
    expect(workProblems(work, [], unaccepted)).toEqual([{ level: 'warning', remedy: '', what: expect.stringMatching(/^st2: stopping it touches 3 open sessions \(alice 2, bob 1\); 1 transfer in progress, 1200 bytes \(alice\/upload\/a\.dat\); 1 event in process \(alice\/upload\/a\.dat\); 4 queued/) }]);
    // An Edge does not say whose its sessions are.
    expect(workProblems({ ...work, accounts: { '': 3 }, transfers: [], active: [], ready: 0 }, [], unaccepted)[0]?.what).toMatch(/^st2: stopping it touches 3 open sessions\. They get/);
    expect(workProblems({ ...work, sessions: 0, accounts: {}, transfers: [], active: [], ready: 0 }, [], unaccepted)).toEqual([]);
    expect(workProblems(work, ['bob'], unaccepted)[0]).toMatchObject({ what: 'st2: "bob" is at work there, and was named as blocking' });
  });

  test('of a Transaction Manager that hangs is refused with the files that it holds, unless they are accepted; one that holds nothing is told', () => {
    const hung: Work = { ...work, hangs: true };
    expect(workProblems(hung, [], unaccepted)[0]).toEqual({
      what: 'st2: its Transaction Manager hangs: it runs, and the product has heard nothing of it for a while. It holds alice/upload/a.dat, which no graceful stop ends: stopped with it they stay "In Progress", and nobody processes them',
      remedy: expect.stringContaining('accept the cut with "acceptActive"'),
    });
    expect(workProblems(hung, [], { acceptActive: true })[0]).toMatchObject({ level: 'warning', what: expect.stringContaining('It holds alice/upload/a.dat') });
    expect(workProblems({ ...hung, active: [] }, [], unaccepted)[0]).toMatchObject({ level: 'warning', what: expect.stringContaining('It works on nothing') });
  });

  test.each([['alice', true], ['carol', false], ['a.dat', true], ['/upload/a.dat', true], ['alice/upload/a.dat', true]])('%s blocks: %s', (name, blocks) => {
    expect(blockedBy(work, [name])).toEqual(blocks ? [name] : []);
  });
});

describe('marks of files in process', () => {
  const mark = (account: string, id: string, at: number) => ({ path: `/srv/st/shared/home/${account}/upload/${id}.dat.m_inproc`, at });
  test.each([
    ['older than the stop, of no event', mark('alice', 'x', 900), [], true],
    ['older than the stop, of an event that the stopped one had', mark('alice', 'x', 900), [event('x')], true],
    ['older than the stop, of an event at work at another Server', mark('alice', 'x', 900), [event('x', { node: 'n2' })], false],
    ['older than the stop, of an event of a Server that nobody names', mark('alice', 'x', 900), [event('x', { node: '' })], false],
    ['of an event that beats since', mark('alice', 'x', 900), [event('x', { heartbeat: 1_010_000 })], false],
    ['of an event of that name at another Server, in whatever folder', mark('bob', 'x', 900), [event('x', { node: 'n2', file: '/elsewhere/x.dat' })], false],
    ['of an event at another Server that has another name', mark('alice', 'x', 900), [event('xx', { node: 'n2' }), event('dat', { node: 'n2' })], true],
    ['of one of two events of that name, the other being at work', mark('alice', 'x', 900), [event('x'), event('x', { node: 'n2' })], false],
    ['beside an event at another Server that names no file', mark('alice', 'x', 900), [event('y', { node: 'n2', file: '' })], false],
    ['beside an event of the stopped one that names no file', mark('alice', 'x', 900), [event('y', { file: '' })], true],
    ['of an event of the stopped one that tells no beat', mark('alice', 'x', 900), [event('x', { heartbeat: 0 })], false],
    ['younger than the stop', mark('alice', 'x', 1_001), [], false],
  ])('%s: left behind or not', (_, one, active, left) => {
    expect(leftBehind([one], { stoppedAt: 1_000, node: 'n1', active }).length > 0).toBe(left);
  });
});

describe('room', () => {
  const room = (keep: number, role: Room['role'] = 'server'): Room => ({ role, keep, others: { accesses: [], nodes: [] } });
  const states = (...online: (boolean | null)[]) => online.map((one, index) => ({ node: `st${index + 2}`, online: one }));
  test.each([
    [1, [true, true], undefined],
    [2, [true, false], 'st1 is not taken down: of the other Servers 1 is Online and 2 must stay (st3 is not Online)'],
    [2, [true, null], 'st1 is not taken down: of the other Servers 1 is Online and 2 must stay (st3 does not answer)'],
    [0, [], undefined],
    [1, [], 'st1 is not taken down: of the other Servers 0 are Online and 1 must stay'],
  ])('%i must stay of %j', (keep, online, problem) => {
    expect(roomProblem('st1', room(keep), states(...online))).toBe(problem);
  });

  test.each<[string, Pick<RoomState, 'online' | 'served'>, string | undefined]>([
    ['serves', { online: true, served: true }, undefined],
    ['runs with nobody behind it', { online: true, served: false }, 'ed2 runs, and no Transaction Manager is connected to it'],
    ['runs, and its host does not say who is connected', { online: true, served: null }, 'ed2: whether a Transaction Manager is connected to it can\'t be told'],
    ['does not run all of its daemons', { online: false }, 'ed2 is not Online'],
  ])('the other Edge %s', (_, state, why) => {
    expect(roomProblem('ed1', room(1, 'edge'), [{ node: 'ed2', ...state }])).toBe(why === undefined ? undefined : `ed1 is not taken down: of the other Edges 0 are Online and 1 must stay (${why})`);
  });

  test('is told in a slice that holds twenty neighbours', () => {
    const spec = parseClusterSpec(demoFile()).spec!;
    const [site] = Object.keys(spec.sites);
    const one = serverTarget(spec, site!, spec.sites[site!]!.servers[0]!.name);
    const twenty = Array.from({ length: 20 }, (_, index) => ({ ...one, node: `st${index + 10}`, admin: { ...one.admin, address: `10.1.1.${index + 10}` } }));
    const neighbours = neighboursOf(twenty);
    expect(neighbours.accesses).toHaveLength(1);
    expect(JSON.stringify(neighbours).length).toBeLessThan(2_048);
    expect({ ...neighbours.accesses[neighbours.nodes[3]!.access]!, address: neighbours.nodes[3]!.address }).toEqual(twenty[3]!.admin);
    const { doors } = roomFor('edge', twenty, 1, ['ssh']);
    expect(doors).toEqual({ protocols: ['ssh'], hosts: { accesses: [expect.not.objectContaining({ address: expect.anything() })], nodes: Array.from({ length: 20 }, () => ({ address: one.ssh.address, access: 0 })) } });
    expect(roomFor('server', twenty, 1, ['ssh'])).toEqual({ role: 'server', keep: 1, others: neighbours });
  });
});

test.each([
  [['ftpd', 'sshd'], [], 0, { for: 'ftpd, sshd to end' }],
  [['tm'], [], 0, { for: 'the Transaction Manager to end' }],
  [['sshd'], ['alice', 'bob', 'alice'], 0, { for: '3 sessions', names: 'alice, bob' }],
  [['sshd'], ['alice'], 2, { for: '2 events in process and 1 session', names: 'carol/f1.dat, carol/f2.dat; alice' }],
  [[], [], 1, { for: '1 event in process', names: 'carol/f1.dat' }],
])('a drain of %j says what it waits for (sessions %j, %i events)', (services, sessions, events, told) => {
  expect(drainWait(services, { sessions, events: Array.from({ length: events }, (_, i) => ({ account: 'carol', file: `f${i + 1}.dat` })) })).toEqual(told);
});

test('what goes with every heartbeat stays short', () => {
  expect(drainWait([], { sessions: [], events: Array.from({ length: 15 }, (_, i) => ({ account: 'carol', file: `${'f'.repeat(200)}${i}` })) }).names!.length).toBeLessThanOrEqual(300);
});
