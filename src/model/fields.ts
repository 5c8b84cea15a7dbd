/** The single fields that inputs are made of: zod schemas with complete messages, and the plain tests behind them. */
import { z } from 'zod';
import { describe, didYouMean } from './problems';

type Found = { input?: unknown };

/** `expected X, found Y` for a text that does not match. */
const expected = (what: string) => (issue: Found) => `expected ${what}, found ${describe(issue.input)}`;

/** A mapping that refuses unknown keys and says which one was probably meant. */
export function strict<S extends z.ZodRawShape>(shape: S) {
  const known = Object.keys(shape);
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? (issue.keys as string[]).map((key) => `unknown key${didYouMean(key, known) || `; expected one of ${known.join(', ')}`}`).join('\n')
        : undefined,
  });
}

export const matching = (pattern: RegExp, what: string) => z.string().regex(pattern, { error: expected(what) });

/** A text that passes when the test finds no problem; the test's sentence is the message. */
export const checked = (problemOf: (text: string) => string | undefined) =>
  z.string().check((ctx) => {
    const message = problemOf(ctx.value);
    if (message) ctx.issues.push({ code: 'custom', message, input: ctx.value });
  });

export const oneOf = <const T extends readonly [string, ...string[]]>(values: T, hint: (found: unknown) => string | undefined = () => undefined) =>
  z.enum(values, { error: (issue) => (issue.input === undefined ? undefined : `expected ${values.join(' or ')}, found ${describe(issue.input)}${hint(issue.input) ?? (typeof issue.input === 'string' ? didYouMean(issue.input, values) : '')}`) });

export const whole = (least: number, most: number) => z.int().min(least).max(most);
export const port = whole(1, 65535);

/** A time as people write it: `2026-10-01T22:00:00Z`, or with another zone. There is no 13th month, and no February 30th. */
const timeProblem = (text: string): string | undefined => {
  const [, date] = /^(\d{4}-\d{2}-\d{2})T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:\d{2})$/.exec(text) ?? [];
  const day = new Date(`${date}T00:00:00Z`);
  const there = date !== undefined && !Number.isNaN(Date.parse(text)) && !Number.isNaN(day.getTime()) && day.toISOString().startsWith(date);
  return there ? undefined : `expected a time with its zone, such as 2026-10-01T22:00:00Z, found ${describe(text)}`;
};
export const timeWithZone = checked(timeProblem);

/** Names of clusters and sites: they become parts of workflow ids, database names and backends. */
export const clusterName = matching(/^[a-z][a-z0-9-]{0,30}$/, 'a name of small letters, digits and dashes that begins with a letter, at most 31 characters');
export const nodeNamePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;
export const nodeName = matching(nodeNamePattern, 'a name of letters, digits, dots, dashes and underscores, at most 63 characters');
export const userName = matching(/^[a-z_][a-z0-9_-]{0,31}$/, 'the name of a Unix user');
/** An ordinary account: what it may do as others is what the sudoers file lists. */
export const loginUser = userName.refine((name) => name !== 'root', { error: 'expected an unprivileged user (what it may do is listed in sudoers), found root' });
export const proxyName = matching(/^[A-Za-z0-9][A-Za-z0-9_.:-]{0,62}$/, 'a name that HAProxy accepts');
export const databaseName = matching(/^[A-Za-z_][A-Za-z0-9_-]{0,62}$/, 'the name of a database, role or tablespace of at most 63 characters');

/** Of a network zone: the product takes no / \ ; ' in one. `Private` is every node's own. */
export const zoneName = matching(/^(?!Private$)[A-Za-z0-9][A-Za-z0-9 ._-]{0,62}$/, 'the name of a network zone (letters, digits, blanks, dots, dashes and underscores; not Private)');

const windowsPath = /^[A-Za-z]:[\\/]|^\\\\/;

