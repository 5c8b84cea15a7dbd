/** The list of the Edges when one comes later: what stands is kept, only what is missing is added, and nobody is synchronised who was not. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { edgeActivities } from '../../../src/activities/edges';
import { edgeList } from '../../../src/activities/edgeSynchronisation';
import type { Outcome } from '../../../src/model/operation';
import { machine, type Machine } from './machine';

let standing: Machine;
let coming: Machine;
beforeEach(() => {
  standing = machine();
  coming = machine();
});
afterEach(() => {
  standing.remove();
  coming.remove();
});

const added = [{ node: 'ed3', address: '10.0.0.3', adminPort: 8444 }];
const line = '10.0.0.3\thttps://10.0.0.3:8444\n';
const fileOf = ({ folder }: Machine): string => join(folder, 'axway/SecureTransport', edgeList);
const listOn = (edge: Machine): string => (existsSync(fileOf(edge)) ? readFileSync(fileOf(edge), 'utf8') : 'none');

/** Each machine has a shell of its own: the command goes to the one that is meant. */
const ssh = { run: (access: { address: string }, ...rest: unknown[]) => (access.address === 'ed1' ? standing : coming).clients.ssh.run(access as never, ...(rest as [never, never])) };
const onto = (edge: Machine): Promise<Outcome> => {
  const target = (one: Machine, node: string) => ({ ...one.server, node, address: node, ssh: { ...one.server.ssh, address: node } });
  const from = target(standing, 'ed1');
  const { ensureAlsoListed } = edgeActivities({ clients: { ssh } as never });
  return new MockActivityEnvironment().run(() => ensureAlsoListed({ edge: edge === standing ? from : target(coming, 'ed3'), from, added }, standing.authority)) as Promise<Outcome>;
};

test('it is added behind what stands there, the same on the new one, once', async () => {
  const before = '# ours\n10.0.0.1\thttps://10.0.0.1:8444\n10.0.0.2\thttps://10.0.0.2:444\n';
  standing.write(`axway/SecureTransport/${edgeList}`, before);
  coming.write(`axway/SecureTransport/${edgeList}`, '# empty\n');
  const note = `ed3 in ${edgeList}, 10.0.0.1 is the primary`;
  expect([await onto(coming), await onto(standing)]).toEqual([{ changed: true, note }, { changed: true, note }]);
  expect([listOn(standing), listOn(coming)]).toEqual([`${before}${line}`, `${before}${line}`]);
  expect([await onto(coming), await onto(standing)].map(({ changed }) => changed)).toEqual([false, false]);
});

test('where the standing Edges have no list, none is begun', async () => {
  for (const edge of [standing, coming]) expect(await onto(edge)).toEqual({ changed: false, note: `left alone: ed1 has no ${edgeList}, so the Edges are not synchronised` });
  expect([listOn(standing), listOn(coming)]).toEqual(['none', 'none']);
});
