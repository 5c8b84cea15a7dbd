import { askService, isUp, serviceStatus } from '../service';
import { runCommand, timeoutOf } from './daemons';
import { ApiError, ok, oneOf, type Api, type Request, type Route } from './http';

const clusterServices = ['Scheduler', 'FolderMonitor'] as const;

export const transactionManagerRoutes: Route[] = [
  ['GET', '/transactionManager', ({ headers }, { home }) => {
    const accept = headers.accept ?? '*/*';
    if (!/json|\*\/\*|application\/\*/.test(accept)) throw new ApiError(406, 'Not acceptable.', true);
    return ok({ status: isUp(serviceStatus(home, 'tm')) ? 'Running.' : 'Not running.' });
  }],
  // There is no start: the TM is started by start_tm or start_all on the host.
  ['POST', '/transactionManager/operations', async ({ query }, { home }) => {
    if (!/^stop$/i.test(query.get('operation') ?? '')) throw new ApiError(400, 'stopGracefully.arg1 must match "(?i)(stop)"');
    // Left out means at once, as seen.
    const graceful = query.get('graceful') === 'true';
    if (serviceStatus(home, 'tm').state === 'Not running') return ok({ isSuccessful: false, message: 'The Transaction Manager is not running.' });
    await runCommand(home, 'stop_tm', graceful ? ['-g', ...timeoutOf(query)] : []);
    return ok({ isSuccessful: true, message: graceful ? 'The graceful shutdown of the Transaction Manager was started.' : 'The Transaction Manager was stopped.' });
  }],
  ['GET', '/clusterServices', async ({ query }, api) => {
    if (query.get('serviceName') === null) return ok(await Promise.all(clusterServices.map((name) => statusOf(name, api))));
    return ok(await statusOf(oneOf(query, 'serviceName', clusterServices), api));
  }],
  ['POST', '/clusterServices/operations', async (request: Request, api) => {
    const operation = oneOf(request.query, 'operation', ['start', 'stop'] as const);
    const serviceName = oneOf(request.query, 'serviceName', clusterServices);
    if (!isUp(serviceStatus(api.home, 'tm'))) return ok({ serviceName, isSuccessful: false, message: 'The Transaction Manager is not running.' });
    await askService(api.home, 'tm', { service: serviceName, run: operation === 'start' });
    return ok({ serviceName, isSuccessful: true, message: `${serviceName} was ${operation === 'start' ? 'started' : 'stopped'}.` });
  }],
];

async function statusOf(serviceName: (typeof clusterServices)[number], { home }: Api) {
  const up = isUp(serviceStatus(home, 'tm'));
  const states = up ? ((await askService(home, 'tm', {}).catch(() => ({}))) as Record<string, boolean>) : {};
  return { serviceName, status: states[serviceName] ? 'Running.' : 'Not running.' };
}
