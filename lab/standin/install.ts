import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { build, version } from './build';
import { openDatabase, inTransaction } from './database';
import { installEdge } from './edgeinstall';
import { embedded, placeOf, takeProductTime } from './home';
import { copyTree, hasContent, makeHostKey, Refusal, writeConfiguration, writeSecret, type Target } from './installtree';
import { formatProperties, parseProperties, type Properties } from './properties';
import { createSchema, fingerprint, readSchema, unusableTablespaces } from './schema';
import { makeTrust, storeTrust } from './trust';

interface Plan extends Target {
  newSchema: boolean;
  taeh: Buffer;
}

/** Reads and checks the two properties files. Throws `Refusal` with every reason at once. */
export function readInstallation(file: string): Target {
  if (!isAbsolute(file)) throw new Refusal(`-s takes an absolute path, not '${file}'`);
  const first = readSettings(file);
  const dir = first['InstallDir'] ?? '';
  const second = first['IncludeFiles.SecureTransport'];
  if (!second) throw new Refusal(`${file}: IncludeFiles.SecureTransport is missing`);
  const properties = readSettings(resolve(dirname(file), second));
  const wrong = [...faults(properties), ...(isAbsolute(dir) ? [] : [`InstallDir must be an absolute path, not '${dir}'`])];
  if (wrong.length > 0) throw new Refusal(wrong.join('; '));
  return { dir: resolve(dir), properties };
}

function readSettings(file: string): Properties {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new Refusal(`can't read ${file}: ${(error as Error).message}`);
  }
  const properties = parseProperties(text);
  const empty = Object.keys(properties).filter((key) => properties[key] === '');
  if (empty.length > 0) throw new Refusal(`${file}: properties with an empty value must be removed: ${empty.join(', ')}`);
  return properties;
}

function faults(p: Properties): string[] {
  const wrong: string[] = [];
  const flag = (name: string, required: boolean) => {
    if (p[name] === undefined ? required : !['true', 'false'].includes(p[name])) wrong.push(`${name} must be true or false, not '${p[name] ?? '(missing)'}'`);
  };
  for (const name of ['adminPassword.Format', 'dbPassword.Format']) if (p[name]) wrong.push(`${name}: the encrypted password was not made on this host`);
  for (const name of ['dbPort', 'sslAdminPort', 'tomcatShutdownPort']) if (p[name] && !(Number(p[name]) > 0 && Number(p[name]) < 65536)) wrong.push(`${name}: '${p[name]}' is not a port`);
  const edge = p['Edge'] === 'true';
  if (edge === (p['Server'] === 'true')) wrong.push('one of Server and Edge must be true');
  const type = p['dbType'] ?? '(missing)';
  if (edge && type !== embedded) wrong.push(`dbType of an Edge must be ${embedded}, not ${type}`);
  if (edge) return wrong;
  if (['useOracleExternal', 'useMSSQLExternal', embedded].includes(type)) wrong.push(`dbType ${type} is not supported by this package`);
  else if (type !== 'usePostgreSQLExternal') wrong.push(`unknown dbType ${type}`);
  flag('externalDBUseExistingSchema', true);
  flag('externalDBUseSecureConnection', false);
  for (const name of ['dbHost', 'dbName', 'dbUser', 'dbPassword']) if (!p[name]) wrong.push(`${name} is missing`);
  if (/[$%&+]/.test(p['dbPassword'] ?? '')) wrong.push('dbPassword must not contain $ % & +');
  if (p['externalDBUseExistingSchema'] === 'true' && !p['SecretFilePath']) wrong.push('SecretFilePath is required with an existing schema');
  if (p['externalDBUseSecureConnection'] === 'true') wrong.push(...certificateFaults(p['externalDBTrustStore']));
  return wrong;
}

function certificateFaults(file: string | undefined): string[] {
  if (!file) return ['externalDBTrustStore is required for a secure connection'];
  try {
    const pem = readFileSync(file, 'latin1').includes('-----BEGIN CERTIFICATE-----');
    return pem ? [] : [`externalDBTrustStore: ${file} is not a PEM certificate (PostgreSQL takes a certificate file, not a trust store)`];
  } catch (error) {
    return [`externalDBTrustStore: can't read ${file}: ${(error as Error).message}`];
  }
}

