import { parseInput } from '../../../src/model/inputs';
import { isWarning } from '../../../src/model/operation';
import { rebalanceWorkloadInput } from '../../../src/model/rebalanceWorkloadInput';
import { planWorkload, restarting, workedBy, type WorkloadFacts } from '../../../src/model/workload';
import { parseAttributes, printAttributes, workloadOptions } from '../../../src/model/workloadAttributes';

const standard = ['PGP=false, PUSH=false, PULL=false, FM_TRIGGERED=false, MAINTENANCE=false'];
const server = (node: string, more: Partial<WorkloadFacts> = {}): WorkloadFacts =>
  ({ node, answers: true, tm: true, id: `id of ${node}`, policy: ['cacheBasedPolicy'], additional: [''], attributes: standard, streaming: 'out', worksBy: null, ...more });
const three = (more: Partial<WorkloadFacts> = {}): WorkloadFacts[] => ['st1', 'st2', 'st3'].map((node) => server(node, more));
type Wish = Parameters<typeof planWorkload>[0];
const plan = (wish: Omit<Wish, 'cluster'>, servers = three(), minimumNodes = 2) => planWorkload({ cluster: 'demo', ...wish }, servers, { minimumNodes });
const refusals = (of: ReturnType<typeof plan>): string[] => of.problems.filter((problem) => !isWarning(problem)).map(({ what }) => what);
const warnings = (of: ReturnType<typeof plan>): string[] => of.problems.filter(isWarning).map(({ what }) => what);
const rest = ['PGP', 'PULL', 'FM_TRIGGERED', 'MAINTENANCE'];

test('attributes are read in any spelling and written in the product\'s', () => {
  expect(parseAttributes(['PGP=false,PUSH = true', 'DXAGENT_APPLICATION_NAME=smb=BU1'])).toEqual({ PGP: 'false', PUSH: 'true', DXAGENT_APPLICATION_NAME: 'smb=BU1' });
  expect(printAttributes(parseAttributes(standard))).toEqual(standard);
  expect(parseAttributes([''])).toEqual({});
});

describe('an assignment', () => {
  const wish = { policy: 'attributeMatchPolicy' as const, assign: { st1: { PUSH: true } }, toWholeCluster: rest };
  test('sets the cluster\'s option once, each Server\'s own where it differs, and restarts every Transaction Manager when the policy changes', () => {
    const { shared, local, restart, wholeCluster, undo, problems } = plan(wish);
    expect(shared).toEqual({ set: { [workloadOptions.policy]: ['attributeMatchPolicy'] }, before: { [workloadOptions.policy]: ['cacheBasedPolicy'] } });
    expect(local).toEqual([{ node: 'st1', values: ['PGP=false, PUSH=true, PULL=false, FM_TRIGGERED=false, MAINTENANCE=false'], before: standard }]);
    expect({ restart, wholeCluster }).toEqual({ restart: ['st1', 'st2', 'st3'], wholeCluster: rest });
    expect(undo).toEqual({ cluster: 'demo', policy: 'cacheBasedPolicy', assign: { st1: { PUSH: false } } });
    expect(problems.filter((problem) => !isWarning(problem))).toEqual([]);
  });
  test('restarts only the Server whose own option changes', () => {
    const servers = three({ policy: ['attributeMatchPolicy'] });
    const { restart, local, shared, undo } = plan({ assign: { st2: { PUSH: true } }, toWholeCluster: rest }, servers);
    expect({ restart, nodes: local.map(({ node }) => node), shared: shared.set }).toEqual({ restart: ['st2'], nodes: ['st2'], shared: {} });
    expect(undo).toEqual({ cluster: 'demo', assign: { st2: { PUSH: false } }, toWholeCluster: ['PGP', 'PUSH', 'PULL', 'FM_TRIGGERED', 'MAINTENANCE'] });
  });
  test('that is there already asks for nothing', () => {
    const servers = three({ policy: ['attributeMatchPolicy'], attributes: ['PUSH=true,PGP=false'] });
    expect(plan({ assign: { st1: { PUSH: true } }, toWholeCluster: rest }, servers)).toMatchObject({ shared: { set: {} }, local: [], touched: [], restart: [], undo: { cluster: 'demo' } });
  });
  test('that leaves a type to nobody is refused, unless it is named', () => {
    expect(refusals(plan({ ...wish, toWholeCluster: ['PGP'] }))).toEqual(['no Server takes PULL, FM_TRIGGERED, MAINTENANCE: these events would go to the whole cluster in turn']);
    expect(refusals(plan({ ...wish, toWholeCluster: [...rest, 'PUSH'] }))).toEqual(['toWholeCluster: PUSH is assigned to st1']);
    expect(refusals(plan({ policy: 'roundRobinPolicy' }))).toEqual([]);
  });
  test('warns of what attributeMatchPolicy does not hold, and of the affinity that is lost', () => {
    expect(warnings(plan(wish))).toEqual([expect.stringContaining('off for a Server that is overloaded'), expect.stringContaining('events of one account')]);
    expect(warnings(plan({ assign: { st1: { PUSH: true } } }))).toEqual([expect.stringContaining('under cacheBasedPolicy nobody asks')]);
  });
});

