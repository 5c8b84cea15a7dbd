/** Telling people and programs what happened: each way out is one activity, tried by itself. None of them changes anything on the estate. */
import type { ClusterEvent } from '../model/events';
import { mailText } from '../model/mailTexts';
import type { MailWay } from '../model/notifications';
import type { NotificationSpec } from '../model/specTypes';
import type { Clients } from './clients';
import { abortSignal } from './context';

export interface Told {
  /** "handed to mail.example.com for 2 addresses". */
  note: string;
}

export interface NotificationActivities {
  mail(input: { event: ClusterEvent; mail: MailWay }): Promise<Told>;
  webhook(input: { event: ClusterEvent; webhook: NonNullable<NotificationSpec['webhook']> }): Promise<Told>;
  program(input: { event: ClusterEvent; command: string[] }): Promise<Told>;
}

export function notificationActivities({ clients }: { clients: Clients }): NotificationActivities {
  return {
    async mail({ event, mail: { smtp, from, to, templates } }) {
      await clients.mail.sendMail(smtp, { from, to, ...mailText(event, templates) }, { signal: abortSignal() });
      return { note: `handed to ${smtp.host}:${smtp.port} for ${to.join(', ')}` };
    },
    async webhook({ event, webhook }) {
      const status = await clients.webhook.post(webhook, { key: event.id, body: event }, { signal: abortSignal() });
      return { note: `${new URL(webhook.url).origin} answered ${status}` };
    },
    async program({ event, command }) {
      await clients.programs.run(command, event, { env: { ST_EVENT_ID: event.id, ST_EVENT_KIND: event.kind, ST_CLUSTER: event.cluster }, signal: abortSignal() });
      return { note: `${command[0]} ended with exit code 0` };
    },
  };
}
