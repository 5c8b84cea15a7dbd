/** Logs as JSON lines and metrics for Prometheus, for our code, the SDK and its native core alike. */
import type { LogLevel, LogMetadata, Logger } from '@temporalio/common';
import { makeTelemetryFilterString, Runtime } from '@temporalio/worker';
import pino from 'pino';
import { scrub } from '../clients/scrub';
import type { WorkerConfig } from './config';

const secretFields = ['password', 'passphrase', 'secret', 'token', 'apiKey', 'authorization', 'cookie', 'privateKey'];

/** A pino logger whose lines hold no secret: named fields are masked, and every secret this process has resolved is replaced in the finished line. */
export function createLogger(level: WorkerConfig['logLevel'], destination: pino.DestinationStream = pino.destination({ dest: 2, sync: false })): pino.Logger {
  return pino(
    {
      level,
      base: undefined,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: secretFields.flatMap((field) => [field, `*.${field}`]), censor: '***' },
      serializers: { error: pino.stdSerializers.err },
      hooks: { streamWrite: scrub },
    },
    destination,
  );
}

/** While the server is away every poller of the SDK complains several times a second; one of these lines in this time says as much. */
const complaintEveryMs = 30_000;

/** The SDK's own log calls, in our form. */
export function temporalLogger(logger: pino.Logger): Logger {
  let nextComplaint = 0;
  const log = (level: LogLevel, message: string, meta: LogMetadata = {}): void => {
    if (isSaidTwice(message, meta)) return;
    if (isComplaint(meta)) {
      if (performance.now() < nextComplaint) return;
      nextComplaint = performance.now() + complaintEveryMs;
    }
    logger[pinoLevel[level]](attributesOf(meta), message);
  };
  return {
    log,
    trace: (message, meta) => log('TRACE', message, meta),
    debug: (message, meta) => log('DEBUG', message, meta),
    info: (message, meta) => log('INFO', message, meta),
    warn: (message, meta) => log('WARN', message, meta),
    error: (message, meta) => log('ERROR', message, meta),
  };
}

/** To be called once in a process, before its first connection. */
export function installTelemetry(config: Pick<WorkerConfig, 'logLevel' | 'metricsAddress'>, logger: pino.Logger): void {
  Runtime.install({
    logger: temporalLogger(logger),
    telemetryOptions: {
      logging: { forward: {}, filter: makeTelemetryFilterString({ core: config.logLevel === 'trace' ? 'DEBUG' : 'WARN', other: 'ERROR' }) },
      ...(config.metricsAddress && { metrics: { prometheus: { bindAddress: config.metricsAddress, countersTotalSuffix: true, unitSuffix: true, useSecondsForDurations: true } } }),
    },
  });
}

const pinoLevel = { TRACE: 'trace', DEBUG: 'debug', INFO: 'info', WARN: 'warn', ERROR: 'error' } as const satisfies Record<LogLevel, string>;

/** The interceptor reports every attempt with its sorted code; the SDK's own report of a failed one would repeat it. */
const isSaidTwice = (message: string, meta: LogMetadata): boolean => message === 'Activity failed' && meta.sdkComponent === 'worker';

const isComplaint = (meta: LogMetadata): boolean => meta.target === 'temporalio_client::retry';

/** Cluster and operation by the workflow's id (`add-node/<cluster>/…`), unless the writer knew better; task tokens are of no use to anyone. */
function attributesOf({ taskToken: _token, namespace: _namespace, ...meta }: LogMetadata): object {
  const { workflowId } = meta as { workflowId?: unknown };
  if (typeof workflowId !== 'string') return meta;
  const cluster = workflowId.split('/')[1];
  return { operation: workflowId, ...(cluster && { cluster }), ...meta };
}
