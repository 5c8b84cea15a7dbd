/**
 * What a set-up has still to do (reference §3), computed from what the checks found. Pure: the same state gives the same plan, a complete cluster
 * that is Online gives an empty one, and a plan that was cut off anywhere is completed by the next.
 *
 * Invariants, each held by a test that walks every interrupted prefix:
 * - services of a member of the cluster are never stopped (of a cluster that never worked, and where nobody can say who is a member, they may be);
 * - the first Server is installed, licensed and its Administration Tool started before another is installed;
 * - no Server is restarted before it is added, and none is added while its own services or Administration Tool run (the first keeps its tool);
 * - never more Transaction Managers than the licence has nodes; the first to start is alone; a wave is never larger than its bound.
 */
import type { Problem } from './operation';

/** One Server of the spec as the checks found it. */
export interface ServerState {
  node: string;
  address: string;
  installed: boolean;
  /** Files of an installation stand there that did not complete, or whose log was damaged. */
  half: boolean;
  /** `bin/taeh` is there, if only in a half-finished installation. */
  secretFile: boolean;
  /** Both licence files are those to be installed. */
  licensed: boolean;
  admin: 'running' | 'not operational' | 'not running';
  /** False also where the Administration Tool could not be asked. */
  tm: boolean;
  daemons: boolean;
  /** Addresses in the table of nodes as this Server sees it; null where it could not be asked. */
  members: string[] | null;
}

export interface SetUpState {
  /** In the order of the spec: the first is Server 1. */
  servers: ServerState[];
  /** The product's schema is in the database. */
  schema: boolean;
  licensedNodes: number;
  /** The record says that a set-up of this cluster has completed before. */
  complete: boolean;
  /** A set-up of ours began on these hosts: what it left behind serves nobody yet. */
  begun: boolean;
}

/** Names of nodes for each step, in the order in which the steps are done. Empty: nothing to do in this step. */
export interface SetUpPlan {
  /** The Server through which the others are added. */
  first: string;
  installFirst: string[];
  licenseFirst: string[];
  startFirstAdmin: string[];
  /** On the existing schema, with the secret file of the first. */
  installOthers: string[];
  stopAdmin: string[];
  stopServices: string[];
  /** One after the other, in this order. */
  addToCluster: string[];
  /** Those that put themselves into the table of nodes when they are installed: seen there, never added. */
  registered: string[];
  startAdmin: string[];
  licenseOthers: string[];
  /** The first half of the restart. */
  stopAll: string[];
  /** Waves, one after the other; the nodes of a wave at once. */
  restart: string[][];
}

/** How many Servers restart at once, once one is Online. */
export const waveSize = 10;

/** What keeps a set-up from being planned at all; empty when `planSetUp` may be used. */
export function setUpProblems(state: SetUpState): Problem[] {
  const { servers, schema, licensedNodes, complete, begun } = state;
  const problems: Problem[] = [];
  const installed = servers.filter((server) => server.installed);
  const first = servers[0];
  if (!first) return [];
  if (licensedNodes < servers.length) {
    problems.push({ what: `the features licence covers ${licensedNodes} cluster nodes, ${servers.length} Servers are listed`, remedy: 'get a licence for more nodes, or list fewer Servers' });
  }
  if (!schema && installed.length > 0) {
    problems.push({ what: `${names(installed)}: SecureTransport is installed, but the database holds no schema of it`, remedy: 'is it the right database? Point the spec at the one that was used, or take the installation away' });
  }
  if (schema && installed.length === 0 && !first.secretFile) {
    problems.push({ what: `the database is not empty, and no Server has the secret file (bin/taeh) that belongs to a schema of SecureTransport`, remedy: `name an empty database; or, when the schema is this cluster's, restore FILEDRIVEHOME/bin/taeh on ${first.node} from a backup` });
  }
  const table = new Set(servers.flatMap(({ members }) => members ?? []));
  for (const { node, address, half, admin, tm } of servers) {
    if (!half || (admin === 'not running' && !tm && !table.has(address))) continue;
    problems.push({
      what: `${node}: FILEDRIVEHOME/install.log does not end in "Installation completed.", but ${table.has(address) ? 'the cluster has this Server in its table of nodes' : 'its Administration Tool answers'}: it may serve somebody`,
      remedy: 'if it serves, restore that file; if it does not, stop its services and move FILEDRIVEHOME away on that host',
    });
  }
  const asked = installed.filter(({ members }) => members !== null);
  if (installed.length > 0 && asked.length === 0 && (complete || !begun)) {
    problems.push({
      what: `SecureTransport is installed on ${names(installed)}, but no Administration Tool answers: whether this cluster serves somebody can't be known`,
      remedy: `start it on one Server (bin/start_admin on ${installed[0]!.node}), or open its port to the orchestrator`,
    });
  }
  const [one, ...rest] = asked;
  for (const other of rest) {
    if (sorted(other.members!) !== sorted(one!.members!)) problems.push({ what: `${other.node} and ${one!.node} see different tables of nodes: they are not in one cluster`, remedy: `take ${other.node} out of its cluster, or out of the spec` });
  }
  const addresses = new Set(servers.map(({ address }) => address));
  const foreign = [...new Set(asked.flatMap(({ members }) => members!))].filter((address) => !addresses.has(address));
  if (foreign.length > 0) problems.push({ what: `the cluster has nodes that the spec does not list: ${foreign.join(', ')}`, remedy: 'add them to the spec, or remove them from the cluster' });
  return problems;
}

