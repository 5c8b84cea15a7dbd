import { spawnSync } from 'node:child_process';
import { connect, createServer, type AddressInfo } from 'node:net';
import { script } from '../../../src/clients/quote';
import { readSockets, socketsScript } from '../../../src/activities/sockets';

test('an established connection of this machine is found by its far end; a port that only listens is not', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  const far = expect.objectContaining({ address: '127.0.0.1', port });
  const look = () => readSockets(spawnSync('/bin/sh', ['-c', script(socketsScript, ['localhost', '127.0.0.1', 'no-such-host.invalid'])], { encoding: 'utf8' }).stdout);
  expect(look().established).not.toContainEqual(far);
  const client = connect(port, '127.0.0.1');
  await new Promise((resolve) => client.once('connect', resolve));
  const { names, established } = look();
  expect(established).toContainEqual(far);
  expect(established).toContainEqual({ address: '127.0.0.1', port: client.localPort, local: port });
  expect(names.get('127.0.0.1')).toEqual(['127.0.0.1']);
  expect(names.get('localhost')).toEqual(expect.arrayContaining([expect.stringMatching(/^(127\.0\.0\.1|::1)$/)]));
  // A name that nobody knows stands for itself, and matches nothing.
  expect(names.get('no-such-host.invalid')).toEqual(['no-such-host.invalid']);
  client.destroy();
  server.close();
});

test('addresses of IPv6, and those of IPv4 in them', () => {
  const line = (remote: string, state = '01') => `   1: 00000000000000000000000000000000:1F56 ${remote}:4E36 ${state} 00000000:00000000 00:00000000 00000000     0        0 1`;
  const { established } = readSockets([line('B80D0120000000000000000001000000'), line('0000000000000000FFFF00000B00560A'), line('0B00560A'), line('0C00560A', '06')].join('\n'));
  expect(established).toEqual([{ address: '2001:db8:0:0:0:0:0:1', port: 20022, local: 8022 }, { address: '10.86.0.11', port: 20022, local: 8022 }, { address: '10.86.0.11', port: 20022, local: 8022 }]);
});
