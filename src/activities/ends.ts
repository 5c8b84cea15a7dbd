/** Looks at what ends by itself. Nothing is verified and nothing sent but what is needed to look: an end that has passed is what is looked for. */
import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { peerCertificate } from '../clients/certificates';
import { licenceEnd, type End } from '../model/ends';
import type { DatabaseTarget, ServerTarget } from '../model/targets';
import type { Clients } from './clients';
import { abortSignal } from './context';

export interface EndActivities {
  /** The certificate that its Administration Tool shows. */
  readServer(input: { server: ServerTarget }): Promise<End[]>;
  /** The certificates that the cluster knows, asked at one Server: its own CA and those it trusts. */
  readCluster(input: { server: ServerTarget }): Promise<End[]>;
  /** The certificate of the database, and the password of the product's role, where it has an end. */
  readDatabase(input: { database: DatabaseTarget }): Promise<End[]>;
  /** Files on the worker's host. */
  readFiles(input: { certificates: string[]; licences: string[] }): Promise<End[]>;
}

const timeoutMs = 10_000;
const iso = (text: string): string => new Date(text).toISOString();

export function endActivities({ clients }: { clients: Clients }): EndActivities {
  return {
    async readServer({ server }) {
      const { address, port } = server.admin;
      const certificate = await peerCertificate({ host: address, port }, { timeoutMs, signal: abortSignal() });
      return [{
        what: `the certificate of the Administration Tool of ${server.node} (${address}:${port})`, ends: iso(certificate.validTo), node: server.node,
        consequence: 'From then on nobody can manage this node, st-orchestrator neither.', remedy: `Give the Administration Tool of ${server.node} a new certificate (alias admind)`,
      }];
    },
    async readCluster({ server }) {
      const found = await clients.admin.server(server.admin).certificates({ signal: abortSignal(), timeoutMs });
      return found.map(({ name, usage, content }) => ({
        what: `the ${usage === 'local' ? 'internal CA' : 'trusted CA'} "${name}" of the cluster`, ends: iso(new X509Certificate(content).validTo),
        consequence: usage === 'local' ? 'From then on nothing that it signed is trusted.' : 'From then on whoever it signed for is refused.', remedy: usage === 'local' ? 'Make or import a new CA, and let Servers and Edges exchange it' : 'Import its successor',
      }));
    },
    async readDatabase({ database }) {
      const options = { signal: abortSignal() };
      const place = `${database.host}:${database.port}`;
      const [facts, until] = await Promise.all([
        clients.postgres.readFacts(database, [], options),
        clients.postgres.withDatabase(database, async (client) => (await client.query<{ until: Date | null }>('select nullif(rolvaliduntil, \'infinity\') as until from pg_roles where rolname = current_user')).rows[0]?.until ?? null, options),
      ]);
      return [
        { what: `the certificate of the database (${place})`, ends: facts.certificate.validTo, consequence: 'From then on no Server can connect to the database: the cluster stops.', remedy: 'Give the database a new certificate' },
        ...(until ? [{ what: `the password of the database role ${database.user} (${place})`, ends: until.toISOString(), consequence: 'From then on no Server can log in to the database: the cluster stops.', remedy: `Let the DBA set a new end: ALTER ROLE … VALID UNTIL` }] : []),
      ];
    },
    async readFiles({ certificates, licences }) {
      const of = await Promise.all([
        ...certificates.map(async (path) => pemsIn(await textOf(path)).map((pem) => ({ what: `a certificate in ${path} on the worker's host`, ends: iso(new X509Certificate(pem).validTo), consequence: 'From then on what it signed is refused by st-orchestrator.', remedy: `Put its successor into ${path}` }))),
        ...licences.map(async (path) => {
          const ends = licenceEnd(await textOf(path));
          return ends === undefined ? [] : [{ what: `the licence in ${path} on the worker's host`, ends, consequence: 'From then on the product may not start or process.', remedy: 'Get a new licence from the vendor, and install it on every node' }];
        }),
      ]);
      return of.flat();
    },
  };
}

/** What is not there is another check's business. */
const textOf = (path: string): Promise<string> => readFile(path, 'utf8').catch(() => '');
const pemsIn = (text: string): string[] => text.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? [];
