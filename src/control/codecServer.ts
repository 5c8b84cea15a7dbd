/**
 * A codec server: decodes payloads for the Temporal UI and the `temporal` CLI, which know no keys. It speaks the protocol of Temporal's samples:
 * POST /encode and /decode with `{"payloads": [{"metadata": {"encoding": "<base64>"}, "data": "<base64>"}]}`.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Payload, PayloadCodec } from '@temporalio/common';
import { StError } from '../model/errors';
import { AdvisedError } from './advised';
import { dataConverterFor, type ConnectionConfig } from './connectionConfig';

export interface CodecServerOptions {
  /** Origin of the Temporal UI, such as http://localhost:8233; pages of others get nothing. */
  uiOrigin: string;
  host: string;
  port: number;
}

const largestBody = 8 * 1024 * 1024;

/** @throws StError InvalidInput when no key is configured, or the address can't be had; SecretUnavailable when the key can't be read */
export async function startCodecServer(config: Pick<ConnectionConfig, 'encryption'>, options: CodecServerOptions): Promise<Server> {
  const { payloadCodecs } = await dataConverterFor(config);
  const codec = payloadCodecs?.[0];
  if (!codec) throw new AdvisedError('InvalidInput', 'There is nothing to decode: payloads are not encrypted, since ST_ENCRYPTION_KEY is not set.', ['Set ST_ENCRYPTION_KEY to the reference that the worker has, and run this again.']);
  const server = createServer((request, response) => void answer(request, response, codec, options.uiOrigin));
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(new StError('InvalidInput', `${options.host}:${options.port} can't be listened on (${error.code ?? error.message}); give another --port.`, { cause: error })));
    server.listen(options.port, options.host, resolve);
  });
  return server;
}

async function answer(request: IncomingMessage, response: ServerResponse, codec: PayloadCodec, uiOrigin: string): Promise<void> {
  const { origin } = request.headers;
  const end = (status: number, body: object): void => void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  // The temporal CLI sends no origin; a page of somebody else's that the operator has open does.
  if (origin !== undefined && origin !== uiOrigin) return end(403, { message: `this codec server answers ${uiOrigin} only, not ${origin}` });
  if (origin !== undefined) {
    response.setHeader('access-control-allow-origin', uiOrigin);
    response.setHeader('access-control-allow-credentials', 'true');
    response.setHeader('access-control-allow-headers', 'content-type,x-namespace,authorization');
    response.setHeader('access-control-allow-methods', 'POST,OPTIONS');
    response.setHeader('vary', 'origin');
  }
  if (request.method === 'OPTIONS') return void response.writeHead(204).end();
  const act = { '/encode': codec.encode.bind(codec), '/decode': codec.decode.bind(codec) }[(request.url ?? '').split('?')[0]!];
  if (request.method !== 'POST' || !act) return end(404, { message: 'known are POST /encode and POST /decode' });
  try {
    end(200, { payloads: (await act(payloadsOf(await bodyOf(request)))).map(toJson) });
  } catch (error) {
    end(400, { message: error instanceof Error ? error.message : String(error) });
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > largestBody) throw new StError('InvalidInput', `expected at most ${largestBody} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

interface JsonPayload {
  metadata?: Record<string, string>;
  data?: string;
}

function payloadsOf(body: string): Payload[] {
  const { payloads } = JSON.parse(body) as { payloads?: unknown };
  if (!Array.isArray(payloads)) throw new StError('InvalidInput', 'expected {"payloads": [...]}');
  return (payloads as JsonPayload[]).map(({ metadata = {}, data = '' }) => ({
    metadata: Object.fromEntries(Object.entries(metadata).map(([name, value]) => [name, Buffer.from(String(value), 'base64')])),
    data: Buffer.from(String(data), 'base64'),
  }));
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

const toJson = ({ metadata, data }: Payload): JsonPayload => ({
  metadata: Object.fromEntries(Object.entries(metadata ?? {}).map(([name, value]) => [name, base64(value)])),
  data: base64(data ?? new Uint8Array()),
});
