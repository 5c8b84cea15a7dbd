/** The mail host of a lab that has one: where it listens, what it runs, what came in. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { code } from '../code';
import { boot, initOf, listens } from '../hosts';
import { hostFolder } from '../place';
import { hostOf, mailPort, type LabPlan } from '../plan';
import { until } from '../shell';
import { parseMail, type ReadMail } from './read';
import type { SunkMail } from './sink';

/** Script that the mail host runs at power-on. */
export function mailInit(plan: LabPlan): string {
  const { node, folder } = code(plan.name);
  return `#!/bin/sh
exec setpriv --reuid=axway --regid=axway --init-groups ${node} ${folder}/lab/mail/sink.js /srv/mails ${mailPort} /etc/st-lab/tls.crt /etc/st-lab/tls.key
`;
}

/** Boots the mail host and waits for its mail server. */
export async function bootMail(plan: LabPlan): Promise<void> {
  const host = hostOf(plan, 'mail');
  await boot(plan, host);
  await until('the mail server', () => {
    const init = initOf(plan, host);
    return init !== undefined && listens(init, mailPort);
  });
}

export interface LabMail extends Omit<SunkMail, 'raw'>, ReadMail {}

/** Every mail that was taken, oldest first. */
export function mails(plan: LabPlan): LabMail[] {
  const folder = path.join(hostFolder(plan.name, hostOf(plan, 'mail').name), 'mails');
  return fs.readdirSync(folder).filter((name) => name.endsWith('.json'))
    .map((name) => JSON.parse(fs.readFileSync(path.join(folder, name), 'utf8')) as SunkMail)
    .sort((a, b) => (a.at < b.at ? -1 : 1))
    .map(({ raw, ...envelope }) => ({ ...envelope, ...parseMail(raw) }));
}

/** For a person: a line each, and the texts. */
export function describeMails(found: LabMail[]): string {
  if (found.length === 0) return 'no mail yet';
  return found.map(({ at, to, subject, messageId, references, text }) => [`${at} to ${to.join(', ')}`, `  ${subject}`, `  ${messageId}${references.length > 0 ? ` in the thread of ${references[0]}` : ''}`, ...text.trimEnd().split('\n').map((line) => `  | ${line}`)].join('\n')).join('\n\n');
}
