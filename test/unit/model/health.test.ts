/** From votes to an answer, from answers to what is told, and who is excused. */
import type { ClusterEvent } from '../../../src/model/events';
import type { ClusterHealth, NodeHealth, NodeState } from '../../../src/model/health';
import { agree, agreedState, blind, healthOf, noEdgeServes, onlineCount } from '../../../src/model/clusterHealth';
import { besideRecord } from '../../../src/model/newestRecord';
import { parseClusterSpec } from '../../../src/model/spec';
import { demoFile } from './demoFile';
import { pausedHealth } from '../../../src/model/pausedHealth';
import { causeOf } from '../../../src/model/healthCauses';
import { confirmBelow, noIncidents, observe, waitsForCalm, type Incidents } from '../../../src/model/incidents';
import { excusesOf, takenDown } from '../../../src/model/excuses';
import { judgeFailure } from '../../../src/model/nodeLook';
import { neverSeen } from '../../../src/model/healthVotes';
import type { StepState } from '../../../src/model/operation';
import { signatureOf, type Around, type Down, type Vote } from '../../../src/model/watch';

const start = Date.parse('2026-11-30T12:00:00.000Z');
const at = (ms: number): string => new Date(start + ms).toISOString();

const node = (name: string, state: NodeState = 'Online', more: Partial<NodeHealth> = {}): NodeHealth => ({
  node: name, site: 'prod', role: name.startsWith('ed') ? 'edge' : 'server', address: name, state, since: at(0), services: { running: 5, of: 5, stopped: [] },
  ...(state === 'Online' ? {} : state === 'Offline' ? { why: 'its port refuses', cause: 'refused' } : { why: 'it does not answer', cause: 'silent' }), ...more,
});
const well: Around = { balancers: [], reached: true };
const vote = (nodes: NodeHealth[], around: Around = well): Vote => {
  const cause = causeOf(nodes, around);
  return {
    at: at(0), site: 'prod', nodes, votes: nodes.map(({ node: name, state }) => ({ ...neverSeen(name, at(0)), state })), around, ...(cause ? { cause } : {}), policies: { minimumNodes: 2, forMs: 300_000 },
    record: { readAt: at(0), phase: 'active', revision: 1, epoch: 1, unfinished: [], maintenance: [] },
  };
};
const health = (...nodes: NodeHealth[]): ClusterHealth => healthOf('demo', vote(nodes));

test.each<[NodeState[], number, NodeState]>([
  [['Online'], 1, 'Online'], [['Offline'], 1, 'Offline'], [[], 1, 'Unknown'], [['Online'], 2, 'Unknown'],
  [['Online', 'Offline', 'Offline'], 2, 'Offline'], [['Online', 'Offline', 'Unknown'], 2, 'Unknown'], [['Online', 'Online', 'Offline'], 2, 'Online'], [['Online', 'Unknown', 'Unknown'], 3, 'Online'],
])('of %p a quorum of %i agrees on %s', (states, quorum, expected) => {
  expect(agreedState(states, quorum)).toBe(expected);
});

test('fewer fresh votes than a quorum are no answer, and one vantage point alone cannot call a node down', () => {
  const [fine, poor] = [vote([node('st1'), node('st2')]), vote([node('st1'), node('st2', 'Offline')])];
  expect(agree([fine], 2)).toBeUndefined();
  expect(agree([fine, poor], 2)!.nodes.map(({ state }) => state)).toEqual(['Online', 'Online']);
  expect(agree([poor, poor], 2)!.nodes.map(({ state }) => state)).toEqual(['Online', 'Offline']);
});

test.each<[string, NodeHealth[], ClusterHealth['health']]>([
  ['all Online', [node('st1'), node('st2'), node('st3')], 'ok'],
  ['one down of three', [node('st1'), node('st2'), node('st3', 'Offline')], 'degraded'],
  ['two down of three', [node('st1'), node('st2', 'Unknown'), node('st3', 'Offline')], 'below threshold'],
  ['two down, one of them on purpose', [node('st1'), node('st2', 'Offline', { excused: 'maintenance' }), node('st3', 'Offline')], 'degraded'],
  ['a daemon is missing', [node('st1'), node('st2', 'Online', { services: { running: 4, of: 5, stopped: ['ssh'] } })], 'degraded'],
  ['no member', [], 'unknown'],
])('%s → %p', (_, nodes, expected) => {
  expect(health(...nodes).health).toBe(expected);
});

