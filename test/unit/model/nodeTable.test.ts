import { addressesIn, entriesOf, statusIn } from '../../../src/model/nodeTable';

const table = [
  { serverAddress: 'ST1.example.com', status: 'Invalid' },
  { serverAddress: 'st1.example.com', status: 'Online' },
  { serverAddress: '2001:DB8::1', status: 'Offline' },
  { serverAddress: '10.0.0.9' },
];

test('an address that was added twice has two entries, however it was typed', () => {
  expect(entriesOf(table, 'st1.example.com')).toEqual(table.slice(0, 2));
  expect(entriesOf(table, '2001:db8:0:0::1')).toEqual([table[2]]);
  expect(entriesOf(table, '10.0.0.1')).toEqual([]);
});

test('its status is that of the entry which is valid', () => {
  expect(statusIn(table, 'st1.EXAMPLE.com')).toBe('Online');
  expect(statusIn(table, '2001:db8::1')).toBe('Offline');
  expect([statusIn(table, '10.0.0.9'), statusIn(table, '10.0.0.1')]).toEqual([undefined, undefined]);
});

test('the addresses of the table are told once each', () => {
  expect(addressesIn(table.map(({ serverAddress }) => serverAddress))).toEqual(['st1.example.com', '2001:db8:0:0:0:0:0:1', '10.0.0.9']);
});
