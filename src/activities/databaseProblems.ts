/** What the vendor asks of the database (reference §2, §16), against what it is. Pure. */
import { endpoint } from '../model/fields';
import type { DatabaseFacts, StateDatabase } from '../clients/postgres';
import type { Problem } from '../model/operation';
import type { DatabaseTarget } from '../model/targets';

const oldest = 120_000;
const connections = 1000;
const mb = 1024 * 1024;
const maintenanceBytes = 512 * mb;
/** The vendor's smallest machine for the database has 64 GB; what this one has can't be asked for by SQL. */
const memoryBytes = 64 * 1024 * mb;
const soonMs = 30 * 24 * 3_600_000;

export interface DatabaseCircumstances {
  state: StateDatabase;
  /** Its password has a character that the installer can't take; the password itself stays where it was resolved. */
  badPassword: boolean;
  /** Milliseconds since 1970. */
  now: number;
}

export function databaseProblems(database: DatabaseTarget, found: DatabaseFacts, { state, badPassword, now }: DatabaseCircumstances): Problem[] {
  const { name, user } = database;
  const problems: Problem[] = [];
  const add = (what: string, remedy: string): void => void problems.push({ what: `database ${name} at ${endpoint(database.host, database.port)}: ${what}`, remedy });
  const warn = (what: string, remedy: string): void => {
    add(what, remedy);
    problems.at(-1)!.level = 'warning';
  };
  const bytes = (setting: string): number => Number(found.settings[setting] ?? 0);

  if (badPassword) add('its password holds one of $ % & +, which the installer can\'t take', 'change the password');
  if (found.versionNumber < oldest) add(`PostgreSQL ${found.version}, expected 12 or newer`, 'use a version that the vendor supports');
  if (found.settings['autovacuum'] !== 'on') add('autovacuum is off', 'set autovacuum = on');
  if (Number(found.settings['max_connections']) < connections) add(`max_connections is ${found.settings['max_connections']}, expected ${connections} or more`, `set max_connections = ${connections} and restart PostgreSQL`);
  if (!found.ownsDatabase) add(`the role ${user} does not own the database`, `ALTER DATABASE ${name} OWNER TO ${user}`);
  for (const { name: space, exists, mayCreate } of found.tablespaces) {
    if (!exists) add(`the tablespace ${space} is missing`, `CREATE TABLESPACE ${space} …`);
    else if (!mayCreate) add(`the role ${user} may not create in the tablespace ${space}`, `GRANT CREATE ON TABLESPACE ${space} TO ${user}`);
  }
  const [first] = database.tablespaces;
  if (first && found.tablespaces.some((one) => one.name === first && one.exists) && found.defaultTablespace !== first) {
    add(`its default tablespace is ${found.defaultTablespace}, expected ${first}`, `ALTER DATABASE ${name} SET TABLESPACE ${first}`);
  }
  if (state === 'missing') add(`the orchestrator's own database ${database.stateDatabase} is missing`, `CREATE DATABASE ${database.stateDatabase} OWNER ${user}`);
  if (state === 'closed') add(`the role ${user} may not make a table in the orchestrator's own database ${database.stateDatabase}`, `ALTER DATABASE ${database.stateDatabase} OWNER TO ${user}`);

  const { digitalSignature, validTo } = found.certificate;
  if (digitalSignature === false) add('its certificate has a key usage without digitalSignature, which the product refuses', 'give it one with digitalSignature in its key usage');
  const left = Date.parse(validTo) - now;
  if (left < soonMs) warn(`its certificate is valid for ${Math.max(0, Math.floor(left / 86_400_000))} more days (until ${validTo.slice(0, 10)})`, 'give it a new one before that: the cluster stops on the day after');

  if (bytes('maintenance_work_mem') < maintenanceBytes) warn(`maintenance_work_mem is ${inMb(bytes('maintenance_work_mem'))}, the vendor asks for 512 MB or more`, 'set maintenance_work_mem = 512MB');
  const small = [['shared_buffers', 'a quarter', 1 / 4], ['effective_cache_size', 'three quarters', 3 / 4]] as const;
  for (const [setting, part, share] of small) {
    if (bytes(setting) < memoryBytes * share) warn(`${setting} is ${inMb(bytes(setting))}, the vendor asks for ${part} of the memory, which is 64 GB or more`, `set ${setting} to ${part} of that machine's memory`);
  }
  return problems;
}

const inMb = (bytes: number): string => `${Math.round(bytes / mb)} MB`;