/** Installs from the properties file `file`, with the static part of the package in `packageDir`. Throws `Refusal` before the first change. */
export async function install(file: string, packageDir: string): Promise<void> {
  const { dir, properties } = readInstallation(file);
  if (hasContent(dir)) throw new Refusal(`InstallDir ${dir} exists and is not empty`);
  if (properties['Edge'] === 'true') return installEdge({ dir, properties }, packageDir);
  const pool = openDatabase(properties);
  try {
    const plan = await check(pool, dir, properties);
    await takeProductTime(1);
    copyTree(plan, 'Server', packageDir);
    const say = (text: string) => appendFileSync(join(dir, 'install.log'), `${new Date().toISOString()} ${text}\n`);
    say(`SecureTransport Server ${build} copied to ${dir}.`);
    writeSecret(plan.dir, plan.taeh);
    say(plan.newSchema ? 'The secret file was created.' : `The secret file was imported from ${properties['SecretFilePath']}.`);
    await takeProductTime(1);
    if (plan.newSchema) {
      await newSchema(pool, plan);
      say(`The schema was created in database ${properties['dbName']} on ${properties['dbHost']}.`);
    } else say(`The existing schema in database ${properties['dbName']} on ${properties['dbHost']} is used.`);
    const id = writeConfiguration(plan);
    await takeProductTime(1);
    if (properties['clusterNodeValue']) {
      await register(pool, properties['clusterNodeValue'], id);
      say(`The node registered itself as ${properties['clusterNodeValue']}.`);
    }
    await pool.query('update schemaversion set setupby = $1 where setupby is null', [placeOf(dir)]);
    writeFileSync(join(dir, 'lib/version.properties'), formatProperties({ Version: version, Build: build, ServerType: 'Server' }));
    const started = spawnSync(join(dir, 'bin/start_admin'), { encoding: 'utf8' });
    say(started.status === 0 ? 'The Administration Tool was started.' : `The Administration Tool was not started: ${started.stderr}`);
    say('Installation completed.');
  } finally {
    await pool.end();
  }
}

async function check(pool: ReturnType<typeof openDatabase>, dir: string, properties: Properties): Promise<Plan> {
  const database = `${properties['dbName']} on ${properties['dbHost']}:${properties['dbPort'] ?? 5432}`;
  const schema = await readSchema(pool).catch((error: Error) => {
    throw new Refusal(`can't use the database ${database} as ${properties['dbUser']}: ${error.message}`);
  });
  if (properties['externalDBUseExistingSchema'] === 'false') {
    if (schema) throw new Refusal(`the database ${database} holds a SecureTransport schema already`);
    const missing = await unusableTablespaces(pool);
    if (missing.length > 0) throw new Refusal(`tablespaces missing, or without CREATE for ${properties['dbUser']}: ${missing.join(', ')}`);
    return { dir, properties, newSchema: true, taeh: randomBytes(64) };
  }
  if (!schema) throw new Refusal(`the database ${database} holds no SecureTransport schema`);
  if (schema.version !== version) throw new Refusal(`the schema is of version ${schema.version}, this package of ${version}`);
  let taeh: Buffer;
  try {
    taeh = readFileSync(properties['SecretFilePath'] ?? '');
  } catch (error) {
    throw new Refusal(`SecretFilePath: ${(error as Error).message}`);
  }
  if (fingerprint(taeh) !== schema.fingerprint) throw new Refusal(`the secret file ${properties['SecretFilePath']} does not belong to the schema in ${database}`);
  return { dir, properties, newSchema: false, taeh };
}

async function newSchema(pool: ReturnType<typeof openDatabase>, plan: Plan): Promise<void> {
  const hostKey = makeHostKey();
  const trust = makeTrust(join(plan.dir, 'var/tmp'), `database ${plan.properties['dbName']}`);
  await inTransaction(pool, async (client) => {
    await createSchema(client, { version, build, fingerprint: fingerprint(plan.taeh), adminPassword: plan.properties['adminPassword'] ?? 'admin', hostKey });
    await storeTrust(client, trust);
  });
}

async function register(pool: ReturnType<typeof openDatabase>, address: string, id: string): Promise<void> {
  await pool.query(
    `insert into clusternode (address, valid, localconfigurationsid)
     select $1::text, true, $2 where not exists (select 1 from clusternode where address = $1)`, [address, id]);
}

async function main(): Promise<void> {
  const [file = '', packageDir = ''] = process.argv.slice(2);
  try {
    await install(file, packageDir);
    process.stdout.write(`SecureTransport ${build} was installed on ${hostname()}.\n`);
  } catch (error) {
    process.stderr.write(`Installation failed: ${(error as Error).message}\n`);
    process.exitCode = 1;
  }
}

if (require.main === module) void main();
