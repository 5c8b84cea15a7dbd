/** Against the stand-in: which shipped passwords still work is found out without ever costing an account a second try. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { hashPassword } from '../../../lab/standin/schema';
import { administratorActivities, type ShippedInput } from '../../../src/activities/administrators';
import type { Clients } from '../../../src/activities/clients';
import { createAdminApi, type AdminApi } from '../../../src/clients/adminApi';
import { waitFor } from '../../../src/clients/waitFor';
import { StError } from '../../../src/model/errors';
import { shippedLines } from '../../../src/model/shippedPasswords';
import type { DatabaseTarget, ServerTarget } from '../../../src/model/targets';
import { ports, startEstate, type Estate, type Server } from '../standin/estate';

jest.setTimeout(60_000);

let estate: Estate;
let host: Server;
let api: AdminApi;
let folder: string;
const tries: string[] = [];
const authority = { cluster: 'demo', epoch: 1, operation: 'set-up-cluster/demo' };

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'st-shipped-'));
  estate = await startEstate();
  await estate.postgres.createDatabase('one');
  host = await estate.installServer('one', undefined, { adminPassword: 'right-password' });
  host.license(3);
  api = createAdminApi({ timeoutMs: 5_000 });
  await waitFor('the Administration Tool answers', () => api.server(target().admin).version(), () => true, { timeoutMs: 20_000 });
});
beforeEach(async () => {
  tries.length = 0;
  await estate.postgres.query('one', 'drop table if exists st_orchestrator_login_try');
});
afterAll(async () => {
  await api?.close();
  await estate?.stop();
  rmSync(folder, { recursive: true, force: true });
});

function target(password = 'right-password', user = 'admin'): ServerTarget {
  const file = join(folder, password);
  writeFileSync(file, `${password}\n`);
  chmodSync(file, 0o600);
  return { node: 'st1', admin: { address: host.address, port: ports.admin, user, password: `file:${file}`, ca: host.certificate.cert } } as ServerTarget;
}
const input = (server = target()): ShippedInput => ({ server, role: 'server', database: { cluster: 'demo', stateDatabase: 'one' } as DatabaseTarget });

/** The real ways in, but that tries are written down; `lost`: the answer of the try for this account never comes. */
function activities({ lost }: { lost?: string } = {}) {
  const clients = {
    admin: {
      ...api,
      tryPassword: async (...args: Parameters<AdminApi['tryPassword']>) => {
        tries.push(args[1].user);
        const answer = await api.tryPassword(...args);
        if (args[1].user === lost) throw new StError('ConnectionLost', 'the answer was lost');
        return answer;
      },
    },
    postgres: {
      withDatabase: async <T>(_target: unknown, act: (client: Client) => Promise<T>): Promise<T> => {
        const client = new Client({ host: '127.0.0.1', port: estate.postgres.port, database: 'one', user: 'one', password: 'secret-one' });
        await client.connect();
        try {
          return await act(client);
        } finally {
          await client.end();
        }
      },
    },
  };
  return administratorActivities({ clients: clients as unknown as Clients });
}
const setPassword = (account: string, password: string): Promise<unknown> => {
  const { salt, hash } = hashPassword(password);
  return estate.postgres.query('one', `update administrator set salt = '${salt}', passwordhash = '${hash}', failedlogins = 0, locked = false where loginname = '${account}'`);
};
const failures = async (): Promise<Record<string, number>> => Object.fromEntries((await estate.postgres.query('one', 'select loginname, failedlogins from administrator where failedlogins > 0')).map((row) => [row['loginname'], row['failedlogins']]));
const stateOf = (account: string, found: readonly { account: string; state: string }[]) => found.find((one) => one.account === account)?.state;

test('a password that was shipped and still works is told, however often it is looked, and counts against nobody', async () => {
  for (let look = 1; look <= 4; look += 1) {
    const found = await activities().readShipped(input());
    expect(found.map(({ account, state }) => `${account} ${state}`).sort()).toEqual(['account works', 'admin changed', 'application works', 'setup works']);
  }
  expect(await failures()).toEqual({});
  const { note } = await activities().ensureTried({ ...input(), installed: false }, authority);
  expect(note).toBe('the shipped password still works for "setup", "account", "application" at st1: change it there now, and remove "setup"');
});

test('one that was changed costs its account one try and never a second', async () => {
  await activities().readShipped(input());
  await setPassword('account', 'a better one');
  for (let look = 1; look <= 4; look += 1) expect(stateOf('account', await activities().readShipped(input()))).toBe('changed');
  expect(await failures()).toEqual({ account: 1 });
  await setPassword('account', 'account');
});

test('a try whose answer was lost is not made again, and what it would have told is not known', async () => {
  await setPassword('application', 'a better one');
  await activities({ lost: 'application' }).readShipped(input());
  for (let look = 1; look <= 3; look += 1) expect(stateOf('application', await activities().readShipped(input()))).toBe('unknown');
  expect(await failures()).toEqual({ application: 1 });
  expect(tries.filter((one) => one === 'application')).toHaveLength(1);
  await setPassword('application', 'application');
});

test('what was written down of an installation that is gone does not count, once for each operation that installed', async () => {
  await setPassword('setup', 'a better one');
  for (const operation of ['set-up-cluster/demo', 'set-up-cluster/demo', 'replace-node/demo/st1']) await activities().ensureTried({ ...input(), installed: true }, { ...authority, operation });
  expect(await failures()).toEqual({ setup: 2 });
  await setPassword('setup', 'setup');
});

test('two looks at once make one try', async () => {
  await setPassword('setup', 'a better one');
  await Promise.all([activities().readShipped(input()), activities().readShipped(input())]);
  expect(await failures()).toEqual({ setup: 1 });
  await setPassword('setup', 'setup');
});

test('the administrator of the cluster file is never tried: its password is known', async () => {
  await setPassword('admin', 'admin');
  expect(stateOf('admin', await activities().readShipped(input(target('admin'))))).toBe('works');
  await setPassword('admin', 'right-password');
  expect(tries).not.toContain('admin');
});

test('nothing is tried where no try can be written down, nor while the Administration Tool does not answer', async () => {
  const unwritten = input();
  const found = await activities().readShipped({ ...unwritten, database: { ...unwritten.database, stateDatabase: undefined } as unknown as DatabaseTarget });
  expect(shippedLines(found)).toEqual(['whether the shipped password works is not known for "setup", "account", "application" at st1, and is not tried again: a wrong password counts against the account. Change it there']);
  const silent = target();
  await expect(activities().readShipped(input({ ...silent, admin: { ...silent.admin, port: 1 } }))).rejects.toMatchObject({ code: 'Unreachable' });
  expect(tries).toEqual([]);
});