/**
 * The plan for a state without problems. With `autoRegister` a Server enters the table of nodes by its installation, and the steps that add it
 * (reference §3, 5 to 8) are not for it.
 */
export function planSetUp(state: SetUpState, { largestWave = waveSize, autoRegister = false } = {}): SetUpPlan {
  const { servers } = state;
  const members = new Set(servers.flatMap((server) => (server.installed ? (server.members ?? []) : [])));
  const isMember = ({ address }: ServerState) => members.has(address);
  const first = firstServer(servers);
  const others = servers.filter((server) => server !== first);
  const joining = servers.filter((server) => !isMember(server));
  const registers = ({ installed }: ServerState) => autoRegister && !installed;
  const stale = (server: ServerState) => !registers(server) && (!server.installed || !isMember(server) || server.admin === 'not operational');
  const inOrder = (wanted: (server: ServerState) => boolean) => nodes([first, ...others].filter((server) => joining.includes(server) && wanted(server)));
  return {
    first: first.node,
    installFirst: nodes([first].filter(({ installed }) => !installed)),
    licenseFirst: nodes([first].filter(({ licensed }) => !licensed)),
    startFirstAdmin: nodes([first].filter(({ admin }) => admin !== 'running')),
    installOthers: nodes(others.filter(({ installed }) => !installed)),
    // Also where it seems not to run: one that is not operational yet may look so from outside.
    stopAdmin: nodes(others.filter(stale)),
    stopServices: nodes(joining.filter((server) => !registers(server))),
    addToCluster: inOrder((server) => !registers(server)),
    registered: inOrder(registers),
    startAdmin: nodes(others.filter((server) => stale(server) || (!registers(server) && server.admin === 'not running'))),
    licenseOthers: nodes(others.filter(({ licensed }) => !licensed)),
    stopAll: nodes(joining),
    restart: waves(state, isMember, first, largestWave),
  };
}

/** True when there is nothing to do. */
export function isEmptyPlan({ first: _, ...steps }: SetUpPlan): boolean {
  return Object.values(steps).every((step) => step.length === 0);
}

/** The Server whose Administration Tool can add nodes: one that answers before one that does not, Server 1 before others. */
function firstServer(servers: ServerState[]): ServerState {
  const installed = servers.filter((server) => server.installed);
  return installed.find(({ admin }) => admin === 'running') ?? installed[0] ?? servers[0]!;
}

function waves(state: SetUpState, isMember: (server: ServerState) => boolean, first: ServerState, largest: number): string[][] {
  const working = (server: ServerState) => server.installed && isMember(server) && server.tm;
  const online = (server: ServerState) => working(server) && server.admin === 'running' && server.daemons;
  const running = state.servers.filter(working);
  const waiting = [first, ...state.servers.filter((server) => server !== first)].filter((server) => !online(server));
  let free = Math.max(0, state.licensedNodes - running.length);
  const allowed = waiting.filter((server) => working(server) || free-- > 0);
  const alone = running.length === 0 ? allowed.slice(0, 1) : [];
  const rest = allowed.slice(alone.length);
  const size = Math.max(1, largest);
  const chunks = Array.from({ length: Math.ceil(rest.length / size) }, (_, i) => rest.slice(i * size, (i + 1) * size));
  return [alone, ...chunks].filter((wave) => wave.length > 0).map(nodes);
}

const nodes = (servers: ServerState[]): string[] => servers.map(({ node }) => node);
const names = (servers: ServerState[]): string => nodes(servers).join(', ');
const sorted = (texts: string[]): string => [...texts].sort().join(' ');
