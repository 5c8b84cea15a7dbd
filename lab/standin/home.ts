import { readFileSync } from 'node:fs';
import { hostname, networkInterfaces, type NetworkInterfaceInfo } from 'node:os';
import { join } from 'node:path';
import { parseProperties, type Properties } from './properties';

/** Protocol daemons: the product's name of the protocol, of the service, and of its default listener. */
export const daemons = {
  ftp: { service: 'ftpd', listener: 'Ftp Default', port: 'standin.ftpPort' },
  http: { service: 'httpd', listener: 'Http Default', port: 'standin.httpPort' },
  as2: { service: 'as2d', listener: 'As2 Default', port: 'standin.as2Port' },
  ssh: { service: 'sshd', listener: 'Ssh Default', port: 'standin.sshPort' },
  pesit: { service: 'pesitd', listener: 'Pesit Default', port: 'standin.pesitPort' },
} as const;
export type Protocol = keyof typeof daemons;
export const protocols = Object.keys(daemons) as Protocol[];

/** `dbType` of an Edge. */
export const embedded = 'useDBLocal';

/** What every process of the stand-in knows about the installation it belongs to. */
export interface Home {
  dir: string;
  kind: 'Server' | 'Edge';
  /** Product build, `5.5-20260625`. */
  build: string;
  /** The notes of the update that brought this build allow it beside older ones on one schema. */
  besideOlder: boolean;
  /** `<LocalConfigurationsId>`: ties this Server to its local configuration in the shared database. */
  id: string;
  settings: Properties;
  database: Properties;
  bindAddress: string;
}

/**
 * Where an installation stands, as the schema remembers the Server that made it: one that is cut off and made anew at the same place of the same host has another
 * `LocalConfigurationsId`, and is the first Server all the same. How the product knows it is not documented.
 */
export const placeOf = (dir: string): string => `${hostname()}:${dir}`;

/** The defaults of `conf/server.properties`. */
export const serverDefaults: Properties = {
  sslAdminPort: '8444',
  'standin.bindAddress': '0.0.0.0',
  'standin.sshPort': '8022',
  'standin.ftpPort': '8021',
  'standin.httpPort': '8443',
  'standin.as2Port': '10080',
  'standin.pesitPort': '17617',
  'standin.cachePort': '8088',
  'standin.proxyPort': '1080',
  'standin.sharedPath': '/srv/st/shared',
  'standin.tlsKey': '/etc/st-lab/tls.key',
  'standin.tlsCert': '/etc/st-lab/tls.crt',
  'standin.daemons': 'ssh',
};

/** Reads the configuration below FILEDRIVEHOME `dir`; throws when it isn't an installation. */
export function readHome(dir: string): Home {
  const settings = { ...serverDefaults, ...readProperties(join(dir, 'conf/server.properties')) };
  const id = /<LocalConfigurationsId>\s*([^<\s]+)\s*</.exec(readFileSync(join(dir, 'conf/configuration.xml'), 'utf8'))?.[1];
  if (!id) throw new Error(`${dir}/conf/configuration.xml holds no <LocalConfigurationsId>`);
  const database = readProperties(join(dir, 'conf/database.properties'));
  const installed = readProperties(join(dir, 'lib/version.properties'));
  return {
    dir,
    // Only Edges have a database of their own.
    kind: database['dbType'] === embedded ? 'Edge' : 'Server',
    build: installed['Build'] ?? '',
    besideOlder: installed['BesideOlder'] === 'yes',
    id,
    settings,
    database,
    bindAddress: boundTo(settings['standin.bindAddress'] ?? '0.0.0.0'),
  };
}

export function readProperties(file: string): Properties {
  return parseProperties(readFileSync(file, 'utf8'));
}

/** Active lines of `conf/options-overwrite.conf`; none when the file isn't there. */
export function readOverwrites(home: Home): Properties {
  try {
    return readProperties(join(home.dir, 'conf/options-overwrite.conf'));
  } catch {
    return {};
  }
}

const outward = (): NetworkInterfaceInfo[] => Object.values(networkInterfaces()).flatMap((list) => list ?? []).filter((one) => !one.internal);

/** Every address of the host. */
const everyAddress = ['0.0.0.0', '::'];

/** Where nothing was said, a host without an IPv4 address listens on its IPv6 addresses. */
function boundTo(address: string): string {
  const families = new Set(outward().filter((one) => one.scopeid === undefined || one.scopeid === 0).map(({ family }) => family));
  return address === '0.0.0.0' && families.has('IPv6') && !families.has('IPv4') ? '::' : address;
}

/** An address by which this Server reaches its own services. */
export const ownWay = ({ bindAddress }: Home): string => (everyAddress.includes(bindAddress) ? '127.0.0.1' : bindAddress);

/** The addresses and names that mean this Server. */
export function ownAddresses(home: Home): string[] {
  if (!everyAddress.includes(home.bindAddress)) return [home.bindAddress];
  return [...outward().map((one) => one.address), hostname()];
}

/** The port of a protocol's listener. */
export function portOf(home: Home, protocol: Protocol): number {
  return Number(home.settings[daemons[protocol].port]);
}

/** `factor` × U (PRODUCT_TIME_MS) in milliseconds. */
export function productTime(factor: number): number {
  return Math.round(Number(process.env['PRODUCT_TIME_MS'] ?? 300) * factor);
}

/** Resolves after `factor` × U: the product's own slowness, not a wait for something. */
export function takeProductTime(factor: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, productTime(factor)));
}