test('how many are Online is claimed only by those who see, or have seen: nobody who sees none has seen that there are none', () => {
  const [down, up] = [health(node('st1', 'Offline'), node('st2', 'Offline')), health(node('st1'), node('st2', 'Offline'), node('ed1'))];
  const unseen = (last: ClusterHealth): string => onlineCount(blind('demo', last, { at: at(0), why: 'nobody looks' }));
  expect([onlineCount(down), onlineCount(up), unseen(down), unseen(up)]).toEqual(['0', '1', '?', '?']);
  expect([onlineCount(pausedHealth(down, { why: 'paused' })), onlineCount(health())]).toEqual(['0', '0']);
});

test('a pause tells until when it was certainly looked at, and what was seen; twice it is the same', () => {
  const last = health(node('st1', 'Online', { lastSeen: at(0) }), node('st2', 'Unknown', { lastSeen: at(-60_000) }), node('st3', 'Offline'));
  const paused = pausedHealth(last, { why: 'paused', seenAt: at(900_000) });
  expect(paused).toMatchObject({ health: 'unknown', online: 1, members: 3, sampledAt: at(900_000), problems: ['paused'] });
  expect(paused.nodes.map(({ node: name, state, was, lastSeen }) => [name, state, was, lastSeen])).toEqual([['st3', 'Unknown', 'Offline', at(900_000)], ['st2', 'Unknown', undefined, at(-60_000)], ['st1', 'Unknown', 'Online', at(900_000)]]);
  expect(pausedHealth(paused, { why: 'paused' })).toEqual(paused);
  expect(pausedHealth(last, { why: 'paused', seenAt: at(-5_000) }).sampledAt).toBe(at(0));
});

test('all Servers of a cluster that worked were removed: below the threshold, with the way back, and told; of one that never worked nothing is known', () => {
  const left = vote([node('ed1', 'Online', { streaming: { connected: 0, of: 0, missing: [] } })]);
  const removed = healthOf('demo', { ...left, record: { ...left.record, complete: true } });
  expect(removed).toMatchObject({ health: 'below threshold', online: 0, members: 0 });
  expect(removed.problems).toEqual(['No Server is left of the 2 that are asked for: all were removed, and nobody is served. "stctl set-up-cluster demo" brings one back.', 'No Edge serves: no partner gets in.']);
  expect(story([ok, removed]).told).toContain('threshold-lost');
  expect(healthOf('demo', { ...left, record: { ...left.record, complete: false } })).toMatchObject({ health: 'unknown', problems: [expect.stringMatching(/^The record knows no member yet/), expect.anything()] });
});

describe('what the record knows to be over', () => {
  const members = ['st1', 'st2', 'st3'].map((name) => ({ site: 'prod', node: name, address: name, role: 'server' as const }));
  const { spec } = parseClusterSpec(demoFile());
  const seen = (unfinished: string[]): ClusterHealth => {
    const balancer = [{ name: 'lb1', wanted: 'UP', runtime: 'DOWN', file: 'UP' }];
    const found = vote([node('st1'), node('st2'), node('st3', 'Offline', { balancer })]);
    const made = healthOf('demo', { ...found, record: { ...found.record, unfinished } });
    return { ...made, watch: { interval: 1, failuresToOffline: 3, vantage: [], quorum: 1, reports: [], incidents: [{ id: 'i', node: 'st3', since: at(0), count: 1 }, { id: 'i', node: 'lb1', since: at(0), count: 1 }, { id: 'i', since: at(0), count: 1 }] } };
  };
  test('is not told of what was removed', () => {
    const beside = besideRecord(seen([]), { spec: spec!, members: members.slice(0, 2), unfinished: [] });
    expect(beside).toMatchObject({ health: 'ok', online: 2, members: 2, problems: [] });
    expect([beside.nodes.map(({ node: name }) => name), beside.watch!.incidents.map(({ node: name }) => name)]).toEqual([['st1', 'st2'], ['lb1', undefined]]);
  });
  test('never makes a cluster well that has too few Servers left, as far as they were seen', () => {
    const well = { ...seen([]), health: 'ok' as const, problems: [] };
    for (const left of [1, 0]) expect(besideRecord(well, { spec: spec!, members: [...members.slice(0, left), { site: 'prod', node: 'ed1', address: 'ed1', role: 'edge' }], unfinished: [] })).toMatchObject({ health: 'below threshold', online: left, members: left });
  });
  test('is not told of work that was left and is done', () => {
    const before = seen(['Start the Server (st3): failed']);
    expect(before.problems.at(-1)).toContain('left work unfinished');
    const beside = besideRecord(before, { spec: spec!, members, unfinished: [] });
    expect(beside.problems).toEqual(before.problems.slice(0, -1));
    expect(beside.health).toBe('degraded');
  });
  test('is nothing where nothing has changed', () => {
    const before = seen(['x']);
    expect(besideRecord(before, { spec: spec!, members, unfinished: ['x'] })).toBe(before);
    expect(besideRecord(before, { spec: spec!, members: members.map(({ role: _, ...old }) => old) as never, unfinished: ['x'] })).toBe(before);
  });
});

