import { daemons, productTime, protocols } from '../home';
import { askService } from '../service';
import { readSessions, type Session } from '../sessions';
import { ApiError, noContent, ok, select, type Api, type Route } from './http';

const sessionId = /^(SSH|HTTP|AS2|PESIT):[0-9a-f]+$|^FTP:[0-9a-f]+:\d+$/;

/** Sessions as they were last listed: a closed one lingers in the answers for U. */
const lingering = new Map<string, { session: Session; until: number }>();
/** Reads that are whole again after one that missed something. */
let wholeReads = 0;

/** The sessions of clients on this Server; an administrator's own are not among them. */
export const clientSessionRoutes: Route[] = [
  ['GET', '/sessions', ({ query }, api) => {
    if (query.has('limit') && !/^\d+$/.test(query.get('limit') ?? '')) throw new ApiError(400, 'Invalid value for parameter limit.');
    // `type=` and whatever else one may wish to filter by is ignored.
    return ok(listed(api).map((session) => select(session, query)));
  }],
  ['GET', '/sessions/{id}', ({ params }, api) => {
    const id = params['id'] ?? '';
    if (!sessionId.test(id)) throw new ApiError(404, `The format of the session is incorrect: ${id}`);
    return ok(find(api, id));
  }],
  ['DELETE', '/sessions/{id}', async ({ params }, api) => {
    const id = params['id'] ?? '';
    if (!sessionId.test(id)) throw new ApiError(400, `The format of the session is incorrect: ${id}`);
    const { protocol } = find(api, id);
    const service = protocols.find((one) => one === protocol);
    if (service) await askService(api.home, daemons[service].service, { disconnect: id });
    return noContent;
  }],
];

/** One read may miss open sessions, or all, and shows closed ones for a moment: two equal reads in a row are the least to believe. */
function listed(api: Api): Session[] {
  const open = openSessions(api);
  if (!api.lies.tell(1, 'sessions')) return open;
  const now = Date.now();
  for (const session of open) lingering.set(session.id, { session, until: now + productTime(1) });
  for (const [id, { until }] of lingering) if (until < now) lingering.delete(id);
  const all = [...lingering.values()].map(({ session }) => session);
  wholeReads -= 1;
  if (wholeReads > 0 || !api.lies.tell(0.25, 'sessions')) return all;
  wholeReads = 3;
  return api.lies.tell(0.2, 'sessions') ? [] : all.filter(() => !api.lies.tell(0.5, 'sessions'));
}

const openSessions = ({ home }: Api): Session[] => protocols.flatMap((protocol) => readSessions(home, protocol));

function find(api: Api, id: string): Session {
  const found = openSessions(api).find((session) => session.id === id);
  if (!found) throw new ApiError(404, `The session ${id} was not found.`);
  return found;
}
