/** OpenSSH's known_hosts: which keys a host may show. Format: sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT". */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

export interface HostKey {
  /** `ssh-ed25519`, `ssh-rsa`, `ecdsa-sha2-nistp256`, … */
  type: string;
  /** The key blob in base64, as the file has it. */
  key: string;
}

export interface HostEntries {
  /** Keys this host may show. */
  accepted: HostKey[];
  /** Keys that must be refused even when they are also accepted by another line. */
  revoked: HostKey[];
  /** Lines that were about this host but are not used, each with the reason. */
  ignored: string[];
}

interface Line extends HostKey {
  number: number;
  marker?: string;
  matches: (name: string) => boolean;
}

export type KnownHosts = (address: string, port: number) => HostEntries;

/** Reads the text of a known_hosts file. Lines that cannot be read are skipped, as ssh does. */
export function parseKnownHosts(text: string): KnownHosts {
  const lines = text.split(/\r?\n/).flatMap((line, index) => parseLine(line, index + 1));
  return (address, port) => {
    const name = lookupName(address, port);
    const found: HostEntries = { accepted: [], revoked: [], ignored: [] };
    for (const line of lines) {
      if (!line.matches(name)) continue;
      const key = { type: line.type, key: line.key };
      if (line.marker === '@revoked') found.revoked.push(key);
      else if (line.marker === '@cert-authority') found.ignored.push(`line ${line.number}: host certificates (@cert-authority) are not supported; list the host's own key`);
      else if (line.marker) found.ignored.push(`line ${line.number}: unknown marker ${line.marker}`);
      else found.accepted.push(key);
    }
    return found;
  };
}

/** How ssh names a host in the file: the bare name on port 22, else `[name]:port`; always lower case. */
export function lookupName(address: string, port: number): string {
  const name = address.toLowerCase();
  return port === 22 ? name : `[${name}]:${port}`;
}

/** Why a shown key is not accepted, or `undefined` when it is. */
export function whyRefused(entries: HostEntries, shown: Buffer): string | undefined {
  const same = (key: HostKey): boolean => Buffer.from(key.key, 'base64').equals(shown);
  if (entries.revoked.some(same)) return `its key ${fingerprint(shown)} is marked @revoked`;
  if (entries.accepted.some(same)) return undefined;
  return `it shows the key ${fingerprint(shown)}, expected ${entries.accepted.map((key) => fingerprint(Buffer.from(key.key, 'base64'))).join(' or ')}`;
}

/** As `ssh-keygen -lf` prints it: `SHA256:…` without padding. */
export function fingerprint(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
}

/** The signature algorithms to ask for, so that the host shows a key of a type the file holds. SHA-1 RSA is never among them. */
export function hostKeyAlgorithms(keys: readonly HostKey[]): string[] {
  const types = [...new Set(keys.map((key) => key.type))];
  return types.flatMap((type) => (type === 'ssh-rsa' ? ['rsa-sha2-512', 'rsa-sha2-256'] : [type]));
}

function parseLine(line: string, number: number): Line[] {
  const fields = line.trim().split(/\s+/);
  if (fields[0] === '' || fields[0]!.startsWith('#')) return [];
  const marker = fields[0]!.startsWith('@') ? fields.shift() : undefined;
  const [hosts, type, key] = fields;
  if (!hosts || !type || !key) return [];
  return [{ number, marker, type, key, matches: hosts.startsWith('|') ? hashedMatcher(hosts) : patternMatcher(hosts) }];
}

/** `|1|salt|hash`: HMAC-SHA1 of the name, one name a line. */
function hashedMatcher(field: string): (name: string) => boolean {
  const [, version, salt, hash] = field.split('|');
  if (version !== '1' || !salt || !hash) return () => false;
  const expected = Buffer.from(hash, 'base64');
  const key = Buffer.from(salt, 'base64');
  return (name) => {
    const actual = createHmac('sha1', key).update(name).digest();
    return actual.length === expected.length && timingSafeEqual(actual, expected);
  };
}

/** Comma-separated patterns with `*` and `?`; one that matches after `!` refuses the whole line. */
function patternMatcher(field: string): (name: string) => boolean {
  const patterns = field.split(',').map((pattern) => {
    const negated = pattern.startsWith('!');
    return { negated, test: wildcard(negated ? pattern.slice(1) : pattern) };
  });
  return (name) => patterns.some(({ negated, test }) => !negated && test.test(name)) && !patterns.some(({ negated, test }) => negated && test.test(name));
}

function wildcard(pattern: string): RegExp {
  const source = [...pattern.toLowerCase()].map((char) => (char === '*' ? '.*' : char === '?' ? '.' : char.replace(/[\\^$.|+()[\]{}]/, '\\$&'))).join('');
  return new RegExp(`^${source}$`);
}
