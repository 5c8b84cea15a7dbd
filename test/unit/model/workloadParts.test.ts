/** Streaming.xml, mounts, balancer weights and what was measured. */
import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { mountOf, parseMounts, pgpMountProblems } from '../../../src/model/mountOptions';
import { pgpExpression, withPgpExpression } from '../../../src/model/streamingXml';
import { planWeights } from '../../../src/model/weightsPlan';
import { combineLoad, compareLoads, type Load, type LoadPart } from '../../../src/model/workloadLoad';

describe('Streaming.xml', () => {
  const out = readFileSync(join(__dirname, '../../../lab/standin/package/tree/brules/local/wptdocuments/Streaming.xml'), 'latin1');
  test('the expression is taken in and out again, and no other byte changes', () => {
    expect(pgpExpression(out)).toBe('out');
    const inside = withPgpExpression(out, 'in')!;
    expect(pgpExpression(inside)).toBe('in');
    expect(inside).toBe(out.replace('<!-- <Expression name="pgp">', '<Expression name="pgp">').replace('pgp}</Expression> -->', 'pgp}</Expression>'));
    expect([withPgpExpression(inside, 'out'), withPgpExpression(out, 'out'), withPgpExpression(inside, 'in')]).toEqual([out, out, inside]);
  });
  test('line ends, encodings and other comments stay', () => {
    const odd = '<?xml version="1.0"?>\r\n<!-- of pgp: see the guide -->\r\n<S>\r\n\t<!--<Expression name="PGP"/>-->\r\n\t<E>\xe9</E>\r\n</S>';
    expect(withPgpExpression(odd, 'in')).toBe(odd.replace('<!--<Expression name="PGP"/>-->', '<Expression name="PGP"/>'));
  });
  test.each([
    ['no such expression', '<S><E>x</E></S>'],
    ['two of them', '<S><!-- <E>pgp</E> --><!-- <F>pgp</F> --></S>'],
    ['one in and one out', '<S><!-- <E>pgp</E> --><E>pgp</E></S>'],
    ['a comment that does not end', '<S><!-- <E>pgp</E> </S>'],
    ['no XML at all', 'pgp'],
    ['nothing', ''],
  ])('a file with %s is left alone', (_, xml) => expect([pgpExpression(xml), withPgpExpression(xml, 'in'), withPgpExpression(xml, 'out')]).toEqual(['strange', undefined, undefined]));
  test('never touches anything but the two marks, whatever the file', () => {
    const piece = fc.constantFrom('<!-- ', ' -->', '<E>pgp</E>', '<E>x</E>', '\n', ' ', 'pgp', '<S>', '</S>', '<E name="pgp"/>');
    fc.assert(fc.property(fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join('')), fc.constantFrom('in' as const, 'out' as const), (xml, to) => {
      const then = withPgpExpression(xml, to);
      if (then === undefined) return;
      expect(pgpExpression(then)).toBe(to);
      const bare = (text: string): string => text.replace(/<!--|-->|\s/g, '');
      expect(bare(then)).toBe(bare(xml));
    }));
  });
});

describe('the mount of the shared files', () => {
  const table = (options: string, type = 'nfs4') => parseMounts(`proc /proc proc rw 0 0\n/dev/sda1 / ext4 rw 0 0\nnas:/st /srv/st\\040shared ${type} ${options} 0 0\n`);
  const problems = (options: string, type?: string) => pgpMountProblems('st1', '/srv/st shared', table(options, type));
  test('is the deepest that the path lies on', () => expect([mountOf(table('rw'), '/srv/st shared/home')?.type, mountOf(table('rw'), '/srv/other')?.type, mountOf([], '/x')]).toEqual(['nfs4', 'ext4', undefined]));
  test('needs noac and sync for PGP where it is NFS', () => {
    expect(problems('rw,sync,noac,vers=4.2')).toEqual([]);
    expect(problems('rw,noac')).toEqual([expect.objectContaining({ what: 'st1: /srv/st shared is mounted without sync (rw,noac), which PGP needs on every Server' })]);
    expect(problems('rw', 'gpfs')).toEqual([expect.objectContaining({ level: 'warning' })]);
  });
});

