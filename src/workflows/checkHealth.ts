/** One look now: made for Schedules, and for whoever has no monitor. Answers how the cluster is, or fails on what it was asked to fail on. */
import { defineSearchAttributeKey } from '@temporalio/common';
import { setCurrentDetails, upsertSearchAttributes, workflowInfo } from '@temporalio/workflow';
import { healthOf, onlineCount } from '../model/clusterHealth';
import type { ErrorCode } from '../model/errors';
import type { ClusterHealth, Health } from '../model/health';
import { parseInput } from '../model/inputs';
import { checkHealthInput, type CheckHealthInput } from '../model/monitorInput';
import { listProblems } from '../model/problems';
import { describe, failure } from './operation/failures';
import { showHealth } from './monitor/judge';
import { lookFrom } from './monitor/looks';

export async function checkHealth(raw: unknown): Promise<ClusterHealth> {
  const parsed = parseInput<CheckHealthInput>(checkHealthInput, raw);
  if ('problems' in parsed) throw failure('InvalidInput', `The input of checkHealth is wrong; nothing was started. ${listProblems(parsed.problems)}`);
  const { cluster, failWhen } = parsed.value;
  const { workflowId, taskQueue } = workflowInfo();
  upsertSearchAttributes([{ key: defineSearchAttributeKey('StCluster', 'KEYWORD'), value: cluster }]);
  const { vote } = await lookFrom({ vantage: taskQueue, key: 'look', authority: { cluster, epoch: 0, operation: workflowId } }, cluster).catch((error: unknown) => {
    const { code, message } = describe(error);
    throw failure(code, message);
  });
  const health = healthOf(cluster, vote);
  showHealth(health);
  const sentence = `${cluster} is ${health.health}: ${onlineCount(health)} of ${health.members} Servers are Online, at least ${health.minimumNodes} are asked for (seen ${health.sampledAt}). ${listProblems(health.problems, 1_200)}`.trim();
  setCurrentDetails(sentence);
  const code = failWhen && failureOf(health.health, failWhen);
  if (code) throw failure(code, sentence, health);
  return health;
}

/** What could not be seen is no success of a check that was asked to fail. */
function failureOf(health: Health, failWhen: 'degraded' | 'below threshold'): ErrorCode | undefined {
  if (health === 'unknown') return 'Unreachable';
  if (health === 'below threshold') return 'BelowThreshold';
  return health === 'degraded' && failWhen === 'degraded' ? 'Degraded' : undefined;
}
