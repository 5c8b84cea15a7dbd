/**
 * The Edges: trust, network zones, their own services, and the proof that a partner's way through them works (reference §14). An Edge that answers its
 * health check may have no Transaction Manager behind it, so nothing here believes an open port.
 */
import type { AdminServer, CallOptions } from '../clients/adminApi';
import { resolveSecret } from '../clients/secrets';
import { waitFor } from '../clients/waitFor';
import { unlessSilent } from '../model/errors';
import type { ConnectionFacts, EdgeFacts, WayFacts } from '../model/facts';
import type { CheckResult, Outcome } from '../model/operation';
import type { Protocol } from '../model/spec';
import type { Authority, HostTarget, ServerTarget } from '../model/targets';
import { abortSignal } from './context';
import type { Clients } from './clients';
import { edgesConnected, isServed, type EdgeAddress } from './edgeConnections';
import { ensureTrust } from './edgeTrust';
import { ensureInZone, ensureOutOfZones, portsOf, type ZoneEntry } from './edgeZones';
import { ensureEdgeInstalled } from './edgeInstallation';
import { ensureAlsoListed, ensureListed, type EdgeListInput, type LaterEdgeInput } from './edgeSynchronisation';
import type { Installer } from './installer';
import { tryLogin, type Probe } from './login';
import { runningOrUnknown } from './draining';
import { requireVersion } from './installedVersion';
import { productOn } from './product';
import { answering, awaitAnswers, startUntilOnline } from './serverLook';
import { awaitStops } from './stopMarkers';

export interface EdgeActivities {
  /** `connections`: also whether a Transaction Manager is connected to it. */
  checkEdge(input: { edge: ServerTarget; protocols: Protocol[]; connections?: boolean }): Promise<CheckResult<EdgeFacts>>;
  /** What the Servers know of Edges, asked of one of them; empty where it does not answer. */
  checkWays(input: { server: ServerTarget; protocols: Protocol[]; probe?: string }): Promise<CheckResult<WayFacts>>;
  checkConnections(input: { server: ServerTarget; edges: EdgeAddress[]; protocols: Protocol[] }): Promise<CheckResult<ConnectionFacts>>;
  /** With its embedded database; all but the first import the secret file of the first, as synchronised Edges must. */
  ensureInstalled(input: { edge: ServerTarget; installer: Installer; version: string; taehFrom?: HostTarget }, authority: Authority): Promise<Outcome>;
  /** The embedded database first: without it the Administration Tool answers nothing. */
  ensureAdminStarted(input: { edge: ServerTarget }, authority: Authority): Promise<Outcome>;
  /** Exchanges the CA certificates of the cluster and one Edge. */
  ensureTrust(input: { server: ServerTarget; edge: ServerTarget }, authority: Authority): Promise<Outcome>;
  /** Names the Edge in a network zone of the Servers, with the ports that it has itself. */
  ensureInZone(input: { server: ServerTarget; edge: ServerTarget; entry: ZoneEntry }, authority: Authority): Promise<Outcome>;
  /** Takes the Edge out of every network zone, asked of a Server: no Transaction Manager dials it any more. Its saved proxy passwords are gone with it. */
  ensureOutOfZones(input: { server: ServerTarget; edge: { node: string; address: string } }, authority: Authority): Promise<Outcome>;
  /** The list of all Edges that "Synchronize All" goes by, and the mark of the primary, the first of them. */
  ensureListed(input: EdgeListInput, authority: Authority): Promise<Outcome>;
  /** Edges that came later in that list, where there is one. */
  ensureAlsoListed(input: LaterEdgeInput, authority: Authority): Promise<Outcome>;
  /** `version`: started only when this one is installed. */
  ensureOnline(input: { edge: ServerTarget; protocols: Protocol[]; version?: string }, authority: Authority): Promise<Outcome>;
  /** Waits until this Server's Transaction Manager is connected to every Edge, on every protocol. */
  ensureConnected(input: { server: ServerTarget; edges: EdgeAddress[]; protocols: Protocol[] }, authority: Authority): Promise<Outcome>;
  ensureProbeAccount(input: { server: ServerTarget; probe: Probe }, authority: Authority): Promise<Outcome>;
  /** Logs in through the Edge as a partner does, once. */
  ensureLogin(input: { edge: ServerTarget; probe: Probe }, authority: Authority): Promise<Outcome>;
}

