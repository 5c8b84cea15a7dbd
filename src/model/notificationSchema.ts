/** The part of a cluster file that says where events go: mail, webhook, a program of the operator's; and what must hold between its keys. */
import { z } from 'zod';
import { eventKinds } from './events';
import { address, checked, isLoopback, mailAddress, matching, oneOf, port, secretRef, strict, workerPath } from './fields';
import { templateProblem } from './mailTemplates';
import { describe, type InputProblem } from './problems';
import { at, listAt } from './raw';

const template = (most: number, what: string) => checked((text) => {
  if (text.length < 1 || text.length > most) return `expected ${what} of 1 to ${most} characters, found ${text.length}`;
  return templateProblem(text);
});

/** What is sent is signed, not sealed: only a program on the same machine may hear it without TLS. */
function webhookProblem(text: string): string | undefined {
  const wrong = `expected an address such as https://hooks.example.com/st, found ${describe(text.replace(/\/\/[^/@]*@/, '//***@'))}`;
  if (text.length > 500 || !URL.canParse(text)) return wrong;
  const { protocol, hostname, username, password } = new URL(text);
  if (username !== '' || password !== '') return 'expected an address without user and password: what is sent is signed with "secret"';
  if (protocol === 'https:') return undefined;
  if (protocol === 'http:') return isLoopback(hostname.replace(/^\[|\]$/g, '')) ? undefined : 'expected https:// (http:// only to the worker\'s own host): what is sent names hosts and what is wrong with them';
  return wrong;
}

/** Made anew by every caller, since a cluster file's schema is built when it is first asked for. */
export const notificationSchema = () => strict({
  smtp: strict({
    host: address,
    port: port.optional(),
    user: matching(/^\S{1,128}$/, 'a login name without spaces').optional(),
    password: secretRef.optional(),
    tls: oneOf(['starttls', 'tls', 'none']).optional(),
    ca: workerPath.optional(),
  }).optional().meta({ description: 'The mail server; with it go from and to.' }),
  from: mailAddress.optional(),
  to: z.array(mailAddress).min(1).max(20).optional(),
  templates: strict({
    subject: template(200, 'a subject').optional(),
    body: template(1_500, 'a text').optional(),
  }).optional().meta({ description: 'Mails in words of your own, with {{variables}}: see docs/notifications.md.' }),
  webhook: strict({
    url: checked(webhookProblem).meta({ pattern: '^https?://' }),
    secret: secretRef,
    ca: workerPath.optional().meta({ description: 'The CA certificates (PEM) that the receiver is verified with; those of the system when left out.' }),
  }).optional().meta({ description: 'Each event is sent there as JSON, signed with the secret (HMAC-SHA256).' }),
  command: z.array(z.string().min(1).max(500)).min(1).max(20).optional().meta({ description: 'A program on the worker\'s host and its arguments; it reads each event as JSON from its standard input.' }),
  events: z.array(oneOf(eventKinds)).min(1).max(eventKinds.length).optional().meta({ description: 'Only events of these kinds are told; all when left out.' }),
  productThreshold: oneOf(['keep-equal', 'leave']).optional().meta({ description: 'The product\'s own threshold and its mail: keep-equal (when left out) sets the threshold to minimumNodes and keeps the mail still while a maintenance window is open; leave never touches them.' }),
});

/** What the shape can't say. `notifications` is the value as it was written. */
export function checkNotifications(notifications: unknown): InputProblem[] {
  if (notifications === undefined) return [];
  const path = ['notifications'];
  const has = (...keys: string[]): boolean => at(notifications, ...keys) !== undefined;
  const problems: InputProblem[] = [];
  const missing = (keys: string[], message: string): void => { problems.push({ path: [...path, ...keys], message: `missing; ${message}` }); };
  if (!has('smtp') && !has('webhook') && !has('command')) missing(['smtp'], 'expected smtp, webhook or command: where else would events go?');
  for (const key of ['from', 'to', 'templates']) {
    if (has('smtp') && key !== 'templates' && !has(key)) missing([key], 'a mail needs it');
    if (!has('smtp') && (has('webhook') || has('command')) && has(key)) missing(['smtp'], `${key} is for mails`);
  }
  if (has('smtp', 'user') && !has('smtp', 'password')) missing(['smtp', 'password'], 'a user needs a password');
  else if (has('smtp', 'password') && !has('smtp', 'user')) missing(['smtp', 'user'], 'a password needs a user');
  else if (has('smtp', 'password') && at(notifications, 'smtp', 'tls') === 'none') problems.push({ path: [...path, 'smtp', 'tls'], message: 'a password is never sent unencrypted; expected starttls or tls' });
  const [program] = listAt(notifications, 'command');
  if (typeof program === 'string' && !/^(\/[^/]+)+$/.test(program)) problems.push({ path: [...path, 'command', 0], message: `expected the path of a program on the worker's host, such as /usr/local/bin/tell-someone, found ${describe(program)}` });
  return problems;
}
