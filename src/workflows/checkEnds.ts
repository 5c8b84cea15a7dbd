/** Looks once at what ends by itself, and warns of it: 30, 14 and 3 days before, and when it has ended; each step once, however often it is looked. For a Schedule. */
import { defineSearchAttributeKey } from '@temporalio/common';
import { setCurrentDetails, upsertSearchAttributes, workflowInfo } from '@temporalio/workflow';
import { endEvents, type End } from '../model/ends';
import { clusterName, strict } from '../model/fields';
import { parseInput } from '../model/inputs';
import type { Task } from '../model/operation';
import { listProblems } from '../model/problems';
import { shippedLines } from '../model/shippedPasswords';
import { databaseTarget, serverTarget, workingSite } from '../model/slices';
import type { ClusterSpec } from '../model/spec';
import type { ServerTarget } from '../model/targets';
import { describe, failure } from './operation/failures';
import { readRecord, unknownCluster } from './operation/lease';
import { administrators, ends } from './operation/groups';
import { perform } from './operation/tasks';
import { tell } from './parts/tell';

export interface EndsReport {
  apiVersion: 'st-orchestrator/v1';
  kind: 'EndsReport';
  cluster: string;
  sampledAt: string;
  /** Soonest first. */
  ends: End[];
  /** How many warnings are due now; those told before are not told again. */
  due: number;
  /** What a person should put right before somebody else finds it: administrators that have the password they were shipped with. */
  warnings: string[];
  /** What could not be looked at, and why. */
  unknown: string[];
}

export async function checkEnds(raw: unknown): Promise<EndsReport> {
  const parsed = parseInput(strict({ cluster: clusterName }), raw);
  if ('problems' in parsed) throw failure('InvalidInput', `The input of checkEnds is wrong; nothing was started. ${listProblems(parsed.problems)}`);
  const { cluster } = parsed.value;
  upsertSearchAttributes([{ key: defineSearchAttributeKey('StCluster', 'KEYWORD'), value: cluster }]);
  const authority = { cluster, epoch: 0, operation: workflowInfo().workflowId };
  const record = await readRecord(authority);
  if (!record?.spec) throw unknownCluster(cluster);
  const { spec, members } = record;
  const site = workingSite({ spec, activeSite: record.activeSite });
  const unknown: string[] = [];
  const read = <T>(key: string, what: string, task: Task<T[]>): Promise<T[]> =>
    perform(task, { key, summary: what, kind: 'check', authority, patienceMs: 0 }).catch((error: unknown) => {
      unknown.push(`${what}: ${describe(error).message}`);
      return [];
    });
  const nodes = members.filter((member) => member.site === site).map(({ node }) => serverTarget(spec, site, node));
  const found = (await Promise.all([
    ...nodes.map((server) => read(`server/${server.node}`, server.node, ends.readServer({ server }))),
    read('database', 'the database', ends.readDatabase({ database: databaseTarget(spec, site) })),
    read('files', 'files on the worker\'s host', ends.readFiles(filesOf(spec, nodes))),
    // What the cluster knows it knows everywhere.
    ...nodes.slice(0, 1).map((server) => read('cluster', `the certificates of the cluster, asked at ${server.node}`, ends.readCluster({ server }))),
  ])).flat().sort((a, b) => (a.ends < b.ends ? -1 : 1));
  // The administrators of all Servers are the cluster's; each Edge has its own.
  const edges = members.filter((member) => member.site === site && member.role === 'edge').map(({ node }) => node);
  const servers = nodes.filter(({ node }) => !edges.includes(node));
  const asked = [...servers.slice(0, 1), ...nodes.filter(({ node }) => edges.includes(node))];
  const shipped = await Promise.all(asked.map((server) =>
    read(`shipped/${server.node}`, `the administrators of ${server.node}`, administrators.readShipped({ server, role: edges.includes(server.node) ? 'edge' : 'server', database: databaseTarget(spec, site) }))));
  const warnings = shippedLines(shipped.flat());
  const at = new Date().toISOString();
  const due = endEvents(cluster, site, found, at);
  for (const event of due) await tell(event, spec);
  setCurrentDetails([`${due.length} of ${found.length} end soon.`, '', '| Ends | |', '|---|---|', ...found.slice(0, 100).map(({ what, ends: end }) => `| ${end} | ${what} |`), ...warnings.map((line) => `\nWorth a look: ${line}`), ...unknown.map((line) => `\nNot known: ${line}`)].join('\n').slice(0, 18_000));
  return { apiVersion: 'st-orchestrator/v1', kind: 'EndsReport', cluster, sampledAt: at, ends: found, due: due.length, warnings, unknown };
}

function filesOf({ licences, notifications, sites }: ClusterSpec, nodes: readonly ServerTarget[]): { certificates: string[]; licences: string[] } {
  const authorities = [...nodes.map(({ admin }) => admin.ca), ...Object.values(sites).map(({ database }) => database.ca), notifications?.smtp?.ca, notifications?.webhook?.ca];
  return {
    certificates: [...new Set(authorities.filter((path) => path !== undefined))],
    licences: [licences.core, licences.features, ...(licences.edge ? [licences.edge.core, licences.edge.features] : [])],
  };
}
