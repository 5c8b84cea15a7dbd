/**
 * Whatever stands in the strings of a spec, no shell acts on it. The model refuses most of this; here the activities get it all the same, and what
 * they would run on a host is read by a real shell. (A command line that the quoting function did not make does not compile: `CommandLine`.)
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clients } from '../../../src/activities/clients';
import { fileActivities } from '../../../src/activities/files';
import { hostActivities } from '../../../src/activities/hosts';
import { installationActivities } from '../../../src/activities/installation';
import { loadBalancerActivities } from '../../../src/activities/loadBalancer';
import { serverActivities } from '../../../src/activities/servers';
import { commandLine } from '../../../src/clients/quote';
import type { Command } from '../../../src/clients/ssh';
import { StError } from '../../../src/model/errors';
import type { BalancerTarget, ServerTarget, SshAccess } from '../../../src/model/targets';

let folder: string;
beforeEach(() => { folder = mkdtempSync(join(tmpdir(), 'st-hostile-')); });
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Each would leave a file behind in the current folder, were it run; `mark` finds it again. */
const mark = 'hostile-mark';
const attacks = [`x$(: >${mark})`, `x\`: >${mark}\``, `x; : >${mark};`, `x' ; : >${mark}; '`, `x" ; : >${mark}; "`, `x\n: >${mark}\n`, `x & : >${mark} &`, `x\\' ; : >${mark} #`, `-x$(: >${mark})é日`];

const sshOf = (text: string): SshAccess => ({ address: text, port: 22, user: text, key: `file:/${text}`, knownHosts: `/${text}` });
const serverOf = (text: string): ServerTarget => ({
  cluster: text, site: text, node: text, ssh: sshOf(text), productUser: text, fileDriveHome: `/${text}/home`, address: text,
  admin: { address: text, port: 8444, user: text, password: `file:/${text}`, ca: `/${text}` },
});
const balancerOf = (text: string): BalancerTarget => ({ cluster: text, site: text, name: text, ssh: sshOf(text), socket: `/${text}`, map: `/${text}`, mapKey: 'key', healthBackend: text, siteBackends: { [text]: 'backend' } });

/** Clients that write down what would be run; the `last` call is refused, so that every activity ends. */
function recorder(last: number): { clients: Clients; lines: string[] } {
  const lines: string[] = [];
  const refuse = (): never => {
    throw new StError('Refused', 'this far');
  };
  const run = async (_access: SshAccess, command: Command) => {
    lines.push(commandLine(command));
    return lines.length >= last ? refuse() : { code: 0, stdout: '', stderr: '' };
  };
  const admin = { server: () => new Proxy({}, { get: (_target, name) => async () => (name === 'version' ? Promise.reject(new StError('Unreachable', 'down')) : refuse()) }) };
  return { lines, clients: { ssh: { run, openUnixSocket: refuse }, admin, postgres: { readFacts: refuse } } as unknown as Clients };
}

/** What the activities run on hosts when every string is `text`. */
async function commandsWith(text: string): Promise<string[]> {
  const [server, balancer, authority] = [serverOf(text), balancerOf(text), { cluster: text, epoch: 1, operation: text }];
  const all: string[] = [];
  for (const last of [1, 2, 3]) {
    const acts: ((clients: Clients) => Promise<unknown>)[] = [
      (clients) => hostActivities({ clients }).checkHost({ host: server, package: `/${text}`, sharedPath: `/${text}`, version: text, ports: [], peers: [{ address: text, port: 1 }], clockLimitMs: 1 }),
      (clients) => fileActivities({ clients }).checkShared({ writer: server, reader: server, path: `/${text}` }),
      (clients) => installationActivities({ clients }).ensureInstalled({ server, installer: { package: `/${text}`, properties: { [text]: text }, autoRegister: true }, version: '5.5', database: { cluster: text, kind: 'postgresql', host: text, port: 1, name: text, user: text, password: `file:/${text}`, tablespaces: [] } }, authority),
      (clients) => installationActivities({ clients }).ensureLicensed({ server, licences: { core: __filename, features: __filename } }, authority),
      (clients) => serverActivities({ clients }).ensureAllStopped({ server }, authority),
      (clients) => serverActivities({ clients }).ensureServicesStopped({ server }, authority),
      (clients) => loadBalancerActivities({ clients }).checkBalancer({ balancer, nodes: [text] }),
      (clients) => loadBalancerActivities({ clients }).ensureServing({ balancer, node: text }, authority),
      (clients) => loadBalancerActivities({ clients }).ensureActiveSite({ balancer, site: text }, authority),
      // Waits for the Administration Tool after the second command.
      ...(last < 3 ? [(clients: Clients) => serverActivities({ clients }).ensureAdminStarted({ server }, authority)] : []),
    ];
    for (const act of acts) {
      const { clients, lines } = recorder(last);
      await act(clients).catch((error: unknown) => expect(error).toBeInstanceOf(StError));
      all.push(...lines);
    }
  }
  return [...new Set(all)];
}

/** The words that a shell reads in a line. It would run what is not quoted. */
const wordsOf = (line: string): string[] =>
  execFileSync('/bin/sh', ['-c', 'eval "set -- $1"; printf "%s\\0" "$@"', 'sh', line], { encoding: 'utf8', cwd: folder, env: { PATH: '' } }).split('\0').slice(0, -1);

/** The constant texts of a line that a shell runs as code, those of the lines within it too. */
function codeOf(line: string): string[] {
  const words = wordsOf(line);
  const code = words[0] === '/bin/sh' && words[1] === '-c' ? [words[2]!] : [];
  return [...code, ...words.filter((word) => /^(\/bin\/sh -c|sudo -n) /.test(word)).flatMap(codeOf)];
}

test.each(attacks.map((attack) => [JSON.stringify(attack), attack]))('%s', async (_, attack) => {
  const lines = await commandsWith(attack);
  for (const line of lines) for (const code of codeOf(line)) expect(code).not.toContain(mark);
  // It is there as data, letter by letter.
  expect(lines.filter((line) => wordsOf(line).some((word) => word.includes(attack))).length).toBeGreaterThan(12);
  expect(readdirSync(folder)).toEqual([]);
});

test('the test itself sees a line that was put together without quotes', () => {
  wordsOf(`cat /x$(: >${mark})`);
  expect(readdirSync(folder)).toEqual([mark]);
});