describe('an additional attribute', () => {
  const wish = { assign: { st1: { DXAGENT_APPLICATION_NAME: 'smbBU1' } } };
  test('is made known to the cluster with the change, and forgotten again by what takes it back', () => {
    const { shared, undo } = plan(wish, three({ additional: ['DXAGENT_SITE_NAME'] }));
    expect(shared.set).toEqual({ [workloadOptions.additional]: ['DXAGENT_SITE_NAME,DXAGENT_APPLICATION_NAME'] });
    expect(undo).toEqual({ cluster: 'demo', assign: { st1: { DXAGENT_APPLICATION_NAME: null } }, additionalAttributes: ['DXAGENT_SITE_NAME'] });
  });
  test('that is assigned and not among those named is refused', () => expect(refusals(plan({ ...wish, additionalAttributes: ['DXAGENT_SITE_NAME'] }))).toEqual([expect.stringContaining('"DXAGENT_APPLICATION_NAME" is assigned')]));
  test('whose last Server is taken away is a type that nobody has', () => {
    const servers = [server('st1', { policy: ['attributeMatchPolicy'], additional: ['X'], attributes: ['PUSH=true,PGP=true,PULL=true,FM_TRIGGERED=true,MAINTENANCE=true,X=a'] }), server('st2', { policy: ['attributeMatchPolicy'], additional: ['X'] }), server('st3', { policy: ['attributeMatchPolicy'], additional: ['X'] })];
    expect(refusals(plan({ assign: { st1: { X: null } } }, servers))).toEqual(['no Server takes X=a: these events would go to the whole cluster in turn']);
    expect(refusals(plan({ assign: { st1: { X: null } }, toWholeCluster: ['X=a'] }, servers))).toEqual([]);
  });
});

test('PGP takes the expression in on every Server, and out again when the last is taken away', () => {
  const there = plan({ assign: { st1: { PGP: true } } }, [server('st1'), server('st2', { streaming: 'in' }), server('st3')]);
  expect(there).toMatchObject({ pgp: true, streaming: { to: 'in', nodes: [{ node: 'st1', before: 'out' }, { node: 'st3', before: 'out' }] }, restart: ['st1', 'st3'], undo: { assign: { st1: { PGP: false } }, pgpExpression: 'out' } });
  const withPgp = ['PGP=true'];
  expect(plan({ assign: { st1: { PGP: false } } }, [server('st1', { streaming: 'in', attributes: withPgp }), server('st2', { streaming: 'in' }), server('st3', { streaming: 'in' })]).streaming?.to).toBe('out');
  expect(refusals(plan({ assign: { st1: { PGP: true } } }, [server('st1', { streaming: 'strange' }), server('st2', { streaming: null }), server('st3')]))).toEqual([expect.stringContaining('st1: Streaming.xml does not look as expected'), expect.stringContaining('st2: Streaming.xml could not be read')]);
  expect(plan({ assign: { st1: { PUSH: true } } }, three({ streaming: 'strange' })).streaming).toBeNull();
});

test('a Server that does not answer is left out, unless something is asked of it', () => {
  const servers = [server('st1'), server('st2'), server('st3'), server('st4', { answers: false, tm: false, policy: null, additional: null, attributes: null, streaming: null })];
  const change = { policy: 'roundRobinPolicy' as const };
  expect(plan(change, servers).restart).toEqual(['st1', 'st2', 'st3']);
  expect([refusals(plan(change, servers)), warnings(plan(change, servers))[0]]).toEqual([[], expect.stringContaining('st4: its Administration Tool does not answer')]);
  expect(refusals(plan({ assign: { st4: { PUSH: true } } }, servers))).toEqual([expect.stringContaining('st4: its Administration Tool does not answer')]);
  expect(refusals(plan(change, [servers[3]!]))).toEqual(['no Server could be asked for its options']);
});

test('one restart at a time must leave as many Servers Online as the policy says', () => {
  expect(refusals(plan({ policy: 'roundRobinPolicy' }, three(), 3))).toEqual([expect.stringContaining('2 of 3 Servers are Online: fewer than policies.minimumNodes (3)')]);
  expect(refusals(plan({ policy: 'roundRobinPolicy' }, three({ tm: false }), 3))).toEqual([]);
  expect(plan({ policy: 'roundRobinPolicy' }, three({ tm: false }), 3)).toMatchObject({ restart: [], touched: [{ node: 'st1' }, { node: 'st2' }, { node: 'st3' }] });
});

