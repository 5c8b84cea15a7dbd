/** What is noticed between two looks around, and what is not worth one. */
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { until } from '../../../lab/shell';
import type { Clients } from '../../../src/activities/clients';
import { knockOn, knocksOn } from '../../../src/activities/lookoutKnocks';
import { watchTimes } from '../../../src/model/healthVotes';
import type { BalancerTarget, DatabaseTarget } from '../../../src/model/targets';

const stop = new AbortController();
const sockets = new Set<Socket>();
/** Answers to "show info" of HAProxy; undefined: its socket refuses. */
let uptime: number | undefined = 100;
let asked = 0;
/** What the database says to whoever asks; undefined: it stands still. */
let letter: string | undefined = 'G';
let heard = '';
let server: Server;
let changes = 0;
let knocking: Promise<unknown>;

const openUnixSocket = async (): Promise<Duplex> => {
  asked += 1;
  if (uptime === undefined) throw new Error('nothing listens there');
  const stream: Duplex = new Duplex({ read: () => undefined, write(_chunk, _encoding, done) { stream.push(`Name: HAProxy\nUptime_sec: ${uptime}\n\n`); stream.push(null); done(); } });
  return stream;
};

beforeAll(async () => {
  server = createServer((socket) => {
    sockets.add(socket.on('error', () => undefined).on('data', (bytes) => {
      heard = bytes.toString('hex');
      if (letter !== undefined) socket.write(letter);
    }));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const database = { host: '127.0.0.1', port: (server.address() as AddressInfo).port } as DatabaseTarget;
  const knocks = knocksOn({ ssh: { openUnixSocket } as unknown as Clients['ssh'] }, database, [{ name: 'lb1', socket: '/run/haproxy.sock' } as BalancerTarget]);
  knocking = knockOn(knocks, { ...watchTimes(500), interval: 20 }, { signal: stop.signal, onChange: () => { changes += 1; } }).catch((error: unknown) => error);
});
afterAll(async () => {
  stop.abort(new Error('over'));
  await knocking;
  for (const socket of sockets) socket.destroy();
  server.close();
});

/** Waits for so many changes, and for some knocks more: no other comes. */
async function changed(times: number): Promise<void> {
  const before = changes;
  await until('the change', () => changes >= before + times, 5_000, 5);
  const then = asked;
  await until('some knocks more', () => asked > then + 1, 5_000, 5);
  expect(changes).toBe(before + times);
}

test('while all answer nobody is told; the database is asked for its letter, without a login', async () => {
  await until('some knocks', () => asked > 3, 5_000, 5);
  uptime = 101;
  await changed(0);
  expect(heard).toBe('0000000804d21630');
});

test('a HAProxy that is gone while its host goes on, one that is back, and one that was reloaded are each told once', async () => {
  uptime = undefined;
  await changed(1);
  uptime = 110;
  await changed(1);
  uptime = 0;
  await changed(1);
});

test('a database that stands still, though its kernel takes connections, is told once, and so is that it goes on', async () => {
  letter = undefined;
  await changed(1);
  letter = 'G';
  await changed(1);
});
