/**
 * The ledger: what the server acknowledged to partners, and what became of it.
 */
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { superuser } from '../database';
import { sharedFolder } from '../hosts';
import { labFolder } from '../place';
import { hostNamed, type LabCluster, type LabPlan } from '../plan';

/** One file that the server said it has. */
export interface Acknowledged {
  cluster: string;
  account: string;
  name: string;
  size: number;
  sha256: string;
  /** Milliseconds since 1970. */
  at: number;
}

/** What the cluster's transfer log and queue say of one file, the last time it came in. */
export interface Transfer {
  account: string;
  name: string;
  status: string;
  /** Of its event: `ready`, `active`, or null when there is none. */
  event: string | null;
  /** Whether a Transaction Manager works on that event: it says so every second. A database that has just come up has not heard of anybody yet: then one may. */
  beating: boolean;
}

/** A copy in the partner's own system. */
export interface Copy {
  account: string;
  name: string;
  sha256: string;
}

export interface LedgerReport {
  cluster: string;
  acknowledged: number;
  /** Delivered once, whole, and logged so. */
  processed: number;
  /** Queued, or a Transaction Manager works on it now. */
  underWay: number;
  /** *In Progress*, and nobody works on it. Files are named `account/name`. */
  stranded: string[];
  /** Logged as failed: an administrator can see it. */
  failed: string[];
  /** Not delivered, or not as it was sent, and nothing says so. */
  lost: string[];
  doubled: string[];
}

/** Where uploads of the load go, below an account's home folder. */
export const uploadFolder = '/upload';

export const loadFolder = (lab: string): string => path.join(labFolder(lab), 'load');
const fileOf = (lab: string): string => path.join(loadFolder(lab), 'ledger.jsonl');

/** Adds a line; the ledger is never rewritten. */
export function writeDown(lab: string, entry: Acknowledged): void {
  fs.appendFileSync(fileOf(lab), `${JSON.stringify(entry)}\n`);
}

function readLedger(lab: string, cluster: string): Acknowledged[] {
  if (!fs.existsSync(fileOf(lab))) return [];
  const lines = fs.readFileSync(fileOf(lab), 'utf8').split('\n').filter((line) => line !== '');
  return lines.map((line) => JSON.parse(line) as Acknowledged).filter((entry) => entry.cluster === cluster);
}

const keyOf = ({ account, name }: { account: string; name: string }): string => `${account}/${name}`;

/** Compares the ledger with the transfer log and with what partners have. */
export function judge(cluster: string, entries: Acknowledged[], transfers: Transfer[], copies: Copy[]): LedgerReport {
  const log = new Map(transfers.map((transfer) => [keyOf(transfer), transfer]));
  const delivered = new Map<string, Copy[]>();
  for (const copy of copies) delivered.set(keyOf(copy), [...(delivered.get(keyOf(copy)) ?? []), copy]);
  const report: LedgerReport = { cluster, acknowledged: entries.length, processed: 0, underWay: 0, stranded: [], failed: [], lost: [], doubled: [] };
  for (const entry of entries) {
    const key = keyOf(entry);
    const transfer = log.get(key);
    const there = delivered.get(key) ?? [];
    if (there.length > 1) report.doubled.push(key);
    else if (transfer?.status === 'Processed' && there[0]?.sha256 === entry.sha256) report.processed += 1;
    else if (transfer?.status === 'In Progress' && !transfer.beating) report.stranded.push(key);
    else if (transfer?.status === 'In Progress' || (transfer?.status === 'Received' && transfer.event === 'ready')) report.underWay += 1;
    else if (transfer?.status === 'Failed') report.failed.push(key);
    else report.lost.push(key);
  }
  return report;
}

async function readTransfers(plan: LabPlan, cluster: LabCluster): Promise<Transfer[]> {
  const client = await superuser(plan, cluster.database);
  try {
    const { rows } = await client.query<Transfer & { filename: string }>(
      `select t.account, t.filename, t.status, e.status as event, coalesce(e.heartbeat_at > now() - interval '4 seconds' or (e.taker is not null and pg_postmaster_start_time() > now() - interval '10 seconds'), false) as beating
       from transferdata t left join event e on e.transfer = t.id where t.direction = 'Incoming' and t.filename like $1 order by t.id`, [`${uploadFolder}/%`]);
    return rows.map(({ filename, ...row }) => ({ ...row, name: path.basename(filename) }));
  } finally {
    await client.end();
  }
}

/** Files in the partners' systems; a second copy carries a number behind the name, an unfinished one begins with a dot. */
function readCopies(plan: LabPlan, cluster: LabCluster, entries: Acknowledged[]): Copy[] {
  const shared = sharedFolder(plan.name, hostNamed(plan, cluster.servers[0] ?? ''));
  return [...new Set(entries.map(({ account }) => account))].flatMap((account) => {
    const folder = path.join(shared, 'partners', account, 'in');
    const names = fs.existsSync(folder) ? fs.readdirSync(folder).filter((name) => !name.startsWith('.')) : [];
    return names.map((name) => ({
      account, name: name.replace(/\.dat\.\d+$/, '.dat'), sha256: createHash('sha256').update(fs.readFileSync(path.join(folder, name))).digest('hex'),
    }));
  });
}

/**
 * What became of every file that the server of `cluster` acknowledged. Read in this order a load that goes on meanwhile is no trouble:
 * what is acknowledged is in the log, and what is logged as processed was delivered.
 */
export async function readReport(plan: LabPlan, cluster: LabCluster): Promise<LedgerReport> {
  const entries = readLedger(plan.name, cluster.name);
  if (entries.length === 0) return judge(cluster.name, [], [], []);
  const transfers = await readTransfers(plan, cluster);
  return judge(cluster.name, entries, transfers, readCopies(plan, cluster, entries));
}

/** The report for a person. */
export function describeLedger(report: LedgerReport): string {
  const { acknowledged, processed, underWay, stranded, failed, lost, doubled } = report;
  const figures = `acknowledged ${acknowledged}, processed ${processed}, under way ${underWay}, stranded ${stranded.length}, failed ${failed.length}, lost ${lost.length}, doubled ${doubled.length}`;
  const lists = Object.entries({ stranded, failed, lost, doubled }).filter(([, names]) => names.length > 0).map(([word, names]) => `${word}: ${names.join(' ')}`);
  return [figures, ...lists].join('\n');
}
