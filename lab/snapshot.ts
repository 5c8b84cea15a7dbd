/**
 * `lab snapshot`: the comparable end state of a lab. Two runs that did the same leave equal snapshots: what is random or
 * counts on (identities, the secret file, salts, epochs, times, process ids, logs) is left out or replaced by a name.
 */
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { Client } from 'pg';
import { ask } from './balancer';
import { superuser } from './database';
import { initOf, insideOf } from './hosts';
import { hostFolder } from './place';
import { balancersOf, fileDriveHome, hasProduct, hostOf, siteMap, type LabHost, type LabPlan } from './plan';
import { Names } from './randomNames';
import { tablesOf, type Table } from './snapshotTables';
import { runningServices } from './status';

export interface HostSnapshot {
  /** Product services that run. */
  services: string[];
  /** Path below /opt/axway → first 16 digits of the content's SHA-256. */
  files: Record<string, string>;
  /** Paths below ~ops/.st-orchestrator. */
  markers: string[];
}

export interface BalancerSnapshot {
  mapFile: string[];
  map: string[];
  /** By `backend/server`: `ready`, `maint`, … */
  servers: Record<string, string>;
}

export interface LabSnapshot {
  hosts: Record<string, HostSnapshot>;
  /** By database, and the embedded ones by the Edge's name; what does not run is left out. */
  databases: Record<string, Record<string, Table>>;
  /** The first one; undefined where it is off. */
  balancer?: BalancerSnapshot;
  /** The others of a lab that has several, by name, as far as they are on. */
  otherBalancers?: Record<string, BalancerSnapshot>;
}

/** Run-time files, logs, backups (of a run, under its epoch), and what an interrupted installation left: moved aside for a person to look at, under a name that holds the time. */
const ignored = /(^|\/)(var|logs)\/|^st-orchestrator-backups\/|\.log$|^[^/]+\.half-\d+-\d+\//;

/** Relative paths of all files below a folder; none when there is no folder. */
function filesBelow(folder: string): string[] {
  if (!fs.existsSync(folder)) return [];
  return fs.readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((e) => !e.isDirectory())
    .map((e) => path.relative(folder, path.join(e.parentPath, e.name)))
    .sort();
}

/** The installer's folders carry the epoch in their name. */
const withoutNumbers = (file: string): string => file.replace(/^(install-)[^/]+/, '$1*');

function hashOf(file: string, names: Names, own: string): string {
  const bytes = fs.readFileSync(file);
  const text = names.replace(bytes.toString('latin1').replaceAll(own, withoutNumbers(own)));
  return createHash('sha256').update(text, 'latin1').digest('hex').slice(0, 16);
}

function hostSnapshot(plan: LabPlan, host: LabHost, names: Names): HostSnapshot {
  const folder = hostFolder(plan.name, host.name);
  const axway = path.join(folder, 'axway');
  const files: Record<string, string> = {};
  for (const file of filesBelow(axway).filter((f) => !ignored.test(f))) {
    files[withoutNumbers(file)] = hashOf(path.join(axway, file), names, file.split('/')[0] ?? file);
  }
  const markers = filesBelow(path.join(folder, 'home/ops/.st-orchestrator')).filter((f) => path.basename(f) !== '.lock' && !/(^|\/)backups\//.test(f));
  return { services: Object.keys(runningServices(plan, host)).filter((s) => s !== 'sshd').sort(), files, markers };
}

const lines = (text: string): string[] => text.split('\n').map((l) => l.trim()).filter((l) => l !== '' && !l.startsWith('#'));

/** Words for HAProxy's administrative state bits that matter to a drained node. */
function adminState(bits: number): string {
  const words = [bits & 1 ? 'maint' : '', bits & 2 ? 'maint inherited' : '', bits & 8 ? 'drain' : '', bits & 16 ? 'drain inherited' : ''].filter(Boolean);
  return words.length === 0 ? 'ready' : words.join(', ');
}

async function balancerSnapshot(plan: LabPlan, host: LabHost): Promise<BalancerSnapshot | undefined> {
  if (initOf(plan, host) === undefined) return undefined;
  const mapFile = path.join(hostFolder(plan.name, host.name), 'haproxy/maps', path.basename(siteMap));
  const servers: Record<string, string> = {};
  for (const line of lines(await ask(plan, host, 'show servers state')).slice(1)) {
    const [, backend, , server, , , bits] = line.split(' ');
    servers[`${backend}/${server}`] = adminState(Number(bits));
  }
  return {
    mapFile: lines(fs.readFileSync(mapFile, 'utf8')).sort(),
    // The first word of each line is the entry's address in memory.
    map: lines(await ask(plan, host, `show map ${siteMap}`)).map((l) => l.split(' ').slice(1).join(' ')).sort(),
    servers,
  };
}

/** Learns what is random on the hosts of the lab, so that it can be told by a name wherever it turns up. */
function learnNames(plan: LabPlan): Names {
  const names = new Names();
  for (const host of plan.hosts.filter(hasProduct)) {
    const home = path.join(hostFolder(plan.name, host.name), 'axway', path.basename(fileDriveHome));
    const configuration = path.join(home, 'conf/configuration.xml');
    if (fs.existsSync(configuration)) {
      const id = /<LocalConfigurationsId>\s*([^<\s]+)\s*</.exec(fs.readFileSync(configuration, 'utf8'))?.[1];
      if (id !== undefined) names.add(id, `id of ${host.name}`);
    }
    const taeh = path.join(home, 'bin/taeh');
    if (fs.existsSync(taeh)) {
      const bytes = fs.readFileSync(taeh);
      const owner = host.role === 'edge' ? `the Edges of ${host.cluster}` : host.cluster;
      names.add(bytes.toString('latin1'), `taeh of ${owner}`);
      names.add(createHash('sha256').update(bytes).digest('hex'), `fingerprint of taeh of ${owner}`);
    }
  }
  return names;
}

/** What two equal runs must agree on. */
export async function snapshot(plan: LabPlan): Promise<LabSnapshot> {
  const names = learnNames(plan);
  const hosts = Object.fromEntries(plan.hosts.map((h) => [h.name, hostSnapshot(plan, h, names)]));
  const databases: LabSnapshot['databases'] = {};
  if (initOf(plan, hostOf(plan, 'database')) !== undefined) {
    for (const { database } of plan.clusters) {
      for (const name of [database, `${database}_orchestrator`]) databases[name] = await tablesOf(await superuser(plan, name), names);
    }
  }
  for (const host of plan.hosts.filter((h) => h.role === 'edge')) {
    if (runningServices(plan, host)['db'] === undefined) continue;
    const client = new Client({ host: insideOf(plan, host, `${fileDriveHome}/var/db`), user: 'st', database: 'st' });
    await client.connect();
    databases[host.name] = await tablesOf(client, names);
  }
  const [first, ...others] = await Promise.all(balancersOf(plan).map(async (host) => [host.name, await balancerSnapshot(plan, host)] as const));
  const on = others.filter((one): one is [string, BalancerSnapshot] => one[1] !== undefined);
  return { hosts, databases, ...(first?.[1] === undefined ? {} : { balancer: first[1] }), ...(on.length === 0 ? {} : { otherBalancers: Object.fromEntries(on) }) };
}
