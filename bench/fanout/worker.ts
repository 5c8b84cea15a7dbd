/** The product's worker with the four tasks beside its own activities. Its bundle is the one argument. */
import { NativeConnection } from '@temporalio/worker';
import { createClients } from '../../src/clients';
import { workerConfig } from '../../src/worker/config';
import { createWorker } from '../../src/worker/createWorker';
import { createLogger, installTelemetry } from '../../src/worker/telemetry';
import { fanOutActivities } from './activities';

async function main(): Promise<void> {
  const config = workerConfig();
  installTelemetry(config, createLogger(config.logLevel));
  const clients = createClients();
  const connection = await NativeConnection.connect(config.connectionOptions);
  const own = Object.entries(fanOutActivities(clients)).map(([name, act]) => [`fanout.${name}`, act as never] as const);
  const worker = await createWorker({ config, clients, connection, bundle: { codePath: process.argv[2]! }, activities: Object.fromEntries(own) });
  const running = worker.run();
  console.log('worker ready');
  await running;
  await clients.close();
}

main().then(() => process.exit(0), (error: unknown) => {
  console.error(error);
  process.exit(1);
});
