/** Looking at a cluster that exists. Nothing here changes anything, and no secret leaves: files are told by their hashes, secret options not at all. */
import { readFile } from 'node:fs/promises';
import { haproxyOverSsh } from '../clients/haproxy';
import { readOwners } from '../clients/owners';
import { script } from '../clients/quote';
import { StError, unlessSilent } from '../model/errors';
import type { Claim, FoundBalancer, FoundCluster, FoundDatabase, FoundDifferences, FoundServer } from '../model/estate';
import { addressProblem } from '../model/fields';
import type { CheckResult, Problem } from '../model/operation';
import type { LicenceFiles, Protocol } from '../model/spec';
import type { BalancerTarget, DatabaseTarget, ServerTarget } from '../model/targets';
import { abortSignal } from './context';
import type { Clients } from './clients';
import { compareMaps, filesOf, optionsOf } from './comparing';
import { compareEdge } from './edgeSynchronisation';
import { readLines, serverScript } from './discoveryScripts';
import { readInstallationState } from './installationState';
import { ownThings } from './loadBalancer';
import { sha256 } from './product';

export interface DiscoveryActivities {
  /** What one Server says of its cluster. */
  readCluster(input: { server: ServerTarget }): Promise<CheckResult<FoundCluster | null>>;
  /** One Server's host and what its Administration Tool says; a tool that does not answer is told, a host that does not fails. */
  readServer(input: { server: ServerTarget; package: string; sharedPath: string }): Promise<CheckResult<FoundServer>>;
  /** Options and files of one Server beside those of the first. */
  compareServer(input: { server: ServerTarget; first: ServerTarget }): Promise<CheckResult<FoundDifferences>>;
  /** The same of an Edge beside the primary: what *Synchronize All* would carry over. */
  compareEdge(input: { edge: ServerTarget; first: ServerTarget; protocols: Protocol[] }): Promise<CheckResult<FoundDifferences>>;
  readDatabase(input: { database: DatabaseTarget }): Promise<CheckResult<FoundDatabase>>;
  readBalancer(input: { balancer: BalancerTarget; addresses: string[] }): Promise<CheckResult<FoundBalancer>>;
  /** Hashes of the licence files on the worker's host. */
  readLicences(input: { licences: LicenceFiles }): Promise<CheckResult<{ core: string | null; features: string | null }>>;
}

const clockLimitMs = 1_000;
/** Differences that one Server may tell; more of them say no more. */
const mostItems = 50;

