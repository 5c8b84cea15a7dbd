/** After every vote: what is agreed, what it means, what is worth telling. */
import { defineSearchAttributeKey } from '@temporalio/common';
import { setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import { agree, blind, healthOf, onlineCount } from '../../model/clusterHealth';
import type { ClusterHealth } from '../../model/health';
import { confirmBelow, observe } from '../../model/incidents';
import { pausedHealth } from '../../model/pausedHealth';
import { shorten } from '../../model/shorten';
import type { Vote } from '../../model/watch';
import { calmMs, freshVotes, quorumOf, type Monitor } from './state';

const now = (): string => new Date().toISOString();

export function judge(run: Monitor): void {
  const before = run.health?.health;
  const agreed = agree(freshVotes(run), quorumOf(run));
  run.health = agreed ? healthOf(run.cluster, agreed) : unseen(run);
  if (agreed) {
    const { incidents, events } = observe(run.incidents, { health: run.health, ...(agreed.around.down ? { down: agreed.around.down } : {}), at: now(), calmMs: calmMs(run) });
    run.incidents = incidents;
    run.outbox.push(...events);
  }
  if (run.health.health !== before) showHealth(run.health);
  setCurrentDetails(describe(run));
}

/** Those who looked again have spoken. */
export function judgeAgain(run: Monitor, votes: Vote[]): void {
  const agreed = agree(votes, quorumOf(run));
  if (!agreed) return;
  const { incidents, events } = confirmBelow(run.incidents, { health: healthOf(run.cluster, agreed), at: now(), calmMs: calmMs(run) });
  run.incidents = incidents;
  run.outbox.push(...events);
}

export const showHealth = ({ health }: ClusterHealth): void => upsertSearchAttributes([{ key: defineSearchAttributeKey('StHealth', 'KEYWORD'), value: health }]);

function unseen(run: Monitor): ClusterHealth {
  const { paused, health, cluster } = run;
  const why = whyBlind(run);
  if (paused && health) return pausedHealth(health, { why, ...(paused.seenAt === undefined ? {} : { seenAt: paused.seenAt }) });
  return blind(cluster, health ?? undefined, { at: now(), why });
}

function whyBlind({ paused, posts, cluster }: Monitor): string {
  if (paused) return `Watching ${cluster} is paused until ${paused.until} by ${paused.by} (as claimed): ${paused.reason}.`;
  const troubles = posts.flatMap(({ vantage, trouble }) => (trouble ? [`${vantage}: ${trouble}`] : []));
  return troubles.length > 0 ? `Too few look at ${cluster} now: ${troubles.join('; ')}.` : `Nobody has looked at ${cluster} yet.`;
}

/** For the Temporal UI. */
export function describe({ health, incidents, cluster, paused }: Monitor): string {
  if (!health) return `**${cluster}**: nobody has looked yet`;
  const cell = (text: string): string => shorten(text.replace(/[|\n]/g, ' '), 200);
  return [
    `**${cluster}**: ${paused ? 'paused' : health.health}, ${onlineCount(health)} of ${health.members} Servers ${paused ? 'were ' : ''}Online (at least ${health.minimumNodes} asked for), seen ${health.sampledAt}`,
    ...(incidents.open ? ['', `Incident ${incidents.open.id} since ${incidents.open.since}`] : []),
    '', ...health.problems.map((problem) => `- ${problem}`),
    '', '| Node | State | Since | Services | |', '|---|---|---|---|---|',
    ...health.nodes.map(({ node, state, was, since, services, why = '', excused }) => `| ${node} | ${was ? `${state}, was ${was}` : state} | ${since} | ${services.running}/${services.of} | ${cell(excused ?? why)} |`),
  ].join('\n').slice(0, 18_000);
}
