/**
 * Evidence from outside: `POST /v1/report/<cluster>` with `{"from": "…", "node": "st2", "what": "…", "at": "…"}` goes to the cluster's monitor, as one that looks
 * there too. It is evidence beside the monitor's own, and never alone a reason to act. Authenticated by `Authorization: Bearer <secret>`, or by
 * `X-St-Signature: t=<seconds>,v1=<HMAC-SHA256 of "<t>.<body>">`, which is what our own webhooks carry.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { createServer as createPlain, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTls } from 'node:https';
import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import { z } from 'zod';
import { resolveSecret } from '../clients/secrets';
import { StError } from '../model/errors';
import { clusterName, nodeName, strict } from '../model/fields';
import { line, parseInput } from '../model/inputs';
import { AdvisedError } from './advised';
import { askWorker } from './calls';

export interface ReportServerOptions {
  host: string;
  port: number;
  /** A reference; read anew for every report, so that it may be changed meanwhile. */
  secret: string;
  /** PEM; without it only this machine may be listened to. */
  tls?: { cert: Buffer; key: Buffer };
  env?: NodeJS.ProcessEnv;
  /** One line for people about each report. */
  say(line: string): void;
}

/** The argument of the monitor's update `report`. */
export interface OutsideReport {
  from: string;
  node?: string;
  /** With the sender's own time in brackets, where it gave one: the monitor goes by its own clock. */
  what: string;
}

const outsideReport = strict({ from: line, node: nodeName.optional(), what: z.string().trim().min(1).max(450), at: z.iso.datetime({ offset: true }).optional() });
const largestBody = 16 * 1024;
const bodyMs = 10_000;
/** How far the sender's clock may be off. */
const oldestSeconds = 300;

/** @throws AdvisedError InvalidInput when the address can't be had, or the certificate is none; SecretUnavailable */
export async function startReportServer(client: Client, options: ReportServerOptions): Promise<Server> {
  await resolveSecret(options.secret, { env: options.env }).catch((error: unknown) => {
    if (!(error instanceof StError)) throw error;
    throw new AdvisedError(error.code, error.message.replace('in the worker', 'where stctl runs'), ['The secret is read here, where stctl runs, and anew for each report: make the variable, file or command available to the user of this command.'], { cause: error });
  });
  const listener = (request: IncomingMessage, response: ServerResponse): void => void answer(request, response, client, options).then(
    ({ status, message, note }) => {
      if (note) options.say(note);
      // What was not read must not be taken for the next request.
      response.writeHead(status, { 'content-type': 'application/json', ...(status >= 400 ? { connection: 'close' } : {}) }).end(JSON.stringify({ message }));
    },
    (error: unknown) => {
      options.say(`a report could not be answered: ${error instanceof Error ? error.message : String(error)}`);
      response.writeHead(500, { connection: 'close' }).end();
    },
  );
  const server = options.tls ? tlsServer(options.tls, listener) : createPlain(listener);
  server.requestTimeout = bodyMs;
  server.headersTimeout = bodyMs;
  server.maxConnections = 100;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(new AdvisedError('InvalidInput', `${options.host}:${options.port} can't be listened on (${error.code ?? error.message}).`, ['Choose another address of this machine, or a port that is free: --listen 127.0.0.1:0 takes one.'], { cause: error })));
    server.listen(options.port, options.host, resolve);
  });
  return server;
}

function tlsServer(tls: NonNullable<ReportServerOptions['tls']>, listener: (request: IncomingMessage, response: ServerResponse) => void): Server {
  try {
    return createTls(tls, listener) as unknown as Server;
  } catch (error) {
    throw new AdvisedError('InvalidInput', `The certificate and its key can't be used: ${error instanceof Error ? error.message : String(error)}.`, ['Give both as PEM, and the key that belongs to the certificate: --tls-cert, --tls-key.'], { cause: error });
  }
}

interface Answer {
  status: number;
  message: string;
  note?: string;
}

async function answer(request: IncomingMessage, response: ServerResponse, client: Client, { secret, env }: ReportServerOptions): Promise<Answer> {
  const cluster = /^\/v1\/report\/([^/?]+)$/.exec(request.url ?? '')?.[1];
  if (request.method !== 'POST' || cluster === undefined || !clusterName.safeParse(cluster).success) return { status: 404, message: 'known is POST /v1/report/<cluster>' };
  const body = await bodyOf(request);
  if (body === undefined) return { status: 413, message: `expected at most ${largestBody} bytes` };
  if (response.destroyed) return { status: 400, message: 'gone' };
  const from = request.socket.remoteAddress ?? 'unknown';
  const known = await resolveSecret(secret, { env }).catch(() => undefined);
  if (!known) return { status: 503, message: 'the secret can\'t be read where reports are taken', note: `${from}: not taken, ${secret} can't be read` };
  if (!isAuthentic(request, body, known.reveal())) return { status: 401, message: 'the secret or the signature is wrong, or older than five minutes', note: `${from}: refused, not authenticated` };
  const content = jsonOf(body);
  if (content === undefined) return { status: 400, message: 'expected one JSON object; the body is no JSON' };
  const parsed = parseInput(outsideReport, content);
  if ('problems' in parsed) return { status: 400, message: parsed.problems.join('; ') };
  const report = reportOf(parsed.value);
  const workflowId = `monitor/${cluster}`;
  try {
    await askWorker(client, workflowId, `the monitor of "${cluster}"`, () => client.workflow.getHandle(workflowId).executeUpdate<unknown, [OutsideReport]>('report', { args: [report] }));
    return { status: 202, message: 'taken as evidence', note: `${from}: ${report.from} reports of ${cluster}${report.node === undefined ? '' : ` ${report.node}`}: ${report.what}` };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return { status: 404, message: `nobody watches "${cluster}": stctl monitor-cluster ${cluster}` };
    if (error instanceof StError && error.code === 'InvalidInput') return { status: 400, message: error.message };
    if (error instanceof StError) return { status: 503, message: error.message };
    throw error;
  }
}

const reportOf = ({ from, node, what, at }: z.output<typeof outsideReport>): OutsideReport => ({ from, what: at === undefined ? what : `${what} (${at})`, ...(node !== undefined ? { node } : {}) });

function jsonOf(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

/** Undefined when it is too long. */
async function bodyOf(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > largestBody) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function isAuthentic({ headers }: IncomingMessage, body: string, secret: string): boolean {
  const bearer = /^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1];
  if (bearer !== undefined) return same(bearer, secret);
  const [, seconds, mac] = /^t=(\d{1,12}),v1=([0-9a-f]{64})$/.exec(String(headers['x-st-signature'] ?? '')) ?? [];
  if (seconds === undefined || mac === undefined || Math.abs(Date.now() / 1000 - Number(seconds)) > oldestSeconds) return false;
  return same(mac, createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex'));
}

/** In a time that tells nothing of where they differ, whatever their lengths. */
const same = (a: string, b: string): boolean => timingSafeEqual(createHash('sha256').update(a).digest(), createHash('sha256').update(b).digest());
