/** Mail over SMTP. A message has a stable id, so that a retry is recognised as the same one, and mails of one operation form a thread. */
import { createTransport } from 'nodemailer';
import { StError } from '../model/errors';
import type { SecretRef } from '../model/targets';
import { readCa } from './caFile';
import { createRefusals } from './refusals';
import { credentialFingerprint, resolveSecret } from './secrets';
import { within } from './within';

export interface SmtpTarget {
  host: string;
  port: number;
  user?: string;
  password?: SecretRef;
  /** `starttls`: required upgrade; `tls`: from the first byte; `none`: plain text, and no login is ever sent. */
  tls: 'starttls' | 'tls' | 'none';
  /** Absolute path of a CA file; the system's CAs by default. */
  ca?: string;
}

export interface Mail {
  from: string;
  to: string[];
  subject: string;
  text: string;
  html?: string;
  /** Stable for one event (`<add-node.demo.st4.7@st-orchestrator>`): a retry sends the same one. */
  messageId: string;
  /** Message ids of the same operation, so that mail programs show one thread. */
  references?: string[];
}

export interface Mailer {
  /** @throws StError Unreachable, ConnectionLost, AuthenticationFailed, TlsRejected, Refused, SecretUnavailable, InvalidInput. */
  sendMail(target: SmtpTarget, mail: Mail, options?: { timeoutMs?: number; signal?: AbortSignal }): Promise<void>;
  /** Lets refused credentials be tried again. */
  forget(): void;
}

/** Makes the mailer that one worker shares; each mail has a connection of its own. */
export function createMailer({ env }: { env?: NodeJS.ProcessEnv } = {}): Mailer {
  const refusals = createRefusals();

  async function sendMail(target: SmtpTarget, mail: Mail, { timeoutMs = 15_000, signal }: { timeoutMs?: number; signal?: AbortSignal } = {}): Promise<void> {
    const place = `${target.host}:${target.port}`;
    signal?.throwIfAborted();
    const credential = await credentialOf(target);
    const ca = target.ca === undefined ? undefined : await readCa(`Mail server ${place}`, target.ca);
    const transport = createTransport({
      host: target.host,
      port: target.port,
      secure: target.tls === 'tls',
      requireTLS: target.tls === 'starttls',
      ignoreTLS: target.tls === 'none',
      tls: { ca, rejectUnauthorized: true },
      ...(credential ? { auth: { user: target.user!, pass: credential.password } } : {}),
      connectionTimeout: timeoutMs,
      greetingTimeout: timeoutMs,
      socketTimeout: timeoutMs,
      // Templates and callers give text only: nothing in a mail may name a file or an address to fetch.
      disableFileAccess: true,
      disableUrlAccess: true,
    });
    const sending = transport.sendMail({
      from: mail.from, to: mail.to, subject: mail.subject, text: mail.text, html: mail.html, messageId: mail.messageId,
      ...(mail.references && mail.references.length > 0 ? { references: mail.references, inReplyTo: mail.references.at(-1) } : {}),
      headers: { 'Auto-Submitted': 'auto-generated' },
    });
    try {
      await within(sending, { timeoutMs, signal }, () => new StError('ConnectionLost', `Mail server ${place}: not finished within ${timeoutMs} ms; the mail may or may not have been taken.`));
    } catch (error) {
      if (error instanceof StError || signal?.aborted) throw error;
      const failure = explain(place, error as SmtpFailure);
      throw failure.code === 'AuthenticationFailed' && credential ? refusals.remember(credential.name, credential.state, failure.message) : failure;
    } finally {
      transport.close();
      sending.catch(() => undefined);
    }
  }

  async function credentialOf(target: SmtpTarget): Promise<{ name: string; state: string; password: string } | undefined> {
    if (target.user === undefined || target.password === undefined) return undefined;
    if (target.tls === 'none') throw new StError('InvalidInput', `Mail server ${target.host}:${target.port}: a login needs TLS (notifications.smtp.tls: starttls or tls).`);
    const name = `${target.user}@${target.host}:${target.port}`;
    const state = await credentialFingerprint(target.password, { env });
    refusals.check(name, state);
    return { name, state, password: (await resolveSecret(target.password, { env })).reveal() };
  }

  return { sendMail, forget: () => refusals.forget() };
}

interface SmtpFailure extends Error {
  code?: string;
  responseCode?: number;
  response?: string;
}

/** By the SMTP reply (4xx may pass, 5xx does not), else by nodemailer's code. */
function explain(place: string, error: SmtpFailure): StError {
  const told = `Mail server ${place}: ${error.response ?? error.message}`;
  const cause = { cause: error };
  if (error.code === 'EAUTH') return new StError('AuthenticationFailed', told, cause);
  if (error.code === 'ETLS' || /certificate|self[- ]signed|altname|STARTTLS/i.test(error.message)) return new StError('TlsRejected', told, cause);
  if (error.responseCode !== undefined) return new StError(error.responseCode >= 500 ? 'Refused' : 'Unreachable', told, cause);
  if (error.code === 'EENVELOPE' || error.code === 'EMESSAGE') return new StError('Refused', told, cause);
  return new StError('Unreachable', told, cause);
}
