/** The mail of an event: subject, text, HTML, and the ids by which mail programs make one thread of an incident. Pure. */
import type { ClusterEvent, EventKind } from './events';
import { fill, type TemplateVariable } from './mailTemplates';
import { shorten } from './shorten';

export interface MailText {
  subject: string;
  text: string;
  html: string;
  /** Of the event: a retry is the same mail. */
  messageId: string;
  references: string[];
}

export interface MailTemplates {
  subject?: string;
  body?: string;
}

/** What an event of this kind is called above its sentence. */
const headings: Record<EventKind, string> = {
  'node-failed': 'A node has failed',
  'node-recovered': 'A node is back',
  'threshold-lost': 'Fewer nodes than wanted',
  'threshold-restored': 'Enough nodes again',
  'below-threshold': 'Too few nodes for too long',
  'no-edge': 'No Edge is left',
  'balancer-down': 'A load balancer is gone',
  'balancer-up': 'A load balancer is back',
  'database-down': 'The database is gone',
  'database-up': 'The database is back',
  'watching-ended': 'Nobody watches the cluster',
  'operation-ended': 'An operation has ended',
  'operation-interrupted': 'An operation was interrupted',
  'operation-waits': 'An operation waits for a person',
  'ends-soon': 'Something ends soon',
  reported: 'Reported from outside',
  test: 'A test',
};

const longestSubject = 180;

/** The mail of this event, in the words of the templates where there are some. */
export function mailText(event: ClusterEvent, templates: MailTemplates = {}): MailText {
  const values = valuesOf(event);
  const subject = templates.subject === undefined ? defaultSubject(event) : fill(templates.subject, values);
  const written = templates.body === undefined ? undefined : fill(templates.body, values);
  const references = event.incident === event.id ? [] : [messageId(event.cluster, event.incident)];
  return {
    subject: oneLine(subject, longestSubject),
    text: `${written ?? defaultText(event)}\n`,
    html: page(event, written === undefined ? defaultBody(event) : `<p style="margin:0;white-space:pre-wrap">${escaped(written)}</p>`),
    messageId: messageId(event.cluster, event.id),
    references,
  };
}

const messageId = (cluster: string, id: string): string => `<${cluster}.${id}@st-orchestrator>`;