test('problems come first, among the nodes as among the sentences', () => {
  const { nodes, problems } = health(node('st1'), node('st10', 'Unknown'), node('st2', 'Offline'), node('ed1', 'Offline'));
  expect(nodes.map(({ node: name }) => name)).toEqual(['ed1', 'st2', 'st10', 'st1']);
  expect(problems[0]).toBe('1 of 3 Servers are Online or excused, fewer than the 2 that are asked for.');
  expect(problems).toContain('No Edge serves: no partner gets in.');
});

test.each<[string, NodeHealth[], Around, string | undefined]>([
  ['everything silent, and what is around it too', [node('st1', 'Unknown'), node('st2', 'Unknown')], { balancers: ['lb1 can\'t be asked'], reached: false, database: 'no answer' }, 'our network'],
  ['everything silent, but the database answers', [node('st1', 'Unknown'), node('st2', 'Unknown')], well, undefined],
  ['one silent', [node('st1'), node('st2', 'Unknown')], { balancers: [], reached: false }, undefined],
  ['the login is refused', [node('st1', 'Unknown', { cause: 'credentials' }), node('st2', 'Offline')], { ...well, database: 'gone' }, 'credentials'],
  ['the database is gone', [node('st1', 'Offline'), node('st2', 'Offline')], { ...well, database: 'gone' }, 'database'],
  ['the shared files hang', [node('st1')], { ...well, sharedFiles: 'hang' }, 'shared files'],
  ['a licence', [node('st1', 'Offline', { cause: 'licence' })], well, 'licence'],
  ['nothing wrong', [node('st1')], well, undefined],
])('%s: the cause is %p', (_, nodes, around, expected) => {
  expect(causeOf(nodes, around)?.code).toBe(expected);
});

test('what one cause explains is told once: the nodes have their lines in the table', () => {
  const down = [node('st1', 'Offline'), node('st2', 'Unknown'), node('ed1', 'Unknown', { role: 'edge' })];
  expect(healthOf('demo', vote(down, { ...well, database: 'it refuses' })).problems).toEqual(['The database does not serve: it refuses', expect.stringMatching(/^0 of 2 Servers are Online/), 'No Edge serves: no partner gets in.']);
  const silent = down.map((one) => ({ ...one, state: 'Unknown' as const, cause: 'silent' as const }));
  expect(healthOf('demo', vote(silent, { balancers: ['lb1 can\'t be asked'], reached: false })).problems).toEqual([expect.stringMatching(/^Nothing of this site answers from here/)]);
});

test('an Edge without a Transaction Manager behind it serves nobody', () => {
  const behind = (connected: number) => ({ streaming: { connected, of: 2, missing: [] } });
  expect(noEdgeServes([node('ed1', 'Online', behind(0)), node('ed2', 'Offline')])).toBe(true);
  expect(noEdgeServes([node('ed1', 'Online', behind(1)), node('ed2', 'Offline')])).toBe(false);
  expect(noEdgeServes([node('ed1')])).toBe(false);
  expect(noEdgeServes([node('st1', 'Offline')])).toBe(false);
});

/** What is seen of the nodes, and what is out around them. */
type View = ClusterHealth | { health: ClusterHealth; down: Down[] };

