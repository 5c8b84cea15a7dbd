/**
 * Who there is on a lab host and what they may do: the files of its /etc. All text, no effects but `writeEtc`.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { checkout, hostFolder } from './place';
import { hasProduct, hostOf, users, type LabHost, type LabPlan } from './plan';

/** `/etc/passwd`, `/etc/group` and `/etc/shadow`. `*` is "no password", which sshd without PAM does not take for locked, as it does `!`. */
export function accounts(): { passwd: string; group: string; shadow: string } {
  const passwd = ['root:x:0:0:root:/root:/bin/bash', 'nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin'];
  const group = ['root:x:0:', 'tty:x:5:', 'nogroup:x:65534:'];
  const shadow = ['root:*:19700::::::', 'nobody:*:19700::::::'];
  for (const [name, user] of Object.entries(users)) {
    passwd.push(`${name}:x:${user.uid}:${user.uid}:${name}:${user.home}:${user.shell}`);
    const members = Object.entries(users).filter(([, u]) => (u.groups as readonly string[]).includes(name)).map(([n]) => n);
    group.push(`${name}:x:${user.uid}:${members.join(',')}`);
    shadow.push(`${name}:*:19700::::::`);
  }
  const text = (lines: string[]): string => `${lines.join('\n')}\n`;
  return { passwd: text(passwd), group: text(group), shadow: text(shadow) };
}

/** `/etc/hosts` of every host of the lab. */
export function hostsFile(plan: LabPlan): string {
  return `${['127.0.0.1 localhost', ...(plan.options.ipv6 === true ? ['::1 localhost'] : []), ...plan.hosts.map((h) => `${h.address} ${h.name}`)].join('\n')}\n`;
}

/** sshd's configuration: keys only; a host behind the jump host takes logins from nowhere else. */
export function sshdConfig(plan: LabPlan, host: LabHost): string {
  const from = host.behindJump === true ? `@${hostOf(plan, 'jump').address}` : '';
  return [
    'Port 22',
    'HostKey /etc/ssh/ssh_host_ed25519_key',
    'PidFile /run/sshd.pid',
    'AuthenticationMethods publickey',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'PermitRootLogin no',
    `AllowUsers ops${from}`,
    'UsePAM no',
    'UseDNS no',
    'PrintMotd no',
    'PrintLastLog no',
    'MaxStartups 200',
    'MaxSessions 100',
    'AllowTcpForwarding yes',
    'AllowStreamLocalForwarding yes',
    'Subsystem sftp internal-sftp',
    '',
  ].join('\n');
}

/** The stock sudoers of Debian, less its own groups. */
const sudoers = `Defaults env_reset
Defaults use_pty
Defaults secure_path="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
root ALL=(ALL:ALL) ALL
@includedir /etc/sudoers.d
`;

/** Nobody has a password here, so PAM has only to let sudo's account and session steps pass. */
const pam = `auth required pam_deny.so
account required pam_permit.so
password required pam_deny.so
session required pam_permit.so
`;

const nsswitch = `passwd: files
group: files
shadow: files
hosts: files
services: files
protocols: files
`;

/** `/etc/mtab` of a Server: the shared files as from a NAS. */
export const mountTable = (options = 'rw,relatime,vers=4.2,sync,noac,hard,proto=tcp'): string =>
  `lab-root / tmpfs rw,relatime,mode=755 0 0\nproc /proc proc rw,relatime 0 0\nnas1:/export/st /srv/st/shared nfs4 ${options} 0 0\n`;

/**
 * Writes the /etc of a host into its folder; keys are added by others.
 * @param init script that the host runs at power-on, or undefined.
 */
export function writeEtc(plan: LabPlan, host: LabHost, init: string | undefined): void {
  const etc = path.join(hostFolder(plan.name, host.name), 'etc');
  const write = (name: string, text: string, mode = 0o644): void => {
    const file = path.join(etc, name);
    fs.mkdirSync(path.dirname(file), { recursive: true, mode: 0o755 });
    fs.writeFileSync(file, text);
    fs.chmodSync(file, mode);
  };
  const { passwd, group, shadow } = accounts();
  write('passwd', passwd);
  write('group', group);
  write('shadow', shadow, 0o600);
  write('nsswitch.conf', nsswitch);
  write('hostname', `${host.name}\n`);
  write('hosts', hostsFile(plan));
  write('pam.d/sudo', pam);
  write('pam.d/other', pam);
  write('sudoers', sudoers, 0o440);
  if (hasProduct(host)) {
    write('sudoers.d/st-orchestrator', fs.readFileSync(path.join(checkout, 'docs/sudoers.example'), 'utf8'), 0o440);
  } else {
    fs.mkdirSync(path.join(etc, 'sudoers.d'), { recursive: true });
  }
  // Shared files are one folder bound into each Server; as what they are mounted is told here, where every program looks that a person asks.
  if (host.role === 'server') write('mtab', mountTable());
  write('ssh/sshd_config', sshdConfig(plan, host));
  if (init !== undefined) write('st-lab/init', init, 0o755);
}
