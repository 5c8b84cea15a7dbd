/**
 * The worker's process. Ends with 0 when told to stop, 2 when its settings are wrong, 3 when the namespace lacks what every operation needs,
 * 1 on a defect. A server that is not there is waited for, for ever.
 */
import { access } from 'node:fs/promises';
import { dataConverterFor } from '../control/connectionConfig';
import { StError } from '../model/errors';
import { defaultBundlePath } from './bundle';
import { createClients } from './clients';
import { workerConfig, type WorkerConfig } from './config';
import { serve } from './serve';
import { createLogger, installTelemetry } from './telemetry';

async function main(): Promise<number> {
  const config = await settings();
  if (!config) return 2;
  const logger = createLogger(config.logLevel);
  const stop = stopSignal();
  installTelemetry(config, logger);
  const clients = createClients();
  try {
    const served = await serve({ config, clients, logger, stop, onReady: () => console.log('worker ready') });
    if (served.end === 'stopped') return 0;
    console.error(served.remedy);
    return 3;
  } catch (error) {
    logger.error({ error }, 'the worker can not go on');
    return 1;
  } finally {
    await clients.close();
  }
}

/** The settings, and whether what they point to can be used; everything that is wrong is printed at once. */
async function settings(): Promise<WorkerConfig | undefined> {
  try {
    const config = workerConfig();
    await dataConverterFor(config);
    await access(defaultBundlePath).catch(() => {
      throw new StError('InvalidInput', `The workflow bundle ${defaultBundlePath} is missing; make it with: npm run build`);
    });
    return config;
  } catch (error) {
    if (!(error instanceof StError)) throw error;
    console.error(`The worker's settings can't be used:\n${error.message.replace(/^/gm, '  ')}`);
    return undefined;
  }
}

/** While a worker runs the SDK's own handlers drain it; this one ends the waiting for a server. A second signal kills. */
function stopSignal(): AbortSignal {
  const stop = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stop.abort());
  return stop.signal;
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
