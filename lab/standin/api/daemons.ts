import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { daemons, portOf, productTime, protocols, type Home, type Protocol } from '../home';
import { askService, isUp, serviceStatus } from '../service';
import { ApiError, linkTo, ok, oneOf, page, select, type Api, type Request, type Route } from './http';

interface Outcome {
  isSuccessful: boolean;
  message: string;
}

/** When each daemon was last started or stopped by anyone through this API; the product's half-truths cluster around these moments. */
const lastChange = new Map<Protocol, number>();

export const daemonRoutes: Route[] = [
  ['GET', '/daemons', (_request, { home }) => ok(Object.fromEntries(protocols.map((protocol) => [`${protocol}Status`, wordOf(home, protocol)])))],
  ['GET', '/daemons/{name}', ({ params }, { home }) => {
    if (params['name'] !== 'ssh') throw new ApiError(400, 'Invalid value for parameter name, expected (ssh)');
    return ok({ sshStatus: wordOf(home, 'ssh') });
  }],
  ['POST', '/daemons/operations', async (request, api) => {
    const operation = oneOf(request.query, 'operation', ['start', 'stop'] as const);
    const named = request.query.getAll('daemon').flatMap((value) => value.split(','));
    const chosen = protocols.filter((protocol) => named.includes(protocol));
    if (chosen.length === 0) throw new ApiError(400, `daemon: must be one of ${protocols.join(', ')}`);
    const daemonOperationResults = [];
    for (const daemon of chosen) daemonOperationResults.push({ daemon, ...(await operate(daemon, operation, request, api)) });
    return ok({ daemonOperationResults });
  }],
  ['GET', '/servers', async ({ query }, { home }) => {
    const asked = query.get('protocol')?.toLowerCase();
    const chosen = protocols.filter((protocol) => !asked || protocol === asked);
    const list = await Promise.all(chosen.map(async (protocol) => select(await listenerOf(home, protocol), query, ['protocol'])));
    return page(list, new URLSearchParams([...query].filter(([key]) => key !== 'fields')));
  }],
  ['GET', '/servers/{name}', async ({ params, query }, { home }) => {
    const protocol = protocols.find((one) => daemons[one].listener === params['name']);
    if (!protocol) throw new ApiError(404, `The server ${params['name']} was not found.`);
    return ok(select(await listenerOf(home, protocol), query, ['protocol']));
  }],
  ['POST', '/servers/operations', async ({ query }, api) => {
    const operation = oneOf(query, 'operation', ['start', 'stop'] as const);
    const serverName = query.get('serverName') ?? '';
    const protocol = protocols.find((one) => daemons[one].listener === serverName);
    if (!protocol) throw new ApiError(404, `The server ${serverName} was not found.`);
    return ok({ serverOperationResults: [{ serverName, ...(await operateListener(protocol, operation, api)) }] });
  }],
];

async function operate(daemon: Protocol, operation: 'start' | 'stop', request: Request, api: Api): Promise<Outcome> {
  const { service } = daemons[daemon];
  const now = Date.now();
  const window = productTime(2);
  if (!existsSync(join(api.home.dir, 'bin', `start_${service}`))) return { isSuccessful: false, message: `Can not ${operation} ${daemon.toUpperCase()} daemon - the default server ${daemons[daemon].listener} is not enabled.` };
  if (operation === 'start') {
    const unsettled = now - api.startedAt < window || now - (lastChange.get(daemon) ?? 0) < window;
    if (unsettled && serviceStatus(api.home, service).state === 'Not running' && api.lies.tell(0.5, 'daemonStart')) {
      return { isSuccessful: false, message: `The ${daemon} daemon was not started: port is in use.` };
    }
    lastChange.set(daemon, now);
    await runCommand(api.home, `start_${service}`, []);
    api.disturb();
    return { isSuccessful: true, message: `The ${daemon} daemon was started.` };
  }
  lastChange.set(daemon, now);
  const graceful = request.query.get('graceful') === 'true';
  await runCommand(api.home, `stop_${service}`, graceful ? ['-g', ...timeoutOf(request.query)] : []);
  api.disturb();
  return { isSuccessful: true, message: graceful ? `The graceful shutdown of the ${daemon} daemon was started.` : `The ${daemon} daemon was stopped.` };
}

async function operateListener(protocol: Protocol, operation: 'start' | 'stop', { home, lies }: Api): Promise<Outcome> {
  const { service, listener } = daemons[protocol];
  if (serviceStatus(home, service).state === 'Not running') return { isSuccessful: false, message: 'The daemon is not started.' };
  if (operation === 'start' && Date.now() - (lastChange.get(protocol) ?? 0) < productTime(2) && lies.tell(0.5, 'listenerStart')) {
    return { isSuccessful: false, message: lies.tell(0.5, 'listenerStart') ? 'The daemon is not started.' : 'The port is in use.' };
  }
  await askService(home, service, { listener: operation === 'start' }).catch(() => undefined);
  return { isSuccessful: true, message: `The server ${listener} was ${operation === 'start' ? 'started' : 'stopped'}.` };
}

/** A stopped daemon has no active listener. */
async function listenerOf(home: Home, protocol: Protocol) {
  const { service, listener } = daemons[protocol];
  const up = isUp(serviceStatus(home, service));
  const answer = up ? ((await askService(home, service, {}).catch(() => undefined)) as { active?: boolean; port?: number } | undefined) : undefined;
  return { serverName: listener, protocol, isActive: answer?.active === true, port: answer?.port ?? portOf(home, protocol), metadata: { links: { self: linkTo('/servers', listener) } } };
}

const wordOf = (home: Home, protocol: Protocol) => (isUp(serviceStatus(home, daemons[protocol].service)) ? 'Running' : 'Not running');

/** `-timeout SECONDS` of a graceful stop; nothing when the caller left it out. */
export function timeoutOf(query: URLSearchParams): string[] {
  const timeout = query.get('timeout');
  if (timeout === null) return [];
  if (!/^\d+$/.test(timeout)) throw new ApiError(400, 'Invalid value for parameter timeout.');
  return ['-timeout', timeout];
}

/** Runs a command of `bin/`; resolves when it ended, whatever it said: the state tells. */
export function runCommand(home: Home, name: string, args: string[]): Promise<void> {
  return new Promise((resolve) => {
    const child = spawn(join(home.dir, 'bin', name), args, { stdio: 'ignore' });
    child.on('error', () => resolve());
    child.on('exit', () => resolve());
  });
}
