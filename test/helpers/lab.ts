/** A lab of its own for a test file: up once, reset between tests, gone with the test run even when jest dies. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { LabMail } from '../../lab/mail/host';
import type { LabSnapshot } from '../../lab/snapshot';
import type { LabStatus } from '../../lab/status';
import { loadClusterFile } from '../../src/control/clusterFile';
import type { ClusterSpec } from '../../src/model/spec';

const wrapper = resolve(__dirname, '../../scripts/lab');

export interface Lab {
  name: string;
  dir: string;
  /** Runs a verb of the lab (`kill st2`) and answers what it printed. */
  run(verb: string, ...args: string[]): Promise<string>;
  status(): Promise<LabStatus>;
  snapshot(): Promise<LabSnapshot>;
  /** What its mail server has taken, oldest first. */
  mails(): Promise<LabMail[]>;
  /** The spec of the main cluster, as `stctl input` would give it; its name is the lab's. */
  spec(file?: string): ClusterSpec;
  down(): Promise<void>;
}

export interface LabOptions {
  servers?: number;
  edges?: number;
  spare?: number;
  /** Hosts that only `spec('cluster-grown.yaml')` names. */
  reserve?: number;
  reserveEdges?: number;
  productTime?: string;
  /** All, none, or those of these names (`sessions,sshPort`). */
  lies?: boolean | string;
  seed?: number;
  licensedNodes?: number;
  /** IPv6 addresses only. */
  ipv6?: boolean;
  /** A mail server, which the cluster file then names. */
  mail?: boolean;
  /** Hosts with HAProxy; the first is `lb1`. */
  balancers?: number;
  /** Servers start the product by themselves at power-on. */
  autostart?: boolean;
}

export async function startLab({ servers = 3, edges = 0, spare = 0, reserve = 0, reserveEdges = 0, productTime = '100ms', lies = true, seed = 1, licensedNodes, ipv6 = false, mail = false, autostart = false, balancers = 1 }: LabOptions = {}): Promise<Lab> {
  const name = `t${randomBytes(3).toString('hex')}`;
  const home = mkdtempSync(join(tmpdir(), 'st-lab-'));
  const dir = join(home, name);
  const run = (verb: string, ...args: string[]): Promise<string> =>
    new Promise((done, fail) => {
      execFile(wrapper, [verb, '--name', name, ...args], { env: { ...process.env, ST_LAB_HOME: home }, timeout: 120_000, maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
        if (error) fail(new Error(`lab ${verb} ${args.join(' ')}: ${stderr || error.message}`));
        else done(stdout);
      });
    });
  await run('up', '--servers', String(servers), '--edges', String(edges), '--spare', String(spare), '--reserve', String(reserve), '--reserve-edges', String(reserveEdges), '--product-time', productTime, '--seed', String(seed), '--die-with', String(process.pid), ...(typeof lies === 'string' ? ['--lies', lies] : lies ? [] : ['--no-lies']), ...(ipv6 ? ['--ipv6'] : []), ...(autostart ? ['--autostart'] : []), ...(mail ? ['--mail'] : []), ...(balancers > 1 ? ['--balancers', String(balancers)] : []), ...(licensedNodes === undefined ? [] : ['--licensed-nodes', String(licensedNodes)]));
  return {
    name, dir, run,
    status: async () => JSON.parse(await run('status', '-o', 'json')) as LabStatus,
    snapshot: async () => JSON.parse(await run('snapshot', '-o', 'json')) as LabSnapshot,
    mails: async () => JSON.parse(await run('mails', '-o', 'json')) as LabMail[],
    spec(file = 'cluster.yaml') {
      const path = join(dir, file);
      const loaded = loadClusterFile(readFileSync(path, 'utf8'), path, { baseDir: dir });
      if ('problems' in loaded) throw new Error(loaded.problems.join('\n'));
      return loaded.spec;
    },
    async down() {
      await run('down');
      rmSync(home, { recursive: true, force: true });
    },
  };
}
