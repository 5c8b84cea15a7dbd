/**
 * The Server that the conformance tests speak to: one that stands somewhere and is named by ST_CONFORMANCE_URL, or one that they set up in a
 * lab. Written for a real Server, so nothing in the tests knows a stand-in but what says so.
 */
import { readFileSync } from 'node:fs';
import { resolveSecret } from '../../../src/clients/secrets';
import { prepareLab, type Witnessed } from './prepareLab';
import { runShell, type Ran } from './shell';

export interface Target {
  address: string;
  port: number;
  user: string;
  password: string;
  /** PEM. */
  ca: string;
  /** Folder of the accounts' home folders on the Server. */
  homes: string;
  fileDriveHome: string;
  /** Runs text by a shell of the product's user on the Server's host; `$home` is FILEDRIVEHOME. */
  shell(text: string): Promise<Ran>;
  close(): Promise<void>;
}

/** A lab has more: a second Server, the superuser of the database, and what was seen while it was set up. */
export interface LabTarget extends Target {
  second: Target;
  sql(text: string): Promise<string>;
  database: { host: string; port: number; databaseName: string; username: string; password: string };
  witnessed: Witnessed;
}

const environment = process.env;
export const standing = environment['ST_CONFORMANCE_URL'] !== undefined;
/** Whether tests may stop services and lock accounts. */
export const destructive = !standing || environment['ST_CONFORMANCE_DESTRUCTIVE'] === '1';
/** Whether there is a way to the Server's host. */
export const withShell = !standing || environment['ST_CONFORMANCE_SHELL'] !== undefined;

/** @throws Error that names what is missing in the environment. */
export async function openTarget(): Promise<Target | LabTarget> {
  if (!standing) return prepareLab();
  const url = new URL(needed('ST_CONFORMANCE_URL'));
  const shell = environment['ST_CONFORMANCE_SHELL'] ?? '';
  const fileDriveHome = environment['ST_CONFORMANCE_FILEDRIVEHOME'] ?? '/opt/axway/SecureTransport';
  return {
    address: url.hostname,
    port: Number(url.port || 443),
    user: needed('ST_CONFORMANCE_USER'),
    password: (await resolveSecret(needed('ST_CONFORMANCE_PASSWORD'))).reveal(),
    ca: readFileSync(needed('ST_CONFORMANCE_CA'), 'utf8'),
    homes: environment['ST_CONFORMANCE_HOMES'] ?? '/home',
    fileDriveHome,
    shell: (text) => runShell(['/bin/sh', '-c', `exec ${shell}`], fileDriveHome, text),
    close: async () => undefined,
  };
}

function needed(name: string): string {
  const value = environment[name];
  if (!value) throw new Error(`${name} is not set; lab/standin/README.md says what a standing Server needs`);
  return value;
}
