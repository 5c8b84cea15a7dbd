/**
 * Key pairs of a lab: its certificate authority, each host's TLS and SSH host keys, the login key of ops.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { giveToCaller, hostFolder, labFolder } from './place';
import { users, type LabHost, type LabPlan } from './plan';
import { run } from './shell';

/** Makes the CA: `ca.pem` for everybody, its key for the lab alone. */
export async function makeAuthority(lab: string): Promise<void> {
  const folder = labFolder(lab);
  await run('openssl', [
    'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '3650',
    '-subj', `/CN=lab ${lab} CA`, '-addext', 'basicConstraints=critical,CA:TRUE', '-addext', 'keyUsage=critical,keyCertSign,cRLSign',
    '-keyout', path.join(folder, 'ca.key'), '-out', path.join(folder, 'ca.pem'),
  ]);
  fs.chmodSync(path.join(folder, 'ca.key'), 0o600);
  giveToCaller(path.join(folder, 'ca.pem'));
}

/** Makes `etc/st-lab/tls.key|tls.crt` of a host, signed by the lab's CA, for its name and its address. */
export async function makeTlsPair(lab: string, host: LabHost): Promise<void> {
  const folder = path.join(hostFolder(lab, host.name), 'etc/st-lab');
  fs.mkdirSync(folder, { recursive: true });
  const key = path.join(folder, 'tls.key');
  const authority = labFolder(lab);
  await run('openssl', [
    'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '825',
    '-CA', path.join(authority, 'ca.pem'), '-CAkey', path.join(authority, 'ca.key'),
    '-subj', `/CN=${host.name}`, '-addext', `subjectAltName=DNS:${host.name},IP:${host.address}`,
    '-addext', 'basicConstraints=critical,CA:FALSE', '-addext', 'keyUsage=critical,digitalSignature', '-addext', 'extendedKeyUsage=serverAuth',
    '-keyout', key, '-out', path.join(folder, 'tls.crt'),
  ]);
  const owner = host.role === 'database' ? users.postgres.uid : users.axway.uid;
  fs.chownSync(key, owner, owner);
  fs.chmodSync(key, 0o600);
}

const makeSshKey = (file: string, comment: string): Promise<string> => run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', comment, '-f', file]);

/** Makes the SSH host key of a host; its public half goes into known_hosts. */
export async function makeHostKey(lab: string, host: LabHost): Promise<void> {
  const folder = path.join(hostFolder(lab, host.name), 'etc/ssh');
  fs.mkdirSync(folder, { recursive: true });
  await makeSshKey(path.join(folder, 'ssh_host_ed25519_key'), `root@${host.name}`);
}

/** Makes `keys/id_ed25519`, the one key that may log in as ops. */
export async function makeLoginKey(lab: string): Promise<void> {
  const folder = path.join(labFolder(lab), 'keys');
  fs.mkdirSync(folder, { recursive: true });
  const key = path.join(folder, 'id_ed25519');
  await makeSshKey(key, `ops@lab-${lab}`);
  giveToCaller(folder, key, `${key}.pub`);
}

/** Public half of the login key, as a line of authorized_keys. */
export const loginKey = (lab: string): string => fs.readFileSync(path.join(labFolder(lab), 'keys/id_ed25519.pub'), 'utf8');

/** Writes known_hosts: every host by address and by name. */
export function writeKnownHosts(plan: LabPlan): void {
  const lines = plan.hosts.map((host) => {
    const [type, key] = fs.readFileSync(path.join(hostFolder(plan.name, host.name), 'etc/ssh/ssh_host_ed25519_key.pub'), 'utf8').split(' ');
    return `${host.address},${host.name} ${type} ${key}\n`;
  });
  const file = path.join(labFolder(plan.name), 'known_hosts');
  fs.writeFileSync(file, lines.join(''));
  giveToCaller(file);
}
