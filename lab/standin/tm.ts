import { createServer, type Server } from 'node:net';
import { cacheComplaint } from './clustercache';
import { awaitDatabase } from './database';
import { productTime, takeProductTime } from './home';
import { readLicences } from './licences';
import { liarOf, makeLies } from './lies';
import { logToServer } from './log';
import { schemaComplaint } from './membership';
import { applyOverwrites, declareTaskProcessor, findNode, readOption, setAccepting, startHeart, takePlace } from './node';
import { startProcessor } from './processor';
import { readOwnAttributes } from './queue/dispatch';
import { lead, resign, submitDuePulls } from './scheduler';
import { runService, type Context, type Running } from './service';
import { startStreaming } from './streaming';

/**
 * The Transaction Manager with its two cluster services. It ends by itself, after its start was answered with success, when the
 * licences, the secret file or the node table don't allow it to process.
 */
async function start(context: Context): Promise<Running> {
  const { home, pool, log } = context;
  const began = Date.now();
  await awaitDatabase(pool, context.stopping, (why) => log('WARN', why));
  const refusal = await refusalOf(context);
  if (refusal) {
    await logToServer(pool, home, 'TM', 'ERROR', refusal);
    return context.giveUp(refusal);
  }
  const cache = await listenForCache(home.bindAddress, Number(home.settings['standin.cachePort']));
  log('INFO', `The cluster cache listens on port ${cache.port}.`);
  const own = await readOwnAttributes((name) => readOption(pool, home, name));
  log('INFO', `EventQueue.taskProcessor.attributes: ${JSON.stringify(own.attributes)}`);
  const clusterServices: Record<string, boolean> = { Scheduler: true, FolderMonitor: true };
  const processor = startProcessor(context, makeLies(liarOf(home, 'tm')));
  let running = false;
  const heart = startHeart(pool, home, 'tm', async () => {
    if (!running) return;
    await processor.look();
    if (clusterServices['Scheduler'] && context.state() !== 'Draining' && await lead(pool, home)) await submitDuePulls(pool);
  });
  await declareTaskProcessor(pool, home, own);
  await takeProductTime(Math.max(0, 1 - (Date.now() - began) / (productTime(1) || 1)));
  running = true;
  await heart.running();
  await logToServer(pool, home, 'TM', 'INFO', 'The Transaction Manager was started.');

  const streaming = startStreaming(context);
  const accept = (accepting: boolean) => void setAccepting(pool, home, accepting).catch(() => undefined);
  return {
    async stop() {
      cache.server.close();
      streaming.stop();
      await processor.stop();
      await heart.stop();
      await resign(pool, home).catch(() => undefined);
      await logToServer(pool, home, 'TM', 'INFO', 'The Transaction Manager was stopped.');
    },
    drain() {
      processor.drain();
      streaming.drain();
      accept(false);
    },
    resume() {
      processor.resume();
      streaming.resume();
      accept(true);
    },
    async control(request) {
      const name = String(request['service']);
      if (typeof request['run'] === 'boolean' && name in clusterServices) {
        clusterServices[name] = request['run'];
        if (!clusterServices['Scheduler']) await resign(pool, home).catch(() => undefined);
      }
      return clusterServices;
    },
  };
}

/** Why this TM may not process, in the words of the log; undefined when it may. */
async function refusalOf({ home, pool, log }: Context): Promise<string | undefined> {
  const licences = readLicences(home);
  if (licences.core !== 'Valid') return `The core licence is ${licences.core.toLowerCase()}: the Transaction Manager does not start.`;
  if (licences.features !== 'Valid' || licences.clusterNodes === null) return `The features licence is ${licences.features.toLowerCase()}: the Transaction Manager does not start.`;
  const foreign = await schemaComplaint(pool, home, log);
  if (foreign !== undefined) return `${foreign}: the Transaction Manager does not start.`;
  const node = await findNode(pool, home);
  if (!node) return 'This Server is not in the node table of the cluster: the Transaction Manager does not start.';
  await applyOverwrites(pool, home);
  const lonely = cacheComplaint(home, node.address);
  if (lonely !== undefined) return `${lonely}: this Server does not join the cluster.`;
  const place = await takePlace(pool, home, licences.clusterNodes);
  if (!place.taken) {
    return `The licence covers ${licences.clusterNodes} cluster nodes and ${place.others} Transaction Managers run: this one does not start.`;
  }
  return undefined;
}

/** The cluster cache takes the first free of six ports. */
async function listenForCache(host: string, first: number): Promise<{ server: Server; port: number }> {
  for (let port = first; port < first + 6; port += 1) {
    const server = createServer((socket) => { socket.on('error', () => undefined); socket.end(); });
    const listens = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(port, host, () => resolve(true));
    });
    if (listens) return { server, port };
  }
  throw new Error(`No free port from ${first} to ${first + 5} for the cluster cache`);
}

void runService(start);
