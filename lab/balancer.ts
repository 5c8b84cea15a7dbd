/**
 * The balancer hosts: the machine's HAProxy on each. Per cluster a front for SSH and one for HTTPS, the site that the map names
 * behind them, and one health backend that all others track, so that one command a node is enough.
 */
import * as fs from 'node:fs';
import * as net from 'node:net';
import * as path from 'node:path';
import { boot, initOf, insideOf, listens } from './hosts';
import { hostFolder, labFolder } from './place';
import { balancerSocket, endpoint, fronted, hostNamed, siteMap, users, type LabHost, type LabPlan } from './plan';
import { run, until } from './shell';

/** Script that the balancer host runs at power-on. */
export const balancerInit = `#!/bin/sh
install -d -o haproxy -g haproxy -m 0755 /run/haproxy
exec /usr/sbin/haproxy -W -db -f /etc/haproxy/haproxy.cfg -p /run/haproxy/haproxy.pid
`;

const stateFile = '/var/lib/haproxy/server-state';

/** HAProxy's configuration, for 2.6 and newer. */
export function balancerConfiguration(plan: LabPlan): string {
  const lines = [
    'global',
    '  user haproxy',
    '  group haproxy',
    '  maxconn 2000',
    `  stats socket ${balancerSocket} mode 660 level admin user haproxy group haproxy`,
    `  server-state-file ${stateFile}`,
    '',
    'defaults',
    '  mode tcp',
    '  timeout connect 2s',
    '  timeout client 1h',
    '  timeout server 1h',
    '  timeout check 2s',
    '  option redispatch',
    '  load-server-state-from-file global',
    '',
    'backend none',
    '  tcp-request content reject',
  ];
  for (const protocol of ['ssh', 'https']) lines.push('', `backend none_${protocol}`, '  tcp-request content reject');
  for (const cluster of plan.clusters) {
    const servers = fronted(cluster).map((name) => hostNamed(plan, name));
    for (const protocol of ['ssh', 'https'] as const) {
      lines.push(
        '', `frontend ${cluster.name}_${protocol}`,
        `  bind ${plan.options.ipv6 === true ? ':::' : ':'}${cluster.ports[protocol]}`,
        `  use_backend %[str(${cluster.name}),map(${siteMap},none)]_${protocol}`,
        '  default_backend none',
      );
    }
    lines.push('', `backend ${cluster.name}_hc`, ...servers.map((s) => `  server ${s.name} ${endpoint(s.address, 8022)} check inter 500ms`));
    for (const [protocol, port] of [['ssh', 8022], ['https', 8443]] as const) {
      lines.push(
        '', `backend ${cluster.name}_prod_${protocol}`, '  balance leastconn',
        ...servers.map((s) => `  server ${s.name} ${endpoint(s.address, port)} track ${cluster.name}_hc/${s.name}`),
      );
    }
  }
  return `${lines.join('\n')}\n`;
}

/** Lays the configuration and the map (every cluster at `none`) into the host's folder. The map's folder belongs to ops: a map is replaced, not overwritten. */
export function layBalancer(plan: LabPlan, host: LabHost): void {
  const folder = path.join(hostFolder(plan.name, host.name), 'haproxy');
  fs.writeFileSync(path.join(folder, 'haproxy.cfg'), balancerConfiguration(plan));
  const maps = path.join(folder, 'maps');
  fs.mkdirSync(maps, { recursive: true });
  const map = path.join(maps, path.basename(siteMap));
  fs.writeFileSync(map, plan.clusters.map((c) => `${c.name} none\n`).join(''));
  for (const file of [maps, map]) fs.chownSync(file, users.ops.uid, users.ops.uid);
}

/** Sends one command to the admin socket of a balancer; HAProxy closes the connection after its answer. */
export function ask(plan: LabPlan, host: LabHost, command: string): Promise<string> {
  const socketPath = insideOf(plan, host, balancerSocket);
  return new Promise((resolve, reject) => {
    const socket = net.connect(socketPath, () => socket.end(`${command}\n`));
    let answer = '';
    socket.setTimeout(5000, () => socket.destroy(new Error(`HAProxy did not answer "${command}" within 5 s`)));
    socket.on('data', (chunk) => { answer += chunk.toString(); });
    socket.on('error', reject);
    socket.on('end', () => resolve(answer.trim()));
  });
}

const liveState = (plan: LabPlan, host: LabHost): string => path.join(hostFolder(plan.name, host.name), 'haproxy-state');
const templateState = (plan: LabPlan, host: LabHost): string => path.join(labFolder(plan.name), `template/server-state-${host.name}`);

/** Boots a balancer host and waits for HAProxy. */
export async function bootBalancer(plan: LabPlan, host: LabHost): Promise<void> {
  await boot(plan, host);
  await until('HAProxy on the balancer host', async () => {
    const init = initOf(plan, host);
    return init !== undefined && plan.clusters.every((c) => listens(init, c.ports.ssh)) && (await ask(plan, host, 'show info')).includes('Uptime');
  });
}

/**
 * First start: every Server or Edge goes into maintenance by command, and that is saved as the state that HAProxy loads when it
 * starts. Not by the keyword `disabled`, whose mark in the server's state no command can take away again.
 */
export async function makeBalancer(plan: LabPlan, host: LabHost): Promise<void> {
  fs.writeFileSync(path.join(liveState(plan, host), 'server-state'), '');
  await bootBalancer(plan, host);
  for (const cluster of plan.clusters) {
    for (const server of fronted(cluster)) {
      const answer = await ask(plan, host, `set server ${cluster.name}_hc/${server} state maint`);
      if (answer !== '') throw new Error(`HAProxy: ${answer}`);
    }
  }
  fs.mkdirSync(path.dirname(templateState(plan, host)), { recursive: true });
  fs.writeFileSync(templateState(plan, host), `${await ask(plan, host, 'show servers state')}\n`);
  await restoreBalancerState(plan, host);
}

/** Puts the first server states in the place of the saved ones. */
export async function restoreBalancerState(plan: LabPlan, host: LabHost): Promise<void> {
  const file = path.join(liveState(plan, host), 'server-state');
  await run('cp', [templateState(plan, host), file]);
  fs.chownSync(file, users.ops.uid, users.ops.uid);
}
