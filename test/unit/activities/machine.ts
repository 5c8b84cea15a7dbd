/** A host that is a folder of this machine: real shells run the real scripts there, and only sudo is another one, which refuses what a test tells it to. */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clients } from '../../../src/clients';
import { commandLine } from '../../../src/clients/quote';
import type { Command } from '../../../src/clients/ssh';
import { judge, type RunOptions } from '../../../src/clients/sshRun';
import type { Authority, ServerTarget } from '../../../src/model/targets';

export interface Machine {
  folder: string;
  server: ServerTarget;
  authority: Authority;
  clients: Clients;
  /** From now on sudo refuses every command in which this is found; nothing when left out. */
  refuse(pattern?: string): void;
  /** What ps shows from now on: lines of `uid pid seconds command line` to the login, or nothing at all (null: there is no ps); command lines to the product's user, by sudo (null: refused). */
  processes(shown: string[] | null, toProduct: string[] | null): void;
  /** Makes a file below the folder. */
  write(path: string, content: string, mode?: number): string;
  remove(): void;
}

/** Takes `-n -u USER [-l]` and a command, as the product gives them. */
const sudo = (refusals: string): string => `#!/bin/sh
shift 3
[ "$1" = -l ] && { asked=yes; shift; }
pattern=$(cat '${refusals}')
if [ -n "$pattern" ] && printf '%s\\n' "$*" | grep -q -e "$pattern"; then echo 'sudo: a password is required' >&2; exit 1; fi
[ -n "$asked" ] || exec "$@"
`;

export function machine(): Machine {
  const folder = mkdtempSync(join(tmpdir(), 'st-machine-'));
  const refusals = join(folder, 'refusals');
  const write = (path: string, content: string, mode = 0o644): string => {
    const file = join(folder, path);
    mkdirSync(join(file, '..'), { recursive: true });
    writeFileSync(file, content, { mode });
    return file;
  };
  write('bin/sudo', sudo(refusals), 0o755);
  write('refusals', '');
  write('home/.profile', '');
  const run = (_access: unknown, command: Command, options: RunOptions) =>
    new Promise((done, fail) => {
      const env = { ...process.env, HOME: join(folder, 'home'), PATH: `${join(folder, 'bin')}:${process.env['PATH']}` };
      const child = execFile('/bin/sh', ['-c', commandLine(command)], { env, timeout: 20_000 }, (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : null;
        try {
          done(judge('ops@here', commandLine(command), { code, stdout, stderr, lost: false, timedOut: false, truncated: false }, options));
        } catch (thrown) {
          fail(thrown as Error);
        }
      });
      child.stdin!.end(options.stdin);
    });
  const ssh = { address: 'here', port: 22, user: 'ops', key: 'file:/none', knownHosts: '/none' };
  const admin = { address: '127.0.0.1', port: 1, user: 'admin', password: 'file:/none', ca: '/none' };
  return {
    folder, write,
    server: { cluster: 'demo', site: 'prod', node: 'st1', productUser: 'nobody', fileDriveHome: join(folder, 'axway/SecureTransport'), address: 'here', ssh, admin },
    authority: { cluster: 'demo', epoch: 1, operation: 'set-up-cluster/demo' },
    clients: { ssh: { run } } as unknown as Clients,
    processes(shown, toProduct) {
      // At once: a shell may be about to run the one that was there.
      const put = (path: string, content: string): void => renameSync(write(`${path}.new`, content, 0o755), join(folder, path));
      put('bin/ps', shown === null ? '#!/bin/sh\nexit 127\n' : `#!/bin/sh\ncat <<'EOF'\n${shown.join('\n')}\nEOF\n`);
      const own = toProduct && ['ELAPSED COMMAND', ...[...toProduct, '/usr/bin/ps -ww -o etimes -o args -u nobody'].map((line) => `     70 ${line}`)];
      put('bin/sudo', sudo(refusals).replace('shift 3\n', `shift 3\n[ "$1" != /usr/bin/ps ] || { ${own ? `cat <<'EOF'\n${own.join('\n')}\nEOF\nexit` : 'echo "sudo: a password is required" >&2; exit 1'}; }\n`));
    },
    refuse: (pattern = '') => writeFileSync(refusals, pattern),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** As much of an Administration Tool as a stop asks: nobody is logged in, one file is in process, and the cluster services run until they are stopped. `more`: what a test wants besides, or otherwise. */
export function adminTool(more: object): Clients['admin'] {
  let services = true;
  const tool = {
    sessions: async () => [],
    clusterService: async () => ({ running: services }),
    operateClusterService: async (operation: string) => { services = operation === 'start'; },
    events: async () => [{ id: '1', status: 'active', accountName: 'alice', fileName: '/upload/x', node: 'n1', lastHeartbeat: 1 }],
    ...more,
  };
  return { server: () => tool } as unknown as Clients['admin'];
}