function pathProblem(path: string, { allowed, what }: { allowed: RegExp; what: string }, where: string): string | undefined {
  if (windowsPath.test(path)) return `Windows hosts can't be run; expected an absolute path ${where}`;
  if (!path.startsWith('/')) return `expected an absolute path ${where}, found ${describe(path)}`;
  if (path.length > 255) return `expected a path of at most 255 characters, found ${path.length}`;
  if (path.split('/').some((part) => part === '.' || part === '..')) return `expected a path without . and .. parts, found ${describe(path)}`;
  if (!allowed.test(path)) return `expected a path ${what}, found ${describe(path)}`;
  return undefined;
}

const onHosts = { allowed: /^(\/[A-Za-z0-9._+@=,~-]+)+$/, what: 'of letters, digits and . _ + @ = , ~ - between single slashes' };
/** One spelling for each path: a file's relative paths come out so, and a spec is compared as text. */
const onWorker = { allowed: /^(\/[^/]+)+$/, what: 'with single slashes and none at its end' };

/** A path on a host of the cluster; stands in command lines, sudoers and the installer's properties. */
export const hostPath = checked((path) => pathProblem(path, onHosts, 'on the host, such as /opt/axway'));
/** A path on the worker's host. Relative ones are made absolute when a cluster file is loaded. */
export const workerPath = checked((path) => pathProblem(path, onWorker, 'on the worker\'s host (a cluster file may have relative ones, a JSON input not)'));

/** Why a text is no secret reference; never repeats the text, which may be the secret. */
export function secretRefProblem(text: string): string | undefined {
  if (text.length > 512) return `expected a reference of at most 512 characters, found ${text.length}`;
  if (/^env:[A-Za-z_][A-Za-z0-9_]*$/.test(text) || /^command:[^\s:]/.test(text)) return undefined;
  if (text.startsWith('file:')) {
    const problem = pathProblem(text.slice('file:'.length), onWorker, 'after file:');
    return problem && problem.replace(/, found .*$/, '');
  }
  if (text.startsWith('env:')) return 'expected the name of an environment variable after env:';
  if (text.startsWith('command:')) return 'expected a program after command:';
  return 'expected a reference to a secret (env:NAME, file:/absolute/path or command:program), found something else; a secret itself is never written here';
}
/** Properties of the installer whose values are secrets, and stand in a file as references; `.Format` says how a password is written. */
export const isSecretProperty = (name: string): boolean => /passw|passphrase|secret/i.test(name) && !/\.format$/i.test(name);
export const secretRef = checked(secretRefProblem).meta({ pattern: '^(env|file|command):', description: 'A reference to a secret: env:NAME, file:/path or command:program. Resolved by the worker where it is used.' });

const ipv4 = z.ipv4();
const ipv6 = z.ipv6();
const isIp = (text: string) => ipv4.safeParse(text).success || ipv6.safeParse(text).success;

/** What ends so is an IPv4 address in one of its old spellings (0x0a000001) to every resolver, never a name. */
const numeric = /^(\d+|0x[\da-f]*)$/i;

/** Why a text is neither an IP address nor a host name that a node can be reached by. */
export function addressProblem(text: string): string | undefined {
  if (text.length > 253) return `expected an IP address or a host name, found ${text.length} characters`;
  if (isIp(text)) {
    const useless = /^(0\.|22[4-9]\.|23\d\.|24\d\.|25[0-5]\.)|^0:0:0:0:0:0:0:0$|^ff..:/.test(canonicalAddress(text));
    return useless ? `expected the address of one host, found ${describe(text)}` : undefined;
  }
  const labels = text.split('.');
  const isName = labels.every((label) => /^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/.test(label)) && !numeric.test(labels.at(-1)!);
  return isName ? undefined : `expected an IP address or a host name, found ${describe(text)}`;
}
export const address = checked(addressProblem);

/** Whether an address is among these, however it is written. */
export const hasAddress = (addresses: readonly string[], wanted: string): boolean => addresses.some((one) => canonicalAddress(one) === canonicalAddress(wanted));

