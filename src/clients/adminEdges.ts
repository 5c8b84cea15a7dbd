/** The part of the Admin API that Edges need: network zones, certificates, listeners, and one account to try the way with. */
import { statusOf } from './adminErrors';
import { readList } from './adminLists';
import type { AdminSession, CallOptions, Method } from './adminSession';

/** One Edge in a network zone. What the API tells besides is kept as it is: a PUT resets what is left out. */
export interface ZoneEdge {
  title: string;
  addresses?: string[];
  protocols?: { protocol: string; port: number; [field: string]: unknown }[];
  deploymentSite?: string;
  [field: string]: unknown;
}
export interface Zone { name: string; edges?: ZoneEdge[]; [field: string]: unknown }
/** `local`: the own CA. `fingerprint`: SHA-256, hexadecimal. `content`: PEM. */
export interface Certificate { name: string; usage: 'local' | 'trusted'; fingerprint: string; content: string; [field: string]: unknown }
export interface Listener { serverName: string; isActive?: boolean; port?: number; [field: string]: unknown }

export interface EdgeCalls {
  zones(options?: CallOptions): Promise<Zone[]>;
  createZone(zone: Zone, options?: CallOptions): Promise<void>;
  /** Replaces the whole zone. An Edge whose title changes is a new one and loses its saved proxy passwords. */
  replaceZone(zone: Zone, options?: CallOptions): Promise<void>;
  addZoneEdge(zone: string, edge: ZoneEdge, options?: CallOptions): Promise<void>;
  /** By its place in the zone as it was just read: the API has no other name for it. Look again afterwards who has gone. */
  removeZoneEdge(zone: string, index: number, options?: CallOptions): Promise<void>;
  /** The own CA and the imported ones. */
  certificates(options?: CallOptions): Promise<Certificate[]>;
  /** Trusts a CA from now on. A name that is taken is Refused. */
  importCertificate(certificate: { name: string; content: string }, options?: CallOptions): Promise<void>;
  listeners(protocol: string, options?: CallOptions): Promise<Listener[]>;
  hasAccount(name: string, options?: CallOptions): Promise<boolean>;
  createAccount(account: { name: string; password: string }, options?: CallOptions): Promise<void>;
}

export function edgeCalls(session: AdminSession): EdgeCalls {
  const write = async (method: Method, path: string, body: unknown, options?: CallOptions): Promise<void> => void (await session.call(method, path, { ...options, body }));
  const zonePath = (name: string): string => `/zones/${encodeURIComponent(name)}`;
  return {
    zones: (options) => readList<Zone>(session, '/zones', {}, ({ name }) => name, options),
    createZone: (zone, options) => write('POST', '/zones', zone, options),
    replaceZone: (zone, options) => write('PUT', zonePath(zone.name), zone, options),
    addZoneEdge: (zone, edge, options) => write('PATCH', zonePath(zone), [{ op: 'add', path: '/edges/-', value: edge }], options),
    removeZoneEdge: (zone, index, options) => write('PATCH', zonePath(zone), [{ op: 'remove', path: `/edges/${index}` }], options),
    certificates: (options) => readList<Certificate>(session, '/certificates', {}, ({ name }) => name, options),
    importCertificate: ({ name, content }, options) => write('POST', '/certificates', { name, type: 'x509', usage: 'trusted', content }, options),
    listeners: async (protocol, options) => {
      const found = await readList<Listener & { protocol?: string }>(session, '/servers', { protocol }, ({ serverName }) => serverName, options);
      // Filters that a resource does not know are ignored, not refused.
      return found.filter((one) => one.protocol === undefined || one.protocol === protocol);
    },
    async hasAccount(name, options) {
      try {
        await session.call('GET', `/accounts/${encodeURIComponent(name)}`, options);
        return true;
      } catch (error) {
        if (statusOf(error) === 404) return false;
        throw error;
      }
    },
    createAccount: ({ name, password }, options) => write('POST', '/accounts', { name, type: 'user', user: { name, passwordCredentials: { password } } }, options),
  };
}
