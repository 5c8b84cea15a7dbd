/** What of a cluster ends by itself: certificates, licences, passwords. Which of it is worth a warning, and in which words. Pure. */
import type { ClusterEvent } from './events';
import { fingerprint } from './fingerprint';

export interface End {
  /** What it is, and where: "the certificate of the Administration Tool of st1 (10.20.0.11:8444)". */
  what: string;
  /** ISO-8601 UTC. */
  ends: string;
  node?: string;
  /** What happens then. */
  consequence: string;
  remedy: string;
}

/** Days before the end at which it is told; 0: it has ended. */
export const warnedAt = [30, 14, 3, 0] as const;
const dayMs = 86_400_000;

/** The last step that has been reached, if any. */
export function stepOf(ends: string, at: string): (typeof warnedAt)[number] | undefined {
  const left = Date.parse(ends) - Date.parse(at);
  return [...warnedAt].reverse().find((days) => left <= days * dayMs);
}

/** One event a step, of the same id however often it is looked: who renews it in time hears no more. */
export function endEvents(cluster: string, site: string, ends: readonly End[], at: string): ClusterEvent[] {
  return ends.flatMap(({ what, ends: end, node, consequence, remedy }): ClusterEvent[] => {
    const step = stepOf(end, at);
    if (step === undefined) return [];
    const incident = `ends.${fingerprint({ what, end })}`;
    const days = Math.ceil((Date.parse(end) - Date.parse(at)) / dayMs);
    const date = end.slice(0, 10);
    const next = warnedAt.find((one) => one < step);
    return [{
      id: `${incident}.${step}`, kind: 'ends-soon', cluster, site, ...(node !== undefined ? { node } : {}), at, severity: step <= 3 ? 'critical' : 'warning', incident,
      summary: step === 0 ? `It has ended, on ${date}: ${what}.` : `${capital(what)} ends in ${days === 1 ? '1 day' : `${days} days`}, on ${date}.`,
      now: step === 0 ? consequence : 'It still works.',
      next: step === 0 ? 'It is not told again.' : `${consequence}${next === undefined ? '' : ` It is told again ${next === 0 ? 'when it has ended' : `${next} days before`}.`}`,
      youCan: [remedy], facts: { what, ends: end },
    }];
  });
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** The end that a licence names, where one of its lines does: `ExpirationDate=2027-01-31`; which key it is differs by version. */
export function licenceEnd(text: string): string | undefined {
  for (const line of text.split(/\r?\n/)) {
    const [, value] = /^\s*[\w.-]*(?:expir|valid[ ._-]?(?:to|until)|end[ ._-]?date)[\w.-]*\s*[=:]\s*(.+?)\s*$/i.exec(line) ?? [];
    const ms = value === undefined ? Number.NaN : Date.parse(/^\d{4}-\d{2}-\d{2}$/.test(value) ? `${value}T00:00:00Z` : value);
    if (!Number.isNaN(ms)) return new Date(ms).toISOString();
  }
  return undefined;
}