/** Shows one view after the other, a second apart; answers what was told, by its kind and node. */
function story(views: View[], { calmMs = 5_000, everyMs = 1_000 } = {}): { told: string[]; incidents: Incidents; events: ClusterEvent[]; ids: string[] } {
  let incidents = noIncidents();
  const events = views.flatMap((view, index) => {
    const seen = observe(incidents, { ...('down' in view ? view : { health: view }), at: at(index * everyMs), calmMs });
    incidents = seen.incidents;
    return seen.events;
  });
  return { told: events.map(({ kind, node: name }) => [kind, name].filter(Boolean).join(' ')), incidents, events, ids: events.map(({ incident }) => incident) };
}
const times = <T>(count: number, value: T): T[] => Array.from({ length: count }, () => value);
const ok = health(node('st1'), node('st2'), node('st3'));
const oneDown = health(node('st1'), node('st2'), node('st3', 'Offline'));
const twoDown = health(node('st1'), node('st2', 'Offline'), node('st3', 'Offline'));

test('one Server less than all is no mail while enough are Online', () => {
  expect(story([ok, oneDown, oneDown, ok]).told).toEqual([]);
});

test('below the threshold each node that fails, or has failed before, is told once, and all of it is one incident', () => {
  const { told, ids } = story([ok, oneDown, twoDown, twoDown, twoDown]);
  expect(told).toEqual(['threshold-lost', 'node-failed st2', 'node-failed st3']);
  expect(new Set(ids).size).toBe(1);
});

test('what came back is told when it has held', () => {
  const { told, incidents } = story([ok, twoDown, ...times(4, ok), ...times(4, ok)]);
  expect(told).toEqual(['threshold-lost', 'node-failed st2', 'node-failed st3', 'threshold-restored', 'node-recovered st2', 'node-recovered st3']);
  expect(incidents.open).toBeNull();
});

test('a node that flaps raises its count and sends no second mail', () => {
  const flapping = times(20, [twoDown, oneDown]).flat();
  const { told, incidents } = story([ok, oneDown, ...flapping]);
  expect(told).toEqual(['threshold-lost', 'node-failed st2', 'node-failed st3']);
  expect(incidents.open!.nodes.find(({ node: name }) => name === 'st2')).toMatchObject({ count: 20 });
  expect(waitsForCalm(incidents)).toBe(true);
});

test('one cause is one event, not one for each node', () => {
  const gone = healthOf('demo', vote([node('st1', 'Offline'), node('st2', 'Offline'), node('st3', 'Offline')], { ...well, database: 'it refuses' }));
  expect(story([ok, gone, gone]).told).toEqual(['threshold-lost']);
});

test('one that stays away when the cause is gone has failed by itself; those that come back with it have not', () => {
  const gone = healthOf('demo', vote([node('st1', 'Offline'), node('st2', 'Offline'), node('st3', 'Offline')], { ...well, database: 'it refuses' }));
  const { told, incidents } = story([ok, gone, twoDown, twoDown]);
  expect(told).toEqual(['threshold-lost']);
  expect(waitsForCalm(incidents)).toBe(true);
  expect(story([ok, gone, ...times(9, twoDown)]).told).toEqual(['threshold-lost', 'node-failed st2', 'node-failed st3']);
  expect(story([ok, gone, twoDown, gone, twoDown, ...times(9, ok)]).told).toEqual(['threshold-lost', 'threshold-restored']);
});

test('nothing is restored while nobody can see', () => {
  const blindly: ClusterHealth = { ...ok, health: 'unknown', members: 3, nodes: [] };
  expect(story([ok, twoDown, ...times(20, blindly)]).told).toEqual(['threshold-lost', 'node-failed st2', 'node-failed st3']);
});

test('nodes that are taken down on purpose are no failure', () => {
  const down = (name: string) => node(name, 'Offline', { excused: 'rolling-restart/demo' });
  expect(story([ok, health(node('st1'), down('st2'), down('st3'))]).told).toEqual([]);
});

