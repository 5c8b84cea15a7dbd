import type { EventKind } from '../../../src/model/events';
import { isTold, triesWithin, waysOut } from '../../../src/model/notifications';
import { formatProblem, parseClusterSpec } from '../../../src/model/spec';
import { changed } from './demoFile';

const problemsOf = (notifications: unknown) => (parseClusterSpec(changed(['notifications'], notifications)).problems ?? []).map(formatProblem);
const mail = { smtp: { host: 'mail.example.com' }, from: 'st@example.com', to: ['mft@example.com'] };
const webhook = { url: 'https://hooks.example.com/st?team=mft', secret: 'env:HOOK' };

describe('the ways out of a cluster file', () => {
  test.each([
    ['mail alone', mail, ['mail']],
    ['a webhook alone', { webhook }, ['webhook']],
    ['a program alone', { command: ['/usr/local/bin/tell', '--now'] }, ['program']],
    ['all three', { ...mail, webhook, command: ['/usr/local/bin/tell'], events: ['test', 'node-failed'], productThreshold: 'leave' }, ['mail', 'webhook', 'program']],
  ])('%s', (_, notifications, ways) => {
    const parsed = parseClusterSpec(changed(['notifications'], notifications));
    expect(parsed.problems).toBeUndefined();
    expect(Object.keys(waysOut(parsed.spec!.notifications!))).toEqual(ways);
    expect(parseClusterSpec(parsed.spec).spec).toEqual(parsed.spec);
  });

  test.each<[string, unknown, unknown[]]>([
    ['none at all', {}, ['notifications.smtp: missing; expected smtp, webhook or command: where else would events go?']],
    ['mail to nobody', { smtp: mail.smtp, from: mail.from }, ['notifications.to: missing; a mail needs it']],
    ['recipients without a mail server', { webhook, to: mail.to }, ['notifications.smtp: missing; to is for mails']],
    ['a webhook in the clear', { webhook: { ...webhook, url: 'http://hooks.example.com' } }, [expect.stringMatching(/^notifications\.webhook\.url: expected https:\/\/ \(http:\/\/ only to the worker's own host\)/)]],
    ['a webhook with a password in it', { webhook: { ...webhook, url: 'https://user:hunter2@hooks.example.com' } }, ['notifications.webhook.url: expected an address without user and password: what is sent is signed with "secret"']],
    ['a webhook that is no address', { webhook: { ...webhook, url: 'hooks' } }, [expect.stringMatching(/^notifications\.webhook\.url: expected an address such as/)]],
    ['a literal secret', { webhook: { ...webhook, secret: 'hunter2' } }, [expect.stringMatching(/^notifications\.webhook\.secret: expected a reference to a secret/)]],
    ['a program without its path', { command: ['mail', 'me'] }, ['notifications.command[0]: expected the path of a program on the worker\'s host, such as /usr/local/bin/tell-someone, found "mail"']],
    ['a kind that there is not', { ...mail, events: ['node-faild'] }, [expect.stringMatching(/^notifications\.events\[0\]: .*did you mean "node-failed"\?/)]],
    ['an unknown variable', { ...mail, templates: { subject: '{{claster}}' } }, ['notifications.templates.subject: unknown variable {{claster}}; did you mean "cluster"?']],
    ['a template too long', { ...mail, templates: { body: 'x'.repeat(1_501) } }, ['notifications.templates.body: expected a text of 1 to 1500 characters, found 1501']],
  ])('refused: %s', (_, notifications, problems) => expect(problemsOf(notifications)).toEqual(problems));

  test('a text has lines and quotes, and a subject has not', () => {
    expect(problemsOf({ ...mail, templates: { body: 'It\'s {{node}}:\n\n"{{summary}}"\n' } })).toEqual([]);
    expect(problemsOf({ ...mail, templates: { subject: 'two\nlines' } })).toEqual(['notifications.templates.subject: the text contains a line break, which is not allowed']);
    expect(problemsOf({ ...mail, templates: { body: 'a\u202eb' } })).toEqual(['notifications.templates.body: the text contains the invisible character U+202E, which is not allowed']);
  });

  test('http reaches the worker\'s own host only', () => {
    for (const url of ['http://127.0.0.1:9000/x', 'http://localhost/x', 'http://[::1]:9000/']) expect(problemsOf({ webhook: { ...webhook, url } })).toEqual([]);
  });
});

test('a filter leaves kinds out, and never a test', () => {
  const kinds: EventKind[] = ['node-failed', 'operation-ended', 'test'];
  expect(kinds.map((kind) => isTold({}, kind))).toEqual([true, true, true]);
  expect(kinds.map((kind) => isTold({ events: ['node-failed'] }, kind))).toEqual([true, false, true]);
});

test.each([[0, 1], [999, 1], [1_000, 2], [3_000, 3], [7_000, 4], [63_000, 7], [123_000, 8], [86_400_000, 1445]])('in %d ms of pauses there are %d tries', (ms, tries) => expect(triesWithin(ms)).toBe(tries));
