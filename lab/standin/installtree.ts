import { randomUUID } from 'node:crypto';
import { chmodSync, cpSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { utils } from 'ssh2';
import { daemons, protocols, serverDefaults, type Home } from './home';
import { formatProperties, type Properties } from './properties';

/** Where an installation goes, and the properties it was asked for with. */
export interface Target {
  dir: string;
  properties: Properties;
}

/** A precondition that doesn't hold: nothing was changed. */
export class Refusal extends Error {}

/** Whether something stands in this folder. */
export function hasContent(dir: string): boolean {
  try {
    return readdirSync(dir).length > 0;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw new Refusal(`InstallDir ${dir}: ${(error as Error).message}`);
  }
}

/** Lays the tree of the package; an Edge and a Server each have commands that the other has not. */
export function copyTree({ dir, properties }: Target, kind: Home['kind'], packageDir: string): void {
  mkdirSync(dir, { recursive: true });
  cpSync(join(packageDir, 'tree'), dir, { recursive: true });
  for (const folder of ['var/run', 'var/logs', 'var/tmp']) mkdirSync(join(dir, folder), { recursive: true });
  for (const name of readdirSync(join(dir, 'bin'))) chmodSync(join(dir, 'bin', name), 0o755);
  // An Edge has no cluster cache.
  if (kind === 'Edge') rmSync(join(dir, 'conf/tangosol-coherence-override.xml'));
  const foreign = kind === 'Edge' ? ['tm'] : ['db', 'proxy'];
  for (const service of foreign) for (const verb of ['start', 'stop']) rmSync(join(dir, 'bin', `${verb}_${service}`));
  // Of a Server it would be the shared database that they write and read: not played.
  if (kind === 'Server') for (const command of ['system_export', 'system_import']) rmSync(join(dir, 'bin', command));
  const enabled = (properties['standin.daemons'] ?? serverDefaults['standin.daemons'] ?? '').split(',').map((name) => name.trim());
  for (const protocol of protocols.filter((name) => !enabled.includes(name))) {
    for (const verb of ['start', 'stop']) {
      const script = join(dir, 'bin', `${verb}_${daemons[protocol].service}`);
      renameSync(script, `${script}.disable`);
    }
  }
  const names = ['NODE', 'STANDIN', 'PRODUCT_TIME_MS', 'LIES', 'SEED'].filter((name) => process.env[name] !== undefined);
  writeFileSync(join(dir, 'lib/standin.env'), names.map((name) => `${name}=${process.env[name]}\n`).join(''));
}

/** Puts the secret file in place. */
export function writeSecret(dir: string, taeh: Buffer): void {
  writeFileSync(join(dir, 'bin/taeh'), taeh, { mode: 0o600 });
}

/** About one key in three hundred that ssh2 makes is one that it can't read again (a leading zero): those are thrown away. */
export function makeHostKey(): string {
  for (;;) {
    const key = utils.generateKeyPairSync('ed25519').private;
    if (!(utils.parseKey(key) instanceof Error)) return key;
  }
}

/** Writes `conf/`; returns this Server's LocalConfigurationsId. */
export function writeConfiguration({ dir, properties }: Target): string {
  const id = randomUUID();
  writeFileSync(join(dir, 'conf/configuration.xml'),
    `<?xml version="1.0" encoding="UTF-8"?>\n<Configuration>\n  <LocalConfigurationsId>${id}</LocalConfigurationsId>\n</Configuration>\n`);
  const pick = (keys: string[]): Properties =>
    Object.fromEntries(keys.flatMap((key) => (properties[key] === undefined ? [] : [[key, properties[key]]])));
  writeFileSync(join(dir, 'conf/server.properties'), formatProperties({ ...serverDefaults, ...pick(Object.keys(serverDefaults)) }));
  const database = pick(['dbType', 'dbHost', 'dbPort', 'dbName', 'dbUser', 'dbPassword', 'externalDBUseSecureConnection', 'externalDBTrustStore', 'dbSocket']);
  writeFileSync(join(dir, 'conf/database.properties'), formatProperties(database), { mode: 0o600 });
  return id;
}
