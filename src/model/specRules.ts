/**
 * What must hold between the keys of a cluster file. Reads the value as it was written, so that every rule speaks even when another part is
 * malformed, and so that problems name the entry that people see (before ranges are expanded).
 */
import { defaultDeploymentSite } from './normalise';
import { checkNodes, countServers } from './nodeRules';
import { checkNotifications } from './notificationSchema';
import type { InputProblem } from './problems';
import { isSecretProperty, secretRefProblem } from './fields';
import { at, entriesAt, listAt, textAt } from './raw';

export function checkRules(file: unknown): InputProblem[] {
  return [...checkSites(file), ...checkNodes(file), ...checkProduct(file), ...checkBackups(file), ...checkPolicies(file), ...checkNotifications(at(file, 'notifications'))];
}

function checkSites(file: unknown): InputProblem[] {
  const problems: InputProblem[] = [];
  const sites = entriesAt(file, 'sites');
  const where = ['sites'];
  if (at(file, 'sites') !== undefined && sites.length === 0) problems.push({ path: where, message: 'expected at least one site' });
  if (sites.length > 2) problems.push({ path: where, message: `expected at most two sites (production and disaster recovery), found ${sites.length}` });
  const kinds = sites.map(([name, site]) => textAt(site, 'deploymentSite') ?? defaultDeploymentSite(name));
  if (sites.length === 1 && kinds[0] === 'DR') problems.push({ path: [...where, sites[0]![0], 'deploymentSite'], message: 'the only site must be Prod; a site named dr is DR unless it says otherwise' });
  if (sites.length === 2 && kinds[0] === kinds[1]) problems.push({ path: [...where, sites[1]![0], 'deploymentSite'], message: `both sites are ${kinds[0]}; expected one Prod and one DR` });
  for (const [name, site] of sites) problems.push(...checkSite(file, name, site));
  const backends = sites.map(([, site]) => textAt(site, 'loadBalancer', 'siteBackend'));
  if (backends.length === 2 && backends[0] !== undefined && backends[0] === backends[1]) {
    problems.push({ path: [...where, sites[1]![0], 'loadBalancer', 'siteBackend'], message: `both sites name the backend ${backends[0]}; a switch between them would change nothing` });
  }
  return problems;
}

function checkSite(file: unknown, name: string, site: unknown): InputProblem[] {
  const problems: InputProblem[] = [];
  const here = ['sites', name];
  const database = textAt(site, 'database', 'name');
  const state = textAt(site, 'database', 'stateDatabase');
  if (database !== undefined && state === database) {
    problems.push({ path: [...here, 'database', 'stateDatabase'], message: 'expected a database of its own, found the product\'s: the orchestrator never writes beside the product\'s tables' });
  }
  if (database !== undefined && state === undefined && database.length > 63 - '_orchestrator'.length) {
    problems.push({ path: [...here, 'database', 'stateDatabase'], message: 'missing; the default (<name>_orchestrator) would be longer than 63 characters' });
  }
  const shared = textAt(site, 'sharedFiles', 'path');
  const home = textAt(file, 'product', 'fileDriveHome');
  if (shared !== undefined && home !== undefined && (inside(shared, home) || inside(home, shared))) {
    problems.push({ path: [...here, 'sharedFiles', 'path'], message: `the shared files and FILEDRIVEHOME (${home}) must not lie in each other: one is common to all Servers, the other is each Server's own` });
  }
  if (at(site, 'loadBalancer', 'fronts') === 'edges' && listAt(site, 'edges').length === 0) {
    problems.push({ path: [...here, 'loadBalancer', 'fronts'], message: 'the site has no Edges; expected servers' });
  }
  const seen = new Set<string>();
  listAt(site, 'loadBalancer', 'instances').forEach((instance, i) => {
    const called = textAt(instance, 'name');
    if (called !== undefined && seen.has(called)) problems.push({ path: [...here, 'loadBalancer', 'instances', i, 'name'], message: `a second balancer named ${called} in this site` });
    if (called !== undefined) seen.add(called);
  });
  return problems;
}

const inside = (path: string, folder: string) => path === folder || path.startsWith(`${folder}/`);

/** Properties of the silent installation that the set-up decides by itself, for each Server. */
const managedProperties = [
  'Server', 'Edge', 'dbType', 'externalDBUseExistingSchema', 'externalDBUseSecureConnection', 'externalDBTrustStore', 'SecretFilePath', 'clusterNodeValue', 'sslAdminPort', 'InstallDir',
  'IncludeFiles.SecureTransport',
].map((name) => name.toLowerCase());

function checkProduct(file: unknown): InputProblem[] {
  const problems: InputProblem[] = [];
  const path = ['product', 'installer', 'properties'];
  for (const [name, value] of entriesAt(file, ...path)) {
    if (managedProperties.includes(name.toLowerCase())) problems.push({ path: [...path, name], message: 'is set by the orchestrator for each Server; remove it' });
    else if (isSecretProperty(name) && secretRefProblem(String(value)) !== undefined) {
      problems.push({ path: [...path, name], message: secretRefProblem(String(value))! });
    }
  }
  const protocols = listAt(file, 'product', 'protocols');
  protocols.forEach((protocol, i) => {
    if (protocols.indexOf(protocol) < i) problems.push({ path: ['product', 'protocols', i], message: 'named twice' });
  });
  return problems;
}

function checkBackups(file: unknown): InputProblem[] {
  const problems: InputProblem[] = [];
  const path = textAt(file, 'backups', 'path');
  const home = textAt(file, 'product', 'fileDriveHome');
  if (path !== undefined && home !== undefined && inside(path, home)) {
    problems.push({ path: ['backups', 'path'], message: `expected a folder outside of FILEDRIVEHOME (${home}): backups must not be lost, or backed up, with it` });
  }
  const by = at(file, 'backups', 'edges', 'by');
  const password = at(file, 'backups', 'edges', 'password');
  if (by === 'system_export' && password === undefined) problems.push({ path: ['backups', 'edges', 'password'], message: 'missing; the product exports nothing without a password' });
  if (by === 'none' && password !== undefined) problems.push({ path: ['backups', 'edges', 'password'], message: 'nothing is exported (by: none), so nothing needs it; remove it' });
  return problems;
}

function checkPolicies(file: unknown): InputProblem[] {
  const minimum = at(file, 'policies', 'minimumNodes');
  const production = entriesAt(file, 'sites').find(([name, site]) => (textAt(site, 'deploymentSite') ?? defaultDeploymentSite(name)) === 'Prod');
  if (typeof minimum !== 'number' || !production) return [];
  const servers = countServers(production[1]);
  if (!servers || minimum <= servers) return [];
  return [{ path: ['policies', 'minimumNodes'], message: `expected at most ${servers}, the number of Servers of site ${production[0]}, found ${minimum}` }];
}