const oneLine = (text: string, longest: number): string => shorten(text.replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ').trim(), longest);

/** The severity is a word, and stands first: a phone shows forty characters. */
const defaultSubject = ({ cluster, severity, summary }: ClusterEvent): string => `[${cluster}] ${severity === 'info' ? '' : `${severity.toUpperCase()}: `}${summary}`;

function placeOf({ cluster, site, node }: ClusterEvent): string {
  return [cluster, ...(site === undefined ? [] : [`site ${site}`]), ...(node === undefined ? [] : [`node ${node}`])].join(', ');
}

/** Seconds are enough for people. */
const timeOf = ({ at }: ClusterEvent): string => at.replace('T', ' ').replace(/(\.\d+)?Z$/, ' UTC');

/** `requestedBy` → `Requested by`. */
const label = (name: string): string => name.charAt(0).toUpperCase() + name.slice(1).replace(/(?<=[a-z])[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);

function rowsOf(event: ClusterEvent): [string, string][] {
  return [['Cluster', placeOf(event)], ['When', timeOf(event)], ['Kind', `${event.kind} (${event.severity})`], ...Object.entries(event.facts).map(([name, value]): [string, string] => [label(name), value])];
}

const footer = 'Sent by st-orchestrator. Mails of one incident make one thread.';

function defaultText(event: ClusterEvent): string {
  const rows = rowsOf(event);
  const width = Math.max(...rows.map(([name]) => name.length)) + 2;
  return [
    event.summary, '',
    `Now:   ${event.now}`,
    `Next:  ${event.next}`,
    ...(event.youCan.length > 0 ? ['', 'You can:', ...event.youCan.map((act) => `  - ${act}`)] : []),
    '', ...rows.map(([name, value]) => (value.includes('\n') ? [`${name}:`, ...value.split('\n').map((line) => `  - ${line}`)].join('\n') : `${`${name}:`.padEnd(width)}${value}`)),
    '', '-- ', footer,
  ].join('\n');
}

function valuesOf(event: ClusterEvent): Record<TemplateVariable, string> {
  const { id, kind, cluster, site = '', node = '', at, severity, incident, summary, now, next } = event;
  return {
    id, kind, cluster, site, node, at, severity, incident, summary, now, next,
    youCan: event.youCan.map((act) => `- ${act}`).join('\n'),
    facts: Object.entries(event.facts).map(([name, value]) => `${name}: ${value}`).join('\n'),
  };
}

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', '\'': '&#39;' };
const escaped = (text: string): string => text.replace(/[&<>"']/g, (found) => entities[found]!);

/** Styles stand at the elements, in tables: that is what mail programs understand. The colour says nothing that the word beside it does not. */
const colours: Record<ClusterEvent['severity'], string> = { info: '#1f6f43', warning: '#8a5300', critical: '#a3182b' };

function defaultBody(event: ClusterEvent): string {
  const sentence = (name: string, text: string): string => `<p style="margin:0 0 8px 0"><strong>${name}:</strong> ${escaped(text)}</p>`;
  const acts = event.youCan.map((act) => `<li style="margin:0 0 6px 0">${commands(act)}</li>`).join('');
  return [
    sentence('Now', event.now),
    sentence('Next', event.next),
    acts === '' ? '' : `<p style="margin:16px 0 6px 0"><strong>You can:</strong></p><ul style="margin:0;padding:0 0 0 20px">${acts}</ul>`,
  ].filter(Boolean).join('\n');
}

/** A command is shown as one: `What it is for: stctl …`. */
function commands(act: string): string {
  const found = /^(.*?)((?:stctl|temporal) .*)$/.exec(act);
  return found ? `${escaped(found[1]!)}<code style="font-family:Consolas,Menlo,monospace;font-size:13px;background:#eef0f3;color:#1c2430;padding:1px 4px;word-break:break-word">${escaped(found[2]!)}</code>` : escaped(act);
}

function page(event: ClusterEvent, body: string): string {
  const colour = colours[event.severity];
  const cell = 'padding:3px 12px 3px 0;vertical-align:top;font-size:13px';
  const rows = rowsOf(event).map(([name, value]) => `<tr><td style="${cell};color:#5a6472;white-space:nowrap">${escaped(name)}</td><td style="${cell};word-break:break-word">${escaped(value).replaceAll('\n', '<br>')}</td></tr>`).join('\n');
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light"><title>${escaped(headings[event.kind])}</title></head>
<body style="margin:0;padding:16px;background:#eef0f3">
<table role="presentation" cellpadding="0" cellspacing="0" border="0" width="100%" style="max-width:640px;margin:0 auto;background:#ffffff;border:1px solid #d5dae1;border-collapse:separate;table-layout:fixed;word-wrap:break-word;overflow-wrap:break-word;font-family:Segoe UI,Helvetica,Arial,sans-serif;font-size:15px;line-height:1.45;color:#1c2430">
<tr><td style="padding:14px 20px 14px 14px;border-left:6px solid ${colour}">
<p style="margin:0;font-size:13px;color:${colour}"><strong>${event.severity.toUpperCase()}</strong> · ${escaped(event.cluster)} · ${escaped(headings[event.kind])}</p>
<p style="margin:4px 0 0 0;font-size:18px;line-height:1.35"><strong>${escaped(event.summary)}</strong></p>
</td></tr>
<tr><td style="padding:14px 20px;border-top:1px solid #e4e8ed">
${body}
</td></tr>
<tr><td style="padding:12px 20px;border-top:1px solid #e4e8ed">
<table role="presentation" cellpadding="0" cellspacing="0" border="0">
${rows}
</table>
</td></tr>
<tr><td style="padding:10px 20px;border-top:1px solid #e4e8ed;font-size:12px;color:#5a6472">${escaped(footer)}</td></tr>
</table>
</body></html>
`;
}