export function discoveryActivities({ clients }: { clients: Clients }): DiscoveryActivities {
  const admin = (server: ServerTarget) => clients.admin.server(server.admin);
  const limits = () => ({ timeoutMs: 10_000, signal: abortSignal() });

  return {
    async readCluster({ server }) {
      const signal = { signal: abortSignal() };
      const cluster = await admin(server).clusterManagement(signal);
      if (!cluster.isCluster) return { facts: null, problems: [{ what: `${server.address} is a standalone Server, no Enterprise Cluster`, remedy: 'name a Server of the cluster' }] };
      const [version, database, zones, threshold] = await Promise.all([
        admin(server).version(signal), admin(server).database(signal), admin(server).zones(signal), admin(server).nodeThreshold(signal).catch(noneSet),
      ]);
      const problems: Problem[] = [];
      if (!/postgres/i.test(database.databaseType)) problems.push({ what: `the cluster's database is ${database.databaseType || 'unknown'}`, remedy: 'only PostgreSQL can be run yet' });
      const nodes = (cluster.clusterNodes ?? []).map((node) => ({ address: node.serverAddress, deploymentSite: textOf(node['deploymentSite']) }));
      const facts: FoundCluster = {
        version: version.version, nodes, threshold: threshold?.numberOfNodes ?? null,
        database: { host: database.host, port: Number(database.port), name: database.databaseName, user: database.username, secure: database.useSecureConnection === true },
        zones: zones.map(({ name, edges = [] }) => ({ name, edges: edges.map((edge) => ({ title: edge.title, address: addressOf(edge), deploymentSite: textOf(edge['deploymentSite']) ?? 'Prod' })) })),
      };
      return { facts, problems };
    },
    async readServer({ server, package: installer, sharedPath }) {
      const before = Date.now();
      const { stdout } = await clients.ssh.run(server.ssh, script(serverScript, [server.productUser, server.fileDriveHome, installer, sharedPath]), { timeoutMs: 20_000, signal: abortSignal(), purpose: `looking at ${server.address}` });
      const told = readLines(stdout);
      const value = (key: string): string | null => told.get(key) || null;
      const problems: Problem[] = [];
      const add = (what: string, remedy: string): void => void problems.push({ what: `${server.address}: ${what}`, remedy });
      if (value('os') !== 'Linux') add(`the operating system is ${value('os') ?? 'unknown'}, expected Linux`, 'run this cluster by the vendor\'s own procedure');
      const refused = told.get('sudo') ?? 'everything (no answer)';
      if (refused !== '') add(`sudo refuses ${server.ssh.user} to run as ${server.productUser}: ${refused}`, 'allow the commands of docs/sudoers.example');
      const { state, why } = readInstallationState(told.get('installation') ?? '');
      if (state === 'none' || state === 'unknown') add(state === 'none' ? `nothing is installed in ${server.fileDriveHome}` : `what stands in ${server.fileDriveHome} can't be known: ${why}`, 'correct product.fileDriveHome and product.user');
      const remote = Number(told.get('time'));
      const facts: FoundServer = {
        address: server.address, hostName: value('hostname') ?? '', timeZone: value('zone') ?? 'unknown',
        clockOff: remote < before - clockLimitMs || remote > Date.now() + clockLimitMs,
        identity: value('identity'),
        installation: state, version: value('version'), taeh: value('taeh'), licences: { core: value('core'), features: value('features') },
        localConfigurationsId: value('id'), claim: claimOf(value('claim')), ...(await askTool(admin(server))),
      };
      return { facts, problems };
    },
    async compareServer({ server, first }) {
      const [here, there] = await Promise.all([server, first].map(async (one) => ({ options: await optionsOf(admin(one)), files: await filesOf(clients, one) })));
      const items: FoundDifferences['items'] = [];
      if (here!.options && there!.options) items.push(...compareMaps('option', here!.options, there!.options));
      items.push(...compareMaps('file', here!.files, there!.files));
      return { facts: { address: server.address, items: items.slice(0, mostItems), left: Math.max(0, items.length - mostItems) }, problems: [] };
    },
    compareEdge: async (input) => ({ facts: await compareEdge(clients, input), problems: [] }),
    async readDatabase({ database }) {
      const { productTables } = await clients.postgres.readFacts(database, [], { signal: abortSignal() });
      const { stateDatabase } = database;
      const nothing = { there: false, epoch: null };
      const state = stateDatabase === undefined ? nothing : await clients.postgres.readEpoch(database, stateDatabase, { signal: abortSignal() }).then((epoch) => ({ there: true, epoch }), (error: unknown) => {
        // PostgreSQL's 3D000: there is no such database.
        if (error instanceof StError && error.code === 'Refused') return nothing;
        throw error;
      });
      return { facts: { schema: productTables > 0, state }, problems: [] };
    },
    async readBalancer({ balancer, addresses }) {
      const haproxy = haproxyOverSsh(clients.ssh, balancer.ssh, balancer.socket);
      const paths = await haproxy.showMaps(limits());
      const [entries, servers, owners, epoch] = await Promise.all([
        Promise.all(paths.map((path) => haproxy.showMap(path, limits()))), haproxy.showServersState(undefined, limits()),
        readOwners(clients.ssh, balancer.ssh, ownThings(balancer), { ...limits(), purpose: `${balancer.name}: reading who owns what` }),
        clients.ssh.run(balancer.ssh, script('cat "$HOME/.st-orchestrator/clusters/$1/epoch" 2>/dev/null || :', [balancer.cluster]), { ...limits(), purpose: `${balancer.name}: reading the epoch` }),
      ]);
      const backends: FoundBalancer['backends'] = {};
      for (const name of new Set(servers.map(({ backend }) => backend))) {
        const own = servers.filter(({ backend }) => backend === name);
        if (own.every(({ address }) => addresses.includes(address))) backends[name] = Object.fromEntries(own.map(({ address, server }) => [address, server]));
      }
      const facts = { name: balancer.name, maps: Object.fromEntries(paths.map((path, index) => [path, entries[index]!])), backends, owners: Object.fromEntries(owners), epoch: claimOf(epoch.stdout.trim())?.epoch ?? null };
      return { facts, problems: [] };
    },
    async readLicences({ licences }) {
      const [core, features] = await Promise.all([licences.core, licences.features].map((path) => readFile(path).then(sha256, () => null)));
      return { facts: { core: core ?? null, features: features ?? null }, problems: [] };
    },
  };
}

type Tool = Pick<FoundServer, 'admin' | 'build' | 'tm' | 'daemons' | 'running' | 'members'>;
const silent: Tool = { admin: 'not running', build: null, tm: false, daemons: false, running: [], members: null };

async function askTool(tool: ReturnType<Clients['admin']['server']>): Promise<Tool> {
  const options = { signal: abortSignal(), timeoutMs: 10_000 };
  const told = await unlessSilent(Promise.all([tool.version(options), tool.transactionManager(options), tool.daemons(options), tool.clusterNodes(options)]), undefined);
  if (!told) return silent;
  const [version, tm, daemons, nodes] = told;
  const running = Object.entries(daemons).filter(([, runs]) => runs).map(([name]) => name).sort();
  return { admin: 'running', build: version.build ?? null, tm: tm.running, daemons: running.length > 0, running, members: nodes.map(({ serverAddress }) => serverAddress) };
}

function claimOf(text: string | null): Claim | null {
  const [, cluster, epoch] = /^(\S+) (\d+)$/.exec(text ?? '') ?? [];
  return cluster === undefined ? null : { cluster, epoch: Number(epoch) };
}

/** An Edge of a zone has one or more addresses, as texts or as records of one; the first that is one counts. */
function addressOf(edge: Record<string, unknown>): string | null {
  const listed = [edge['addresses'], edge['address'], edge['ipAddress']].flat();
  const texts = listed.map((one) => (typeof one === 'object' && one !== null ? Object.values(one).find((value) => typeof value === 'string') : one));
  return texts.find((one): one is string => typeof one === 'string' && addressProblem(one) === undefined) ?? null;
}

const textOf = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null);

/** A cluster without a threshold may refuse to tell it. */
function noneSet(error: unknown): null {
  if (error instanceof StError && error.code === 'Refused') return null;
  throw error;
}
