/** What can be wrong with an estate before a set-up: how a test breaks it, how it is mended, and exactly what people are told. */
import { chmodSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LabStatus } from '../../lab/status';
import { databaseCertificate, deadMount, mendMount, onHost, reloadBalancer, sql } from './breaking';
import type { Lab } from './lab';

export interface Fault {
  break: () => Promise<unknown> | void;
  mend: () => Promise<unknown> | void;
  /** Exactly what people read: "what. Remedy: remedy", or a failure that has both in its own words. */
  told: () => string[];
}

/** Whom and what a fault is about; a lab is brought up after the names of the tests are known. */
export interface Estate {
  lab: Lab;
  status: LabStatus;
}

/** The host key of a host as known_hosts has it. */
export const knownKey = ({ lab, status }: Estate, name: string): string => {
  const { address } = status.hosts.find((host) => host.name === name)!;
  return readFileSync(join(lab.dir, 'known_hosts'), 'utf8').split('\n').find((line) => line.startsWith(`${address},`))!.split(' ').slice(1).join(' ');
};

export function prerequisiteFaults(at: () => Estate) {
  const address = (name: string): string => at().status.hosts.find((host) => host.name === name)!.address;
  const file = (...parts: string[]): string => join(at().lab.dir, ...parts);
  const database = (): string => at().status.database.databases[0]!.name;
  const databaseAt = (): string => `database ${database()} at ${at().status.database.address}:5432`;
  const coreLicence = (): string => file('licences', at().lab.name, 'filedrive.license');
  const passwordFile = (): string => file('secrets/database-password');
  const setPassword = (): Promise<string> => sql(at().status, 'postgres', `ALTER ROLE "${database()}" PASSWORD '${readFileSync(passwordFile(), 'utf8').trim()}'`);
  const withoutHost = (name: string, content: string): string => content.split('\n').filter((line) => !line.startsWith(`${address(name)},`)).join('\n');

  const comeTogether = 'the Servers of a cluster stand in one network of low latency: bring them together, or raise policies.maximumRoundTrip, knowing what it costs';
  const openThem = 'open what is shut, in this direction, in every firewall between the two and on both hosts';
  const forbiddenPassword = otherContent(passwordFile, () => 'pa$s%word\n');

  return {
    'a licence for fewer nodes': {
      ...otherContent(() => file('licences', at().lab.name, 'st.license'), (content) => content.replace(/ClusterNodes=\d+/, 'ClusterNodes=2')),
      told: () => ['the features licence covers 2 cluster nodes, 3 Servers are listed. Remedy: get a licence for more nodes, or list fewer Servers'],
    },
    'a licence that has expired': {
      ...otherContent(coreLicence, (content) => `${content}ValidTo=2020-01-31\n`),
      told: () => [`the licence ${coreLicence()} has expired. Remedy: get a new one from the vendor`],
    },
    'a wrong password of the database': {
      ...otherContent(passwordFile, () => 'wrong\n'),
      told: () => [`${databaseAt()}: the login of ${database()} was refused (password authentication failed for user "${database()}"). Check the user, and the password that file:${passwordFile()} names. [AuthenticationFailed]`],
    },
    'a secret file that others may read': {
      break: () => chmodSync(passwordFile(), 0o644),
      mend: () => chmodSync(passwordFile(), 0o600),
      told: () => [`Secret file:${passwordFile()} could not be read: its mode is 644 and others may read it; run: chmod 600 ${passwordFile()}. [SecretUnavailable]`],
    },
    'a secret that is missing': {
      break: () => renameSync(passwordFile(), `${passwordFile()}.kept`),
      mend: () => renameSync(`${passwordFile()}.kept`, passwordFile()),
      told: () => [`Secret file:${passwordFile()} could not be read: it does not exist. [SecretUnavailable]`],
    },
    'a database that refuses connections': {
      break: () => onHost(at().status, 'db1', 'iptables -A INPUT -p tcp --dport 5432 -j REJECT --reject-with tcp-reset'),
      mend: () => onHost(at().status, 'db1', 'iptables -F INPUT'),
      told: () => [`${databaseAt()}: connect ECONNREFUSED ${at().status.database.address}:5432 [Unreachable]`],
    },
    'a password of the database that the installer can\'t take': {
      break: () => {
        void forbiddenPassword.break();
        return setPassword();
      },
      mend: () => {
        void forbiddenPassword.mend();
        return setPassword();
      },
      told: () => [`${databaseAt()}: its password holds one of $ % & +, which the installer can't take. Remedy: change the password`],
    },
    'a database that is made otherwise than it should be': {
      break: async () => {
        await sql(at().status, 'postgres', `REVOKE CREATE ON TABLESPACE st_filetracking FROM "${database()}"; ALTER TABLESPACE st_serverlog RENAME TO elsewhere; ALTER DATABASE "${database()}_orchestrator" RENAME TO elsewhere`);
        await sql(at().status, 'postgres', 'ALTER SYSTEM SET autovacuum = off');
        await databaseCertificate(at().status, { days: 20, keyUsage: 'keyEncipherment' });
      },
      mend: async () => {
        await sql(at().status, 'postgres', `GRANT CREATE ON TABLESPACE st_filetracking TO "${database()}"; ALTER TABLESPACE elsewhere RENAME TO st_serverlog; ALTER DATABASE elsewhere RENAME TO "${database()}_orchestrator"`);
        await sql(at().status, 'postgres', 'ALTER SYSTEM RESET autovacuum');
        await databaseCertificate(at().status, null);
      },
      told: () => [
        `${databaseAt()}: autovacuum is off. Remedy: set autovacuum = on`,
        `${databaseAt()}: the role ${database()} may not create in the tablespace st_filetracking. Remedy: GRANT CREATE ON TABLESPACE st_filetracking TO ${database()}`,
        `${databaseAt()}: the tablespace st_serverlog is missing. Remedy: CREATE TABLESPACE st_serverlog …`,
        `${databaseAt()}: the orchestrator's own database ${database()}_orchestrator is missing. Remedy: CREATE DATABASE ${database()}_orchestrator OWNER ${database()}`,
        `${databaseAt()}: its certificate has a key usage without digitalSignature, which the product refuses. Remedy: give it one with digitalSignature in its key usage`,
      ],
    },
    'a database whose certificate has expired': {
      break: () => databaseCertificate(at().status, { days: -1, keyUsage: 'digitalSignature' }),
      mend: () => databaseCertificate(at().status, null),
      told: () => [`${databaseAt()}: its certificate, or that of the authority that signed it, has expired. The database needs one that is valid. [TlsRejected]`],
    },
    'a database with a schema that is not ours': {
      break: () => sql(at().status, database(), 'CREATE TABLE configurationoption (name text)'),
      mend: () => sql(at().status, database(), 'DROP TABLE configurationoption'),
      told: () => ['the database is not empty, and no Server has the secret file (bin/taeh) that belongs to a schema of SecureTransport. Remedy: name an empty database; or, when the schema is this cluster\'s, restore FILEDRIVEHOME/bin/taeh on st1 from a backup'],
    },
    'shared files that are another folder on one host': {
      break: () => onHost(at().status, 'st3', 'mount -t tmpfs -o mode=0755,uid=2002,gid=2002 elsewhere /srv/st/shared'),
      mend: () => onHost(at().status, 'st3', 'umount /srv/st/shared'),
      told: () => ['/srv/st/shared is not shared: a file made on st1 is not there on st3. Remedy: mount the same file system at this path on both'],
    },
    'shared files that can\'t be written': {
      break: () => onHost(at().status, 'st1', 'mount -o remount,bind,ro /srv/st/shared'),
      mend: () => onHost(at().status, 'st1', 'mount -o remount,bind,rw /srv/st/shared'),
      told: () => ['st1: /srv/st/shared can\'t be written by axway (touch: cannot touch \'/srv/st/shared\': Read-only file system). Remedy: mount it read-write and give it to this user'],
    },
    'shared files that are not mounted': {
      break: () => onHost(at().status, 'st3', 'mkdir /run/kept; mount --bind /srv/st/shared /run/kept; umount /srv/st/shared; rmdir /srv/st/shared'),
      mend: () => onHost(at().status, 'st3', 'mkdir /srv/st/shared; mount --bind /run/kept /srv/st/shared; umount /run/kept; rmdir /run/kept'),
      told: () => [
        'st3: the shared file system is not mounted: /srv/st/shared is no folder. Remedy: mount it at this path',
        '/srv/st/shared is not shared: a file made on st1 is not there on st3. Remedy: mount the same file system at this path on both',
      ],
    },
    'shared files on a mount that is dead': {
      break: () => deadMount(at().status, 'st3'),
      mend: () => mendMount(at().status, 'st3'),
      told: () => ['st3: /srv/st/shared does not answer: whoever touches it hangs. Remedy: it is a dead mount: see to the machine that it comes from, or mount it again'],
    },
    'hosts on which nothing could be installed': {
      break: async () => {
        await onHost(at().status, 'st1', `mount -t tmpfs -o mode=1777,noexec elsewhere /tmp
setsid python3 -c 'import socket, time; s = socket.create_server(("", 8005)); open("/run/taken", "w").close(); time.sleep(600)' >/dev/null 2>&1 </dev/null & echo $! >/run/taken.pid
until [ -e /run/taken ]; do sleep 0.01; done`);
        await onHost(at().status, 'st2', 'install -d -o axway -g axway /opt/axway/ST55/bin; touch /opt/axway/ST55/bin/start_all');
        await onHost(at().status, 'st3', 'mount -t tmpfs -o size=100k,uid=2002,gid=2002,ro elsewhere /opt/axway');
      },
      mend: async () => {
        await onHost(at().status, 'st1', 'umount /tmp; kill "$(cat /run/taken.pid)"; rm /run/taken /run/taken.pid');
        await onHost(at().status, 'st2', 'rm -r /opt/axway/ST55');
        await onHost(at().status, 'st3', 'umount /opt/axway');
      },
      told: () => [
        'st1: /tmp is mounted noexec: the installer runs programs from there. Remedy: mount -o remount,exec /tmp for as long as the installation takes',
        'st1: port 8005, which the product needs, is taken by another program. Remedy: "ss -ltnp" as root names it: end it there, or give the product another port',
        'st2: a product stands in /opt/axway/ST55, and FILEDRIVEHOME is /opt/axway/SecureTransport: it is the same path on every Server. Remedy: correct product.fileDriveHome, or take that installation away',
        'st3: 100 KB are free in /opt/axway, expected 524288. Remedy: make room',
        'st3: /opt/axway is mounted read-only. Remedy: mount it read-write',
      ],
    },
    'a host that is far away and one that has another time': {
      break: () => Promise.all([at().lab.run('slow', 'st2', '40ms'), at().lab.run('skew', 'st3', '5s')]),
      mend: () => Promise.all([at().lab.run('slow', 'st2', '0ms'), at().lab.run('skew', 'st3', '0s')]),
      told: () => [
        `st1: the round trip to st2 (${address('st2')}) takes <n> ms (limit 10 ms). Remedy: ${comeTogether}`,
        `st2: the round trip to st3 (${address('st3')}) takes <n> ms (limit 10 ms). Remedy: ${comeTogether}`,
        'st3: the clock is <n> s ahead (limit 1 s). Remedy: synchronise the clocks of all hosts, this one and the orchestrator\'s included',
      ],
    },
    'a Windows host': {
      // What its OpenSSH server makes of a command for /bin/sh.
      break: () => onHost(at().status, 'st3', `printf '#!/bin/sh\necho "/bin/sh is not recognized as an internal or external command," >&2\nexit 1\n' >/etc/cmd; chmod 755 /etc/cmd; sed -i.kept 's,:/home/ops:/bin/bash,:/home/ops:/etc/cmd,' /etc/passwd`),
      mend: () => onHost(at().status, 'st3', 'mv /etc/passwd.kept /etc/passwd; rm /etc/cmd'),
      told: () => [`st3: ops@${address('st3')}:22: this is a Windows host (its shell says "is not recognized as an internal or external command"). The orchestrator works on Linux hosts; run this one by the vendor's own procedure. [Refused]`],
    },
    'ports that are shut in one direction': {
      break: async () => {
        const shut = (host: string, from: string, ways: string[]): Promise<string> => onHost(at().status, host, ways.map((way) => `iptables -A INPUT -s ${address(from)} -p ${way}`).join('\n'));
        await shut('st3', 'st2', ['tcp --dport 8088 -j DROP', 'tcp --dport 7 -j DROP', 'udp --dport 8091:8093 -j DROP', 'tcp --dport 8090 -j REJECT --reject-with tcp-reset']);
        await shut('st1', 'st3', ['tcp --dport 8444 -j DROP', 'udp --dport 8088 -j REJECT']);
        await shut('db1', 'st1', ['tcp --dport 5432 -j DROP']);
      },
      mend: () => Promise.all(['st1', 'st3', 'db1'].map((host) => onHost(at().status, host, 'iptables -F INPUT'))),
      told: () => [
        `st1: ${address('db1')} port 5432 can't be reached from here (no answer). Remedy: open the port in this direction`,
        `st2: st3 (${address('st3')}) can't be reached at TCP 7, 8088 and UDP 8091-8093 (no answer). Remedy: ${openThem}`,
        `st2: st3 (${address('st3')}) can't be reached at TCP 8090 (something turns it away). Remedy: ${openThem}`,
        `st3: st1 (${address('st1')}) can't be reached at TCP 8444 (no answer). Remedy: ${openThem}`,
        `st3: st1 (${address('st1')}) can't be reached at UDP 8088 (something turns it away). Remedy: ${openThem}`,
      ],
    },
    'a product that nobody of ours installed': {
      break: () => onHost(at().status, 'st2', 'install -d -o axway -g axway /opt/axway/SecureTransport; echo Installation completed. >/opt/axway/SecureTransport/install.log'),
      mend: () => onHost(at().status, 'st2', 'rm -r /opt/axway/SecureTransport'),
      told: () => ['st2: a product stands in /opt/axway/SecureTransport that no operation of this cluster installed. Remedy: adopt the cluster it belongs to, or take the host out of this cluster file'],
    },
    'a host where sudo allows nothing': {
      break: () => onHost(at().status, 'st3', 'mv /etc/sudoers.d/st-orchestrator /etc/kept-sudoers'),
      mend: () => onHost(at().status, 'st3', 'mv /etc/kept-sudoers /etc/sudoers.d/st-orchestrator'),
      told: () => [
        'st3: sudo refuses ops to run as axway: everything (sudo: a password is required). Remedy: allow the commands of docs/sudoers.example',
        `st3: ops@${address('st3')}:22: st3: reading in /srv/st/shared: sudo refused (sudo: a password is required). Compare the host's sudoers with docs/sudoers.example. [PermissionDenied]`,
      ],
    },
    'a host where sudo lacks two commands': {
      break: () => onHost(at().status, 'st2', 'sed -i.kept "s,/usr/bin/tee,/usr/bin/wc,; s,/usr/bin/mkdir -p,/usr/bin/wc," /etc/sudoers.d/st-orchestrator; mv /etc/sudoers.d/st-orchestrator.kept /etc/kept-sudoers'),
      mend: () => onHost(at().status, 'st2', 'mv /etc/kept-sudoers /etc/sudoers.d/st-orchestrator'),
      told: () => ['st2: sudo refuses ops to run as axway: /usr/bin/tee /opt/axway/*, /usr/bin/mkdir -p /opt/axway/*. Remedy: allow the commands of docs/sudoers.example'],
    },
    'a host that hides its processes, and lets nobody ask the product\'s user': {
      break: () => onHost(at().status, 'st2', 'sed -i.kept "s,/usr/bin/ps,/usr/bin/wc," /etc/sudoers.d/st-orchestrator; mv /etc/sudoers.d/st-orchestrator.kept /etc/kept-sudoers'),
      mend: () => onHost(at().status, 'st2', 'mv /etc/kept-sudoers /etc/sudoers.d/st-orchestrator'),
      told: () => ['st2: cannot see processes: whether anything of the product runs there can\'t be told, so a stop could not be proven. Remedy: allow the login "sudo -u axway /usr/bin/ps" as in docs/sudoers.example; or mount /proc there without hidepid; ps itself comes with the package procps'],
    },
    'a host that refuses the login': {
      break: () => onHost(at().status, 'st3', 'mv /home/ops/.ssh/authorized_keys /home/ops/.ssh/kept'),
      mend: () => onHost(at().status, 'st3', 'mv /home/ops/.ssh/kept /home/ops/.ssh/authorized_keys'),
      told: () => [`st3: ops@${address('st3')}:22 refused the login with file:${file('keys/id_ed25519')}. Check the user's authorized_keys and the key. [AuthenticationFailed]`],
    },
    'a host that shows another key': {
      ...otherContent(() => file('known_hosts'), (content) => `${withoutHost('st3', content)}${address('st3')},st3 ${knownKey(at(), 'st1')}\n`),
      told: () => [`st3: ops@${address('st3')}:22: it shows the key <hash>, expected <hash> (${file('known_hosts')}). The host was re-installed, or something stands between; verify before changing the file. [HostKeyMismatch]`],
    },
    'a host that nobody knows': {
      ...otherContent(() => file('known_hosts'), (content) => withoutHost('st3', content)),
      told: () => [`st3: ${file('known_hosts')} holds no key for ${address('st3')}. Verify the host's key by another way, then add it (ssh-keyscan -p 22 ${address('st3')}). [HostKeyMismatch]`],
    },
    'a balancer whose map lacks the cluster': {
      break: () => reloadBalancer(at().status, `sed -i.kept '/^${at().lab.name} /d' ${at().status.balancer.map}`),
      mend: () => reloadBalancer(at().status, `mv ${at().status.balancer.map}.kept ${at().status.balancer.map}`),
      told: () => [`lb1: the map ${at().status.balancer.map} has no key "${at().lab.name}". Remedy: add the line "${at().lab.name} none" and reload`],
    },
    'a balancer that goes by another map': {
      break: () => reloadBalancer(at().status, `cp ${at().status.balancer.map} ${at().status.balancer.map}.other; sed -i.kept 's,${at().status.balancer.map},&.other,' /etc/haproxy/haproxy.cfg`),
      mend: () => reloadBalancer(at().status, `mv /etc/haproxy/haproxy.cfg.kept /etc/haproxy/haproxy.cfg; rm ${at().status.balancer.map}.other`),
      told: () => [`lb1: the HAProxy that runs knows no map ${at().status.balancer.map}. Remedy: let a rule of its configuration read that file, and reload; or correct loadBalancer.map`],
    },
    'a balancer that lacks a Server': {
      break: () => reloadBalancer(at().status, 'sed -i.kept "s/ server st3 / server other3 /; s,_hc/st3$,_hc/other3," /etc/haproxy/haproxy.cfg'),
      mend: () => reloadBalancer(at().status, 'mv /etc/haproxy/haproxy.cfg.kept /etc/haproxy/haproxy.cfg'),
      told: () => [`lb1: the backend ${at().lab.name}_hc has no server "st3". Remedy: add it, under the node's name in the cluster file`],
    },
    'a balancer whose file of server states can\'t be written': {
      break: () => onHost(at().status, 'lb1', 'chown root /var/lib/haproxy/server-state && chmod 644 /var/lib/haproxy/server-state'),
      mend: () => onHost(at().status, 'lb1', 'chown ops /var/lib/haproxy/server-state'),
      told: () => ['lb1: ops can\'t write the file of server states /var/lib/haproxy/server-state. Remedy: let that user write it, or correct loadBalancer.stateFile'],
    },
    'a balancer without its socket': {
      break: () => onHost(at().status, 'lb1', 'mv /run/haproxy/admin.sock /run/haproxy/kept.sock'),
      mend: () => onHost(at().status, 'lb1', 'mv /run/haproxy/kept.sock /run/haproxy/admin.sock'),
      told: () => [`lb1: ops@${address('lb1')}:22: socket /run/haproxy/admin.sock: (SSH) Channel open failure: open failed. Nothing listens there, or this user may not use it. [Unreachable]. Remedy: see that its host answers the worker; only one that is gone for good is taken out of "loadBalancer.instances" in the cluster file, and that is applied`],
    },
  } satisfies Record<string, Fault>;
}

/** Another content for a file on the worker's side while a fault lasts. */
export function otherContent(path: () => string, change: (content: string) => string): Pick<Fault, 'break' | 'mend'> {
  let kept = '';
  return {
    break: () => {
      kept = readFileSync(path(), 'utf8');
      writeFileSync(path(), change(kept));
    },
    mend: () => writeFileSync(path(), kept),
  };
}
