/**
 * Sets a cluster up, in the vendor's order (reference §3). It has no undo: run again, it does only what is missing, and it never drops a schema.
 */
import { patched } from '@temporalio/workflow';
import { leftByHand } from '../model/initialConfiguration';
import { parseInput, setUpClusterInput, type SetUpClusterInput } from '../model/inputs';
import { membersOf, outsiders } from '../model/members';
import type { OperationReport } from '../model/operation';
import { isEmptyPlan } from '../model/setUpPlan';
import type { ShippedPassword } from '../model/shippedPasswords';
import { licencesOf, serverTarget } from '../model/slices';
import type { ClusterSpec } from '../model/spec';
import { backUp } from './operation/backUp';
import { operation } from './operation/operation';
import { additions, administrators, database, edges, gates, installation, loadBalancer, servers } from './operation/groups';
import { nameInCaches } from './parts/cacheAddress';
import { checkSetUp } from './parts/setUpChecks';

const installMs = 35 * 60_000;

export async function setUpCluster(raw: unknown): Promise<OperationReport> {
  return operation<SetUpClusterInput>('setUpCluster', raw, async (context) => {
    const { cluster, step, forEachNode } = context;
    const { spec } = cluster;
    const { site, nodes, first, target, deploymentSite, gateways, edgeLicences, doors, fronted, todo, opening, through, set, serve, activate, thresholdDiffers, prepared, nameless, waysChange, installed, settings, restores, probeIsThere, comeBack } = await checkSetUp(context);
    const { probe } = spec;
    const { installer, version, protocols, options } = spec.product;
    const { minimumNodes } = spec.policies;
    const chosen = (some: readonly string[]) => nodes.filter(({ name }) => some.includes(name));
    const theEdges = (some: readonly string[]) => gateways.filter(({ name }) => some.includes(name));

    // Starting what stands still, and emptying what an installer left, is no change of configuration.
    const configured = [todo.installFirst, todo.licenseFirst, todo.installOthers, todo.addToCluster, todo.licenseOthers, opening.installFirst, opening.installOthers, opening.license, opening.trust, opening.zone, activate, Object.keys(set), nameless];
    if (cluster.complete && (thresholdDiffers || configured.some((things) => things.length > 0))) await backUp(context, site, chosen(installed), { silent: [...opening.installFirst, ...opening.installOthers, ...opening.startAdmin] });
    if (!isEmptyPlan(todo) || waysChange || Object.keys(set).length > 0 || prepared.length > 0 || serve.length > 0 || activate.length > 0 || thresholdDiffers || nameless.length > 0) {
      await step('Record the epoch beside the database', database.ensureEpoch({ database: target }), { aside: true });
    }

    await forEachNode('Empty what its installation was prepared with: it holds passwords', [...chosen(prepared), ...theEdges(prepared).map(({ name, edge }) => ({ name, server: edge }))], ({ server }) =>
      installation.ensureEmptied({ server }), { key: 'empty-prepared' });
    await forEachNode('Install the first Server with a new schema', chosen(todo.installFirst), ({ server }) =>
      installation.ensureInstalled({ server, installer, version, database: target }, { limitMs: installMs }), { key: 'install-first' });
    await forEachNode('Install its licences', chosen(todo.licenseFirst), ({ server }) =>
      installation.ensureLicensed({ server, licences: licencesOf(spec.licences) }), { key: 'license-first' });
    await forEachNode('Open its gate', comeBack?.gated ? [first] : [], ({ server }) => gates.ensureOpened({ host: server }), { key: 'open' });
    await forEachNode('Start its Administration Tool', chosen(todo.startFirstAdmin), ({ server }) =>
      servers.ensureAdminStarted({ server }), { key: 'start-first-admin' });
    if (Object.keys(set).length > 0) await step('Set the shared options of the cluster', servers.ensureOptions({ server: through, options: set }));
    await forEachNode('Install the other Servers on that schema', chosen(todo.installOthers), ({ server }) =>
      installation.ensureInstalled({ server, installer, version, database: target, taehFrom: through }, { limitMs: installMs }), { key: 'install-others' });
    await forEachNode('See the node in the table: its installation registered it', chosen(todo.registered), ({ server }) =>
      servers.ensureRegistered({ server: through, address: server.address }), { key: 'registered' });
    await forEachNode('Stop the Administration Tool of the new Servers', chosen(todo.stopAdmin), ({ server }) =>
      servers.ensureAdminStopped({ server }), { key: 'stop-admin' });
    await forEachNode('Stop every protocol server and service', chosen(todo.stopServices), ({ server }) =>
      servers.ensureServicesStopped({ server }), { key: 'stop-services' });
    // Nobody could be asked before it was started, and what an addition changes is put back.
    const before = comeBack && todo.addToCluster.length > 0 ? await step('Read how the daemons of the cluster listen', additions.readSettings({ server: through }), { key: 'settings-before', aside: true, planned: {} }) : undefined;
    await forEachNode('Add the node to the cluster', chosen(todo.addToCluster), ({ server }) => (before
      ? additions.ensureMember({ server: through, address: server.address, settings: before })
      : servers.ensureMember({ server: through, address: server.address })), { key: 'add', parallel: 1 });
    // Adding a node once reset the SSH port of the cluster (reference §16). A new cluster is to be as the product ships it, also where a try before this one was cut off
    // right after the addition; where one that works could not be asked, nobody knows what to put back.
    if (restores && (cluster.complete ? todo.addToCluster.length > 0 && settings !== null : !isEmptyPlan(todo))) {
      await step('Put back what that changed in the settings of the daemons', additions.ensureSettings({ server: through, settings: cluster.complete ? { ...settings, ...options } : options, defaults: !cluster.complete }), { key: 'settings' });
    }
    await forEachNode('Start the Administration Tool of the new Servers', chosen(todo.startAdmin), ({ server }) =>
      servers.ensureAdminStarted({ server }), { key: 'start-admin' });
    await forEachNode('Install the licences of the new Servers', chosen(todo.licenseOthers), ({ server }) =>
      installation.ensureLicensed({ server, licences: licencesOf(spec.licences) }), { key: 'license-others' });
    await nameInCaches(context, nameless);
    await forEachNode('Install the first Edge', theEdges(opening.installFirst), ({ edge }) =>
      edges.ensureInstalled({ edge, installer, version }, { limitMs: installMs }), { key: 'install-first-edge' });
    await forEachNode('Install the other Edges with its secret file', theEdges(opening.installOthers), ({ edge }) =>
      edges.ensureInstalled({ edge, installer, version, taehFrom: serverTarget(spec, site, opening.first) }, { limitMs: installMs }), { key: 'install-other-edges' });
    await forEachNode('Install the licences of the Edge', theEdges(opening.license), ({ edge }) =>
      installation.ensureLicensed({ server: edge, licences: edgeLicences }), { key: 'license-edges' });
    await forEachNode('Start the Administration Tool of the Edge', theEdges(opening.startAdmin), ({ edge }) =>
      edges.ensureAdminStarted({ edge }), { key: 'start-edge-admin' });
    await forEachNode('Stop the protocol servers of the Edge', theEdges(opening.stop), ({ edge }) =>
      servers.ensureServicesStopped({ server: edge }), { key: 'stop-edges' });
    await forEachNode('Exchange the CA certificates of the cluster and the Edge', theEdges(opening.trust), ({ edge }) =>
      edges.ensureTrust({ server: through, edge }), { key: 'trust', parallel: 1 });
    await forEachNode('Name the Edge in the network zone of the Servers', theEdges(opening.zone), ({ edge, zone }) =>
      edges.ensureInZone({ server: through, edge, entry: { zone, deploymentSite, protocols } }), { key: 'zone', parallel: 1 });
    const gatewayList = gateways.map(({ name, address, edge }) => ({ node: name, address, adminPort: edge.admin.port }));
    // Histories of set-ups before this was known have no such step.
    const listed = patched('edges-listed') && gateways.length > 1 ? gateways.filter(({ name }) => !cluster.complete || opening.installFirst.includes(name) || opening.installOthers.includes(name)) : [];
    await forEachNode('List the Edges for their synchronisation, the first as the primary', listed, ({ edge }) => edges.ensureListed({ edge, edges: gatewayList }), { key: 'list-edges' });
    await forEachNode('Stop everything, for the restart', chosen(todo.stopAll), ({ server }) =>
      servers.ensureAllStopped({ server }), { key: 'stop-all' });
    for (const wave of todo.restart) {
      const title = wave.includes(todo.first) ? 'Start the first Server and wait until it is Online' : 'Start the Servers and wait until they are Online';
      await forEachNode(title, chosen(wave), ({ server }) => servers.ensureOnline({ server, protocols }), { key: 'online' });
    }
    if (thresholdDiffers) {
      const threshold = { server: through, numberOfNodes: minimumNodes, sendNotification: true };
      await step('Let the product notify below the node threshold', servers.ensureNodeThreshold(threshold));
    }
    await forEachNode('Start the Edge', theEdges(opening.start), ({ edge }) => edges.ensureOnline({ edge, protocols }), { key: 'edge-online' });
    if (waysChange) {
      await forEachNode('Wait until its Transaction Manager is connected to every Edge', nodes, ({ server }) =>
        edges.ensureConnected({ server, edges: doors, protocols }), { key: 'connected' });
    }
    if (waysChange && probe) {
      if (!probeIsThere) await step('Make the account that the way is tried with', edges.ensureProbeAccount({ server: through, probe }));
      // One after the other: should the password be wrong, it is tried once and not once for each Edge.
      await forEachNode('Log in through the Edge as a partner does', gateways, ({ edge }) => edges.ensureLogin({ edge, probe }), { key: 'login', parallel: 1 });
    }
    await forEachNode(`Let the balancer send to the ${fronted.what}`, serve, ({ balancer, node }) => loadBalancer.ensureServing({ balancer, node }), { key: 'serving' });
    await forEachNode('Let the balancer send to the site', activate, ({ balancer }) => loadBalancer.ensureActiveSite({ balancer, site }), { key: 'active-site' });

    // Histories of set-ups before this was known have no such step.
    const fresh = [...todo.installFirst, ...opening.installFirst, ...opening.installOthers];
    const asked = [{ name: first.name, server: first.server, role: 'server' as const }, ...gateways.map(({ name, edge }) => ({ name, server: edge, role: 'edge' as const }))].filter(({ name }) => !cluster.complete || fresh.includes(name));
    const shipped = patched('shipped-passwords')
      ? (await forEachNode('Try once whether an administrator still has the password it was shipped with', asked, ({ name, server, role }) =>
        administrators.ensureTried({ server, role, database: target, installed: fresh.includes(name) }), { key: 'shipped-passwords', aside: true, planned: [] as ShippedPassword[] })).flat()
      : undefined;

    const members = membersOf(spec, site, [...nodes, ...gateways].map(({ name }) => name));
    const others = cluster.complete ? outsiders(spec, site, comeBack ? members : cluster.members) : [];
    const left = others.length === 0 ? '' : ` ${others.join(', ')} ${others.length === 1 ? 'is' : 'are'} in the cluster file and no member: "stctl add-node".`;
    return {
      summary: `${cluster.name} ${comeBack ? `has a Server again: ${first.name} is Online` : `is set up: ${nodes.length} of ${nodes.length} Servers are Online`}${behind(gateways.length, probe !== undefined)}.${left}`,
      members,
      ...(comeBack ? { debts: cluster.debts.filter((debt) => debt.site !== site || debt.node !== first.name) } : {}),
      activeSite: site,
      complete: true,
      ...(cluster.complete ? {} : { byHand: leftByHand(spec, shipped) }),
    };
  }, { parse: (value) => parseInput(setUpClusterInput, value), specOf: ({ spec }): ClusterSpec | undefined => spec });
}

const behind = (edgeCount: number, tried: boolean): string =>
  edgeCount === 0 ? '' : `, behind ${edgeCount} Edge${edgeCount === 1 ? '' : 's'}${tried ? '' : '; no probe account is named in the cluster file, so no login has proven the way through them'}`;
