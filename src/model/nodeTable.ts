/** The product's table of nodes as it answers: an address is kept as it was typed and may stand there twice, the second entry being invalid (reference §4). */
import { canonicalAddress } from './fields';

export interface NodeEntry {
  serverAddress: string;
  [field: string]: unknown;
}

/** The entries of one address, in the order of the table. */
export function entriesOf<T extends NodeEntry>(table: readonly T[], address: string): T[] {
  return table.filter(({ serverAddress }) => canonicalAddress(serverAddress) === canonicalAddress(address));
}

/** The product's own word for a node; undefined where it has none. Of an address that was added twice one entry is not valid, whichever comes first. */
export function statusIn(table: readonly NodeEntry[], address: string): string | undefined {
  const words = entriesOf(table, address).map(({ status }) => status).filter((status) => typeof status === 'string');
  return words.find((word) => word === 'Online') ?? words[0];
}

/** A heart that beats late is no hang, in milliseconds. */
export const lateBeatMs = 6_000;

/** Every address of the table once, in one spelling. */
export const addressesIn = (addresses: readonly string[]): string[] => [...new Set(addresses.map(canonicalAddress))];