/** An address and a port as URLs write them, and people read them. */
export const endpoint = (host: string, portNumber: number | string): string => `${host.includes(':') ? `[${host}]` : host}:${portNumber}`;

/** True for addresses by which a host reaches only itself. */
export const isLoopback = (text: string): boolean => /^(127\.|localhost(\.|$)|0:0:0:0:0:0:0:1$)/.test(canonicalAddress(text));

/** One spelling for each address, to find the same one written twice; an IPv4 address in IPv6 clothes (::ffff:10.0.0.1) is that IPv4 address. */
export function canonicalAddress(text: string): string {
  if (!text.includes(':') || !isIp(text)) return text.toLowerCase();
  const groups = (part: string) => (part === '' ? [] : part.split(':').flatMap((group) => (group.includes('.') ? fromIpv4(group) : [parseInt(group, 16)])));
  const [head, tail] = text.split('::') as [string, string | undefined];
  const left = groups(head);
  const right = groups(tail ?? '');
  const all = [...left, ...Array<number>(8 - left.length - right.length).fill(0), ...right];
  if (all.slice(0, 5).every((group) => group === 0) && all[5] === 0xffff) return [all[6]! >> 8, all[6]! & 255, all[7]! >> 8, all[7]! & 255].join('.');
  return all.map((group) => group.toString(16)).join(':');
}

function fromIpv4(text: string): number[] {
  const [a, b, c, d] = text.split('.').map(Number) as [number, number, number, number];
  return [a * 256 + b, c * 256 + d];
}

/** Why mail can't be sent to or from this address. */
export function mailProblem(text: string): string | undefined {
  const at = text.lastIndexOf('@');
  const local = text.slice(0, at);
  const domain = text.slice(at + 1);
  if (at > 0 && /^localhost(\.|$)/i.test(domain)) return `${describe(text)} is the product's placeholder: nobody reads it; expected the address of a person or team`;
  const fine = /^[A-Za-z0-9!#$%&*+/=?^_{|}~-]+(\.[A-Za-z0-9!#$%&*+/=?^_{|}~-]+)*$/.test(local) && local.length <= 64 && domain.includes('.') && !isIp(domain) && !addressProblem(domain);
  return fine ? undefined : `expected a mail address such as mft-team@example.com, found ${describe(text)}`;
}
export const mailAddress = checked(mailProblem).meta({ format: 'email' });

const unitMs: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `30s`, `5m`, `1500ms` or a number of milliseconds → milliseconds. */
export function durationMs(value: string | number): number | undefined {
  if (typeof value === 'number') return Number.isInteger(value) && value >= 0 ? value : undefined;
  const parts = /^(\d{1,9})(ms|s|m|h|d)$/.exec(value);
  return parts ? Number(parts[1]) * unitMs[parts[2]!]! : undefined;
}

/** A duration between two bounds (milliseconds); becomes milliseconds. */
export const duration = (leastMs: number, mostMs: number) =>
  z
    .union([z.string(), z.number()], { error: (issue) => (issue.input === undefined ? undefined : durationMessage(issue.input)) })
    .transform((value, ctx) => {
      const ms = durationMs(value);
      if (ms !== undefined && ms >= leastMs && ms <= mostMs) return ms;
      const message = ms === undefined ? durationMessage(value) : `expected a duration from ${durationText(leastMs)} to ${durationText(mostMs)}, found ${describe(value)}`;
      ctx.issues.push({ code: 'custom', message, input: value });
      return z.NEVER;
    });

const durationMessage = (found: unknown) => `expected a duration such as "30s", "5m" or "1500ms", or a number of milliseconds, found ${describe(found)}`;

/** Milliseconds in their largest whole unit: 90000 → `90s`. */
export function durationText(ms: number): string {
  const unit = (['d', 'h', 'm', 's'] as const).find((name) => ms > 0 && ms % unitMs[name]! === 0) ?? 'ms';
  return `${ms / unitMs[unit]!}${unit}`;
}