test('one that is expected to be away after it has failed is not back: neither it nor the threshold, until they are', () => {
  const away = health(node('st1'), node('st2', 'Offline', { excused: 'replace-node/demo' }), node('st3', 'Offline', { excused: 'replace-node/demo' }));
  const lost = ['threshold-lost', 'node-failed st2', 'node-failed st3'];
  const { told, incidents } = story([ok, twoDown, ...times(20, away)]);
  expect(told).toEqual(lost);
  expect(waitsForCalm(incidents)).toBe(false);
  expect(story([ok, twoDown, ok, ...times(20, away)]).told).toEqual(lost);
  expect(story([ok, twoDown, ...times(20, away), twoDown]).told).toEqual(lost);
  expect(story([ok, twoDown, ...times(20, away), ...times(8, ok)]).told).toEqual([...lost, 'threshold-restored', 'node-recovered st2', 'node-recovered st3']);
  // One that left the cluster is nobody's incident any more.
  const left = story([ok, twoDown, ...times(20, away), ...times(8, health(node('st1'), node('st4'), node('st5')))]);
  expect(left.told).toEqual([...lost, 'threshold-restored']);
  expect(left.incidents.open).toBeNull();
});

test.each<[string, NodeHealth[], Around, string[]]>([
  ['a refused login at one says nothing of the other', [node('st1'), node('st2', 'Unknown', { cause: 'credentials' }), node('st3', 'Offline')], well, ['threshold-lost', 'node-failed st3']],
  ['nor does a licence', [node('st1'), node('st2', 'Offline', { cause: 'licence' }), node('st3', 'Unknown')], well, ['threshold-lost', 'node-failed st3']],
  ['a refused login at both says all', [node('st1'), node('st2', 'Unknown', { cause: 'credentials' }), node('st3', 'Unknown', { cause: 'credentials' })], well, ['threshold-lost']],
  ['the shared files say all', [node('st1'), node('st2', 'Offline'), node('st3', 'Unknown')], { ...well, sharedFiles: 'hang' }, ['threshold-lost']],
])('%s', (_, nodes, around, expected) => {
  expect(story([ok, healthOf('demo', vote(nodes, around))]).told).toEqual(expected);
});

test('an Edge is claimed to serve nobody only by those who see it, and to serve again only when it does', () => {
  const edge = (state: NodeState, more: Partial<NodeHealth> = {}) => [node('st1'), node('st2'), node('ed1', state, more)];
  const network = healthOf('demo', vote([node('st1', 'Unknown'), node('st2', 'Unknown'), node('ed1', 'Unknown')], { balancers: [], reached: false }));
  expect(network).toMatchObject({ cause: { code: 'our network' }, problems: expect.not.arrayContaining([expect.stringMatching(/No Edge/)]) });
  expect(story([network, network]).told).toEqual(['threshold-lost']);
  const [serves, gone, excused] = [health(...edge('Online')), health(...edge('Offline')), health(...edge('Offline', { excused: 'maintenance' }))];
  expect(story([serves, gone, ...times(10, network)]).told).toEqual(['no-edge', 'threshold-lost']);
  expect(story([serves, gone, ...times(10, excused)]).told).toEqual(['no-edge']);
  expect(story([serves, gone, ...times(10, serves)]).told).toEqual(['no-edge', 'node-recovered']);
});

const lb1: Down = { what: 'balancer', name: 'lb1', why: 'lb1 can\'t be asked: no answer.', left: [] };
const db: Down = { what: 'database', name: 'st', why: 'connection refused' };
const without = (...down: Down[]): View => ({ health: ok, down });

test.each<[string, Down, string[]]>([
  ['the only balancer', lb1, ['balancer-down lb1', 'balancer-up lb1']],
  ['the database', db, ['database-down', 'database-up']],
])('%s that is out while every node goes on is told once, and again when it has served for a while', (_, thing, told) => {
  const { incidents, events, ids } = story([ok, ...times(9, without(thing))]);
  expect(events).toMatchObject([{ kind: told[0]!.split(' ')[0], severity: 'critical', summary: expect.stringContaining(thing.why) }]);
  expect(waitsForCalm(incidents)).toBe(false);
  // One that comes and goes is one.
  const flapping = story([ok, without(thing), ok, without(thing), ok, ok, without(thing), ...times(4, ok)]);
  expect([flapping.told, waitsForCalm(flapping.incidents)]).toEqual([told.slice(0, 1), true]);
  const back = story([ok, without(thing), ...times(7, ok)]);
  expect([back.told, back.incidents.open, new Set(back.ids).size]).toEqual([told, null, 1]);
  expect(ids[0]).toBe(back.ids[0]);
});

