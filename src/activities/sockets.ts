/** Established TCP connections of a host as the kernel lists them: no tool has to be installed, and no privilege is needed. */

export interface Connection {
  /** The far end. */
  address: string;
  port: number;
  /** The port at this end. */
  local: number;
}

/** What names mean on the host, then its connections. A name that is an address already is itself. */
export const socketsScript = String.raw`
for name in "$@"; do
  printf 'name\t%s\t%s\n' "$name" "$(getent ahosts "$name" 2>/dev/null | cut -d' ' -f1 | sort -u | tr '\n' ' ')"
done
cat /proc/net/tcp /proc/net/tcp6 2>/dev/null
`;

export interface HostSockets {
  /** Addresses of each name that was asked for. */
  names: Map<string, string[]>;
  established: Connection[];
}

export function readSockets(stdout: string): HostSockets {
  const found: HostSockets = { names: new Map(), established: [] };
  for (const line of stdout.split('\n')) {
    const [key, name = '', addresses = ''] = line.split('\t');
    if (key === 'name') {
      found.names.set(name, addresses.trim() === '' ? [name] : addresses.trim().split(' '));
      continue;
    }
    // sl local remote state …; 01 is established.
    const [, local = '', remote, state] = line.trim().split(/\s+/);
    const [address, port] = remote?.split(':') ?? [];
    if (state === '01' && address && port) found.established.push({ address: addressOf(address), port: Number.parseInt(port, 16), local: Number.parseInt(local.split(':')[1] ?? '', 16) });
  }
  return found;
}

/** Words of 32 bits in the machine's own order, which is little-endian on all that the product runs on. */
function addressOf(hex: string): string {
  const bytes = (hex.match(/.{8}/g) ?? []).flatMap((word) => (word.match(/../g) ?? []).reverse()).map((byte) => Number.parseInt(byte, 16));
  if (bytes.length === 4) return bytes.join('.');
  if (bytes.slice(0, 10).every((byte) => byte === 0) && bytes[10] === 255 && bytes[11] === 255) return bytes.slice(12).join('.');
  const groups = Array.from({ length: 8 }, (_, i) => ((bytes[2 * i]! << 8) | bytes[2 * i + 1]!).toString(16));
  return groups.join(':');
}