describe('balancer weights', () => {
  const edges = { what: 'Edge', names: ['ed1', 'ed2'] };
  const facts = (more: object = {}) => [{ name: 'lb1', weights: { ed1: { ssh: 1, https: 1 }, ed2: { ssh: 1, https: 1 } }, saved: ['ed1', 'ed2'], ...more }];
  test('are set where they differ, with what takes them back', () => {
    expect(planWeights({ ed1: 10, ed2: 1 }, edges, facts())).toEqual({ set: [{ balancer: 'lb1', node: 'ed1', weight: 10, before: { ssh: 1, https: 1 } }], problems: [], undo: { ed1: 1 } });
    expect(planWeights(undefined, edges, facts()).set).toEqual([]);
  });
  test('that a reload would forget are saved, or it is said', () => {
    expect(planWeights({ ed1: 1 }, edges, facts({ saved: ['ed2'] })).set).toHaveLength(1);
    expect(planWeights({ ed1: 2 }, edges, facts({ saved: null })).problems).toEqual([expect.objectContaining({ level: 'warning', what: expect.stringContaining('a reload forgets') })]);
  });
  test('of strangers are refused', () => {
    expect(planWeights({ st1: 2 }, edges, facts()).problems).toEqual([expect.objectContaining({ what: 'weights.st1: the balancer sends to no Edge of that name; it sends to ed1, ed2' })]);
    expect(planWeights({ ed1: 2 }, edges, []).problems).toHaveLength(1);
  });
});

describe('what was measured', () => {
  const part = (waiting: number, active: number, ended = 0) => ({ PUSH: { waiting, active, ended } });
  const nodes: LoadPart[] = ['st1', 'st2'].map((node) => ({ what: 'node', node, ids: [`id ${node}`, node], cores: 2, cpu: 0.5, sessions: 3 }));
  const measure = (early: [number, number], late = early): Load => combineLoad([{ what: 'queue', halfMs: 10_000, looks: 8, halves: [{ 'id st1': part(early[0], 0, 10), st2: part(early[1], 0, 10) }, { 'id st1': part(late[0], 0, 10), st2: part(late[1], 0, 10) }] }, ...nodes]);
  test('is put together by node and type', () => {
    expect(measure([3, 1])).toEqual({
      windowMs: 20_000, looks: 8, unassigned: 0, events: 4, rate: 2, crowding: 1.25, imbalance: 1.25, noise: 0, missing: [],
      nodes: [{ node: 'st1', types: { PUSH: { waiting: 3, active: 0, ended: 1 } }, cores: 2, cpu: 0.5, sessions: 3 }, { node: 'st2', types: { PUSH: { waiting: 1, active: 0, ended: 1 } }, cores: 2, cpu: 0.5, sessions: 3 }],
    });
  });
  test('helped, did not, or can\'t be told apart from noise', () => {
    const even = measure([5, 5]);
    expect(compareLoads(measure([9, 1]), even).helped).toBe('yes');
    expect(compareLoads(even, measure([9, 1])).helped).toBe('no');
    expect(compareLoads(measure([5.5, 4.5]), even).helped).toBe('no difference');
    expect(compareLoads(measure([10, 0], [0, 10]), even).helped).toBe('no difference');
    expect(compareLoads(measure([10, 0], [5, 5]), even).helped).toBe('no difference');
    expect(compareLoads(measure([0.3, 0]), even).helped).toBe('can\'t be told');
  });
  test('names what is missing, and is no number then', () => {
    expect(combineLoad([{ what: 'queue', halfMs: 1, looks: 0, halves: null, why: 'the event queue: no answer' }, { ...nodes[0]!, cores: null, cpu: null, why: 'st1: no answer' } as LoadPart])).toMatchObject({ crowding: null, imbalance: null, noise: null, missing: ['the event queue: no answer', 'st1: no answer'] });
    expect(combineLoad([]).missing).toEqual(['the event queue was not measured']);
  });
});