test('one of two balancers is a warning that names the other; the second is told as the last', () => {
  const [one, other]: Down[] = [{ ...lb1, left: ['lb2'] }, { ...lb1, name: 'lb:2', left: [] }];
  const { events } = story([ok, without(one!), without({ ...one!, left: [] }, other!)]);
  expect(events.map(({ kind, node: name, severity, summary }) => [kind, name, severity, summary])).toEqual([
    ['balancer-down', 'lb1', 'warning', expect.stringMatching(/^A load balancer of demo does not serve \(lb2 does\): lb1 can't be asked/)],
    ['balancer-down', 'lb-2', 'critical', expect.stringMatching(/^No load balancer of demo serves, .*no partner gets in/)],
  ]);
});

test('a window over the whole cluster expects what is out around it, one over some nodes does not; what is still out at its end is told', () => {
  const windowOver = (...nodes: string[]): View => ({ health: { ...ok, record: { ...ok.record!, maintenance: [{ nodes, until: at(60_000), reason: 'new rack' }] } }, down: [lb1, db] });
  const muted = story([ok, ...times(9, windowOver())]);
  expect([muted.told, muted.incidents.open]).toEqual([[], null]);
  expect(story([ok, ...times(9, windowOver()), without(lb1, db)]).told).toEqual(['balancer-down lb1', 'database-down']);
  expect(story([ok, windowOver('st2')]).told).toEqual(['balancer-down lb1', 'database-down']);
  // What was told before the window is back only when it is.
  expect(story([ok, without(db), ...times(9, windowOver()), ...times(7, ok)]).told).toEqual(['database-down', 'database-up']);
});

test('a fall that is told with the database as its cause has said it; when the Servers are back without it, it is told', () => {
  const gone = { health: healthOf('demo', vote([node('st1', 'Offline'), node('st2', 'Offline'), node('st3', 'Offline')], { ...well, database: 'it refuses' })), down: [db] };
  expect(story([ok, gone, gone, ...times(9, ok)]).told).toEqual(['threshold-lost', 'threshold-restored']);
  expect(story([ok, gone, ...times(2, without(db))]).told).toEqual(['threshold-lost', 'database-down']);
  expect(story([ok, without(db), gone]).told).toEqual(['database-down', 'threshold-lost']);
  expect(story([ok, twoDown, { health: twoDown, down: [db] }]).told).toEqual(['threshold-lost', 'node-failed st2', 'node-failed st3', 'database-down']);
});

test('where all is silent nothing around is claimed, nor told as back', () => {
  const silent = healthOf('demo', vote([node('st1', 'Unknown'), node('st2', 'Unknown')], { balancers: [], reached: false }));
  expect(story([ok, ...times(9, { health: silent, down: [lb1, db] })]).told).toEqual(['threshold-lost']);
  expect(story([ok, without(lb1), ...times(9, silent)]).told).toEqual(['balancer-down lb1', 'threshold-lost']);
});

test('only what everybody finds out is', () => {
  const seeing = (...down: Down[]): Vote => vote([node('st1')], { ...well, down });
  expect(agree([seeing(lb1, db), seeing({ ...db, why: 'timeout' })], 2)!.around.down).toEqual([db]);
  expect(agree([seeing(lb1), seeing()], 2)!.around).not.toHaveProperty('down');
});

test('too few for long enough is told once, and only when those who look again agree', () => {
  const { incidents } = story([ok, twoDown]);
  expect(confirmBelow(incidents, { health: ok, at: at(300_000), calmMs: 0 }).events).toEqual([]);
  const confirmed = confirmBelow(incidents, { health: twoDown, at: at(300_000), calmMs: 0 });
  expect(confirmed.events).toMatchObject([{ kind: 'below-threshold', severity: 'critical', incident: incidents.open!.id }]);
  expect(confirmBelow(confirmed.incidents, { health: twoDown, at: at(301_000), calmMs: 0 }).events).toEqual([]);
});

test('ids of events are fit for workflow ids and mails, whatever a node is called', () => {
  const long = `s${'-'.repeat(62)}`;
  const view = health(node('st1', 'Offline'), node(long, 'Offline'));
  const { events } = observe(noIncidents(), { health: view, at: at(0), calmMs: 0 });
  for (const { id } of events) expect(id).toMatch(/^[A-Za-z0-9._-]{1,150}$/);
  expect(new Set(events.map(({ id }) => id)).size).toBe(events.length);
});

test.each<[StepState[], boolean]>([
  [['planned', 'planned'], false], [['running', 'planned'], true], [['done', 'planned'], true], [['done', 'done'], false], [['done', 'waiting'], true], [['undone'], false], [['done', 'failed'], true],
])('a node with the steps %p is taken down: %p', (states, expected) => {
  const steps = states.map((state, index) => ({ key: `${['out', 'drain'][index]}/st1`, title: 'x', node: index === 0 ? 'st1 at lb1' : 'st1', state }));
  expect(takenDown({ steps, workflowId: 'w' }).has('st1')).toBe(expected);
});

test.each<[string, [string, StepState][], boolean]>([
  ['a backup', [['backup-files', 'running']], false],
  ['notes and options around a restart that is to come', [['note', 'done'], ['local-options', 'running'], ['out', 'planned'], ['online', 'planned'], ['forget', 'planned']], false],
  ['notes after a restart that is over', [['note', 'done'], ['drain', 'done'], ['online', 'done'], ['serving', 'done'], ['forget', 'planned']], false],
  ['the restart itself', [['note', 'done'], ['drain', 'done'], ['connected', 'running'], ['serving', 'planned'], ['forget', 'planned']], true],
  ['logins through an Edge, one restart after the other', [['login/st1', 'done'], ['login/st2', 'planned']], false],
  ['an update', [['drain', 'done'], ['update-first', 'done'], ['update-first/version', 'running'], ['online', 'planned']], true],
  ['an Edge that leaves the zones', [['unzone', 'running']], true],
  ['one that has left, until the record says so', [['drain', 'done'], ['unlist', 'done'], ['stop-all', 'done'], ['gate', 'done']], true],
  ['one that left and did not answer', [['out-of-service', 'done'], ['unlist', 'done']], true],
  ['one that was to leave, and serves again', [['out-of-service', 'undone'], ['drain', 'undone'], ['unlist', 'undone']], false],
])('%s: %p takes the node down: %p', (_, rows, expected) => {
  const steps = rows.map(([key, state]) => ({ key: `${key}/st1`, title: 'x', node: 'st1', state }));
  expect(takenDown({ steps, workflowId: 'w' }).has('st1')).toBe(expected);
});

test('a window without names covers all until it ends', () => {
  const windows = [{ id: '1', nodes: [], since: at(0), until: at(60_000), reason: 'patching', by: 'ops' }];
  expect([...excusesOf(['st1', 'st2'], { windows, at: at(1) }).keys()]).toEqual(['st1', 'st2']);
  expect(excusesOf(['st1'], { windows, at: at(60_000) }).size).toBe(0);
});

test.each([
  [{ code: 'Unreachable', message: '', transport: 'ECONNREFUSED' }, 'offline', 'refused'],
  [{ code: 'Unreachable', message: '', transport: 'EHOSTUNREACH' }, 'unknown', 'silent'],
  [{ code: 'Unreachable', message: 'no answer' }, 'unknown', 'silent'],
  [{ code: 'Unreachable', message: '', transport: 'ECONNRESET' }, 'unknown', 'nonsense'],
  [{ code: 'Unreachable', message: '', status: 500 }, 'unknown', 'nonsense'],
  [{ code: 'Refused', message: 'no JSON' }, 'unknown', 'nonsense'],
  [{ code: 'AuthenticationFailed', message: '401' }, 'unknown', 'credentials'],
  [{ code: 'TlsRejected', message: 'expired' }, 'unknown', 'TLS'],
  [{ code: 'FileUnavailable', message: 'st1:444: the CA file /etc/st/ca.pem could not be read (ENOENT).' }, 'unknown', 'TLS'],
  [{ code: 'SecretUnavailable', message: 'Secret file:/etc/st/admin could not be read: it does not exist.' }, 'unknown', 'credentials'],
])('%p is %s, for %s', (failed, sight, cause) => {
  expect(judgeFailure(failed)).toMatchObject({ sight, cause });
});

test('two votes tell the same story whatever the time, the sessions and the wording', () => {
  const one = vote([node('st1'), node('st2', 'Unknown')]);
  const other = { ...vote([node('st1', 'Online', { sessions: 7 }), node('st2', 'Unknown', { why: 'otherwise' })]), at: at(5_000) };
  expect(signatureOf(other)).toBe(signatureOf(one));
  expect(signatureOf(vote([node('st1'), node('st2', 'Offline')]))).not.toBe(signatureOf(one));
});