const connectMs = 2 * 60_000;
const lookMs = 5_000;

export function edgeActivities({ clients }: { clients: Clients }): EdgeActivities {
  const admin = (server: ServerTarget): AdminServer => clients.admin.server(server.admin);
  const limits = (): CallOptions => ({ signal: abortSignal(), timeoutMs: lookMs });
  const run = (edge: ServerTarget, command: string, authority: Authority): Promise<unknown> => {
    const product = productOn(clients, edge);
    return product.act(authority, [product.path('bin', command)], { purpose: command });
  };

  return {
    async checkEdge({ edge, protocols, connections }) {
      const seen = await answer(async () => {
        const [{ raw }, daemons, { ca, trusted }, zones] = await Promise.all([
          admin(edge).version(limits()), admin(edge).daemons(limits()), trustOf(admin(edge), limits()), admin(edge).zones(limits()),
        ]);
        return { kind: raw['serverType'], daemons: protocols.every((protocol) => daemons[protocol] === true), ca, trusted, ports: portsOf(zones, protocols) };
      });
      if (!seen) return { facts: { node: edge.node, admin: false, daemons: false, ca: null, trusted: [], ports: {} }, problems: [] };
      const { kind, ...facts } = seen;
      const server = kind === 'Server';
      return {
        facts: { node: edge.node, admin: true, ...facts, ...(connections ? { served: (await answer(() => isServed(clients, edge, protocols, limits()))) ?? null } : {}) },
        problems: server ? [{ what: `${edge.node}: a Server is installed there, expected an Edge`, remedy: 'list it under servers, or take it out of the cluster file' }] : [],
      };
    },
    async checkWays({ server, protocols, probe }) {
      const seen = await answer(async (): Promise<WayFacts> => {
        const [trust, zones, known] = await Promise.all([
          trustOf(admin(server), limits()), admin(server).zones(limits()), probe === undefined ? null : admin(server).hasAccount(probe, limits()),
        ]);
        const entries = zones.filter(({ name }) => name !== 'Private').flatMap(({ name, edges = [] }) => edges.map((edge) => ({
          zone: name, title: edge.title, addresses: edge.addresses ?? [], deploymentSite: edge.deploymentSite ?? 'Prod',
          ports: Object.fromEntries((edge.protocols ?? []).filter(({ protocol }) => protocols.some((one) => one === protocol)).map(({ protocol, port }) => [protocol, port])),
        })));
        return { ...trust, zones: entries, probe: known };
      });
      return { facts: seen ?? { ca: null, trusted: [], zones: [], probe: null }, problems: [] };
    },
    async checkConnections({ server, edges, protocols }) {
      const connected = await answer(() => edgesConnected(clients, server, { edges, protocols, limits: limits() }));
      return { facts: { node: server.node, connected: connected ?? [] }, problems: [] };
    },
    ensureInstalled: (input, authority) => ensureEdgeInstalled(clients, input, authority),
    async ensureAdminStarted({ edge }, authority) {
      await productOn(clients, edge).claim(authority);
      if (await answering(admin(edge))) return { changed: false, note: 'the Administration Tool runs already' };
      const began = Date.now();
      await run(edge, 'start_db', authority);
      await run(edge, 'start_admin', authority);
      await awaitAnswers(admin(edge), edge.node);
      return { changed: true, note: `answers after ${seconds(began)}` };
    },
    async ensureTrust({ server, edge }, authority) {
      await Promise.all([server, edge].map((host) => productOn(clients, host).claim(authority)));
      return ensureTrust({ server: admin(server), edge: admin(edge) }, { cluster: authority.cluster, edge: edge.node }, { signal: abortSignal() });
    },
    async ensureInZone({ server, edge, entry }, authority) {
      await productOn(clients, server).claim(authority);
      return ensureInZone({ server: admin(server), edge: admin(edge) }, { title: edge.node, address: edge.address, ...entry }, { signal: abortSignal() });
    },
    async ensureOutOfZones({ server, edge }, authority) {
      await productOn(clients, server).claim(authority);
      return ensureOutOfZones(admin(server), { title: edge.node, address: edge.address }, { signal: abortSignal() });
    },
    ensureListed: (input, authority) => ensureListed(clients, input, authority),
    ensureAlsoListed: (input, authority) => ensureAlsoListed(clients, input, authority),
    async ensureOnline({ edge, protocols, version }, authority) {
      await awaitStops(clients, edge, authority, runningOrUnknown(clients, edge));
      const look = async (): Promise<boolean> => {
        const daemons = await answer(() => admin(edge).daemons(limits()));
        return daemons !== undefined && protocols.every((protocol) => daemons[protocol] === true);
      };
      // A kept connection that the Edge closed meanwhile looks like an Edge that is down.
      if (await look() || await look()) return { changed: false, note: 'runs already' };
      if (version !== undefined) await requireVersion(clients, edge, version);
      const began = Date.now();
      await startUntilOnline({ what: `${edge.node} runs`, admin: admin(edge), order: () => run(edge, 'start_all', authority), missing: async () => ((await look()) ? undefined : 'not all its protocol servers run') });
      return { changed: true, note: `runs after ${seconds(began)}` };
    },
    async ensureConnected({ server, edges, protocols }, authority) {
      await productOn(clients, server).claim(authority);
      const began = Date.now();
      const names = edges.map(({ node }) => node);
      const lacking = async (): Promise<string[]> => {
        const connected = await edgesConnected(clients, server, { edges, protocols, limits: limits() });
        return names.filter((name) => !connected.includes(name));
      };
      const missing = await answer(lacking) ?? names;
      if (missing.length === 0) return { changed: false, note: `connected to ${names.join(', ')}` };
      await waitFor(`${server.node}: its Transaction Manager is connected to every Edge (if it stays away: is its port open from there, and was the Transaction Manager restarted since the zone changed?)`, lacking,
        (left) => left.length === 0, { timeoutMs: connectMs, signal: abortSignal(), show: (left) => `no connection to ${String(left)}` });
      return { changed: true, note: `connected to ${names.join(', ')} after ${seconds(began)}` };
    },
    async ensureProbeAccount({ server, probe }, authority) {
      await productOn(clients, server).claim(authority);
      if (await admin(server).hasAccount(probe.account, { signal: abortSignal() })) return { changed: false, note: `${probe.account} is there already` };
      const password = await resolveSecret(probe.password);
      await admin(server).createAccount({ name: probe.account, password: password.reveal() }, { signal: abortSignal() });
      return { changed: true, note: `made ${probe.account}` };
    },
    ensureLogin: async ({ edge, probe }) => ({ changed: false, note: await tryLogin(clients, edge, probe) }),
  };
}

/** Undefined where nothing answers; a login that is refused is an error. */
const answer = <T>(read: () => Promise<T>): Promise<T | undefined> => unlessSilent(read(), undefined);

async function trustOf(server: AdminServer, options: CallOptions): Promise<{ ca: string | null; trusted: string[] }> {
  const found = await server.certificates(options);
  return {
    ca: found.find(({ usage }) => usage === 'local')?.fingerprint ?? null,
    trusted: found.filter(({ usage }) => usage === 'trusted').map(({ fingerprint }) => fingerprint).sort(),
  };
}

const seconds = (began: number): string => `${((Date.now() - began) / 1000).toFixed(1)} s`;
