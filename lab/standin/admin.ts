import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { awaitDatabase } from './database';
import { placeOf, productTime, takeProductTime } from './home';
import { liarOf, makeLies } from './lies';
import { logToServer } from './log';
import { misbehaves } from './misbehaviour';
import { answer, makeRoutes } from './api/answer';
import { applyOverwrites, findNode, logLostNodes, startHeart } from './node';
import { schemaComplaint } from './membership';
import { runService, type Context, type Running } from './service';
import type { Api } from './api/http';
import { makeAdminSessions } from './api/sessions';

/** The Administration Tool: the Admin REST API over TLS, and this Server's heartbeat in the node table. */
async function start(context: Context): Promise<Running> {
  const { home, pool, log } = context;
  const began = Date.now();
  await awaitDatabase(pool, context.stopping, (why) => log('WARN', why));
  const complaint = await complaintOf(context);
  const operational = complaint === undefined;
  if (operational) await applyOverwrites(pool, home);
  else log('WARN', `${complaint}: the Administration Tool is not operational.`);
  await takeProductTime(Math.max(0, 1 - (Date.now() - began) / (productTime(1) || 1)));

  const lies = makeLies(liarOf(home, 'admin'));
  let deafUntil = 0;
  let disturbed = false;
  const api: Api = { home, pool, log, lies, startedAt: Date.now(), disturb: () => { disturbed = true; } };
  const sessions = makeAdminSessions();
  const routes = makeRoutes(sessions);
  const tls = { key: readFileSync(home.settings['standin.tlsKey'] ?? ''), cert: readFileSync(home.settings['standin.tlsCert'] ?? '') };
  const server = createServer(tls, (request, response) => {
    if (Date.now() < deafUntil) {
      // Accepted, and never answered.
      setTimeout(() => request.socket.destroy(), deafUntil - Date.now());
      return;
    }
    if (misbehaves(home, request, response)) return;
    response.on('finish', () => { if (disturbed) { disturbed = false; becomeUnreachable(); } });
    void answer(request, response, { api, sessions, routes, operational });
  });
  server.on('tlsClientError', () => undefined);
  const listen = () => new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(Number(home.settings['sslAdminPort']), home.bindAddress, () => { server.off('error', reject); resolve(); });
  });

  /** While daemons restart the API can refuse connections, or accept and not answer. */
  function becomeUnreachable(): void {
    if (!lies.tell(0.5, 'unreachable')) return;
    if (lies.tell(0.5, 'unreachable')) {
      deafUntil = Date.now() + productTime(1);
      return;
    }
    server.close();
    server.closeAllConnections();
    setTimeout(() => { if (!context.stopping()) void listen(); }, productTime(1));
  }

  await listen();
  const heart = operational ? startHeart(pool, home, 'admin', () => logLostNodes(pool)) : undefined;
  await heart?.running();
  if (operational) await logToServer(pool, home, 'ADMIN', 'INFO', 'The Administration Tool was started.');
  return {
    async stop() {
      server.close();
      server.closeAllConnections();
      await heart?.stop();
    },
  };
}

/** Why the Administration Tool is not operational; undefined when it is. Decided at the start, so an added Server restarts its admin service. */
async function complaintOf({ pool, home, log }: Context): Promise<string | undefined> {
  const foreign = await schemaComplaint(pool, home, log);
  if (foreign !== undefined) return foreign;
  if (await findNode(pool, home)) return undefined;
  // The first Server works alone as long as the table is empty.
  const { rows } = await pool.query('select (select count(*) from clusternode) = 0 as empty, setupby from schemaversion');
  if (rows[0].empty && (rows[0].setupby === null || rows[0].setupby === placeOf(home.dir))) return undefined;
  return 'This Server is not in the node table of the cluster';
}

void runService(start);