test('a Transaction Manager that works by what was before an interruption is restarted, though the options are right', () => {
  const now = { policy: ['attributeMatchPolicy'], additional: [''], attributes: ['PUSH=true'], streaming: 'out' as const };
  const servers = [server('st1', { ...now, worksBy: workedBy({ ...now, attributes: ['PUSH=false'] }) }), server('st2', { ...now, worksBy: workedBy(now) }), server('st3', now)];
  expect(plan({ assign: { st1: { PUSH: true } }, toWholeCluster: rest }, servers)).toMatchObject({ local: [], restart: ['st1'], settled: ['st2'] });
});

test('files that an interruption left behind the options are edited by the next run', () => {
  const now = { policy: ['attributeMatchPolicy'], additional: [''], attributes: ['PGP=true'], streaming: 'out' as const };
  const note = workedBy({ ...now, attributes: standard });
  const wish = { assign: { st1: { PGP: true } }, toWholeCluster: ['PUSH', 'PULL', 'FM_TRIGGERED', 'MAINTENANCE'] };
  expect(plan(wish, three({ ...now, worksBy: note })).streaming).toEqual({ to: 'in', nodes: ['st1', 'st2', 'st3'].map((node) => ({ node, before: 'out' })) });
  expect(plan(wish, three(now)).streaming).toBeNull();
});

test('a Server that was stopped for its restart and stands still is restarted, before the others, and takes nobody away', () => {
  const now = { policy: ['attributeMatchPolicy'], additional: [''], attributes: ['PUSH=true'], streaming: 'out' as const };
  const wish = { assign: { st1: { PUSH: true } }, toWholeCluster: rest };
  const stands = server('st2', { ...now, tm: false, worksBy: restarting });
  const alone = plan(wish, [server('st1', now), stands, server('st3', now)], 3);
  expect([alone.restart, alone.settled, refusals(alone)]).toEqual([['st2'], [], []]);
  const servers = [server('st1', { ...now, worksBy: workedBy({ ...now, attributes: ['PUSH=false'] }) }), stands, server('st3', now)];
  expect([plan(wish, servers).restart, refusals(plan(wish, servers))]).toEqual([['st2', 'st1'], []]);
  expect(refusals(plan(wish, servers, 3))).toEqual([expect.stringContaining('2 of 3 Servers are Online')]);
  expect(plan(wish, [server('st1', now), { ...stands, worksBy: workedBy(now) }, server('st3', now)])).toMatchObject({ restart: [], settled: ['st2'] });
});

test('Servers that see different values of the cluster\'s options are told', () => {
  expect(refusals(plan({ policy: 'roundRobinPolicy' }, [server('st1'), server('st2', { policy: ['roundRobinPolicy'] })], 1))).toEqual([expect.stringContaining('st2 and st1 see different values')]);
});

describe('the input', () => {
  const problems = (input: object): string[] => { const parsed = parseInput(rebalanceWorkloadInput, { cluster: 'demo', ...input }); return 'problems' in parsed ? parsed.problems : []; };
  test('says what is wrong, field by field', () => {
    expect(problems({ assign: { st1: { push: true } } })).toEqual([expect.stringMatching(/^assign.st1.push: unknown event type.*PUSH/)]);
    expect(problems({ assign: { st1: { PUSH: 'yes' } } })).toEqual(['assign.st1.PUSH: expected true or false for an event type']);
    expect(problems({ assign: { st1: { PUHS: true } } })).toEqual([expect.stringContaining('assign.st1.PUHS: expected one of the event types')]);
    expect(problems({ assign: { st1: { X: 'a,b' } } })).toEqual([expect.stringContaining('assign.st1.X')]);
    expect(problems({ weights: { ed1: 0 } })).toEqual([expect.stringContaining('weights.ed1')]);
    expect(problems({ policy: 'roundRobin' })).toEqual([expect.stringContaining('policy: expected cacheBasedPolicy')]);
    expect(problems({})).toEqual([expect.stringContaining('nothing is asked for')]);
    expect(problems({ suggest: true, policy: 'roundRobinPolicy' })).toEqual([expect.stringContaining('suggest: a suggestion only measures')]);
  });
  test('of a suggestion is a dry run, and what takes a change back can be run', () => {
    expect(parseInput(rebalanceWorkloadInput, { cluster: 'demo', suggest: true, window: '5s' })).toMatchObject({ value: { dryRun: true, window: 5_000 } });
    expect(problems(plan({ policy: 'attributeMatchPolicy', assign: { st1: { PGP: true, X: 'a' } }, toWholeCluster: rest.slice(1).concat('PUSH') }).undo)).toEqual([]);
  });
});
