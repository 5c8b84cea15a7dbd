/** Breaks what a lab's hosts need, as its administrator would by mistake: commands as root inside one host, and SQL as the database's superuser. */
import { execFile } from 'node:child_process';
import type { LabStatus } from '../../lab/status';

const asRoot = process.getuid?.() === 0 ? [] : ['sudo', '-n', '--'];

function run(argv: readonly string[], stdin = ''): Promise<string> {
  return new Promise((done, fail) => {
    const [program = '', ...args] = [...asRoot, ...argv];
    const child = execFile(program, args, { timeout: 30_000 }, (error, stdout, stderr) => {
      if (error) fail(new Error(`${argv.join(' ')}: ${stderr || stdout || error.message}`));
      else done(stdout);
    });
    child.stdin!.end(stdin);
  });
}

/** A shell script as root in all namespaces of a host. */
export async function onHost(lab: LabStatus, host: string, text: string): Promise<string> {
  const init = lab.hosts.find(({ name }) => name === host)?.pids['sshd'];
  if (init === undefined) throw new Error(`${host} is off`);
  return run(['nsenter', `--target=${init}`, '--mount', '--uts', '--ipc', '--net', '--pid', '--', '/bin/sh', '-e'], text);
}

/** The shared files of a Server become a FUSE file system that nobody serves: the kernel waits for an answer for ever, as it does for a file server that is gone. Its holder reads what the kernel asks and answers nothing, until it is killed; the `cat` behind it ends when the holder lets go of its output: it is mounted then. */
export const deadMount = (lab: LabStatus, host: string): Promise<string> => onHost(lab, host, `
[ -e /dev/fuse ] || mknod /dev/fuse c 10 229
setsid --fork sh -ec 'exec 3<>/dev/fuse; mount -i -t fuse -o fd=3,rootmode=40000,user_id=0,group_id=0,allow_other dead /srv/st/shared; echo $$ >/run/dead.pid; exec cat <&3 >/dev/null 2>&1' </dev/null 2>&1 | cat
[ -s /run/dead.pid ]`);
/** Its holder first: it would end by itself once nobody is left who waits for the file system. */
export const mendMount = (lab: LabStatus, host: string): Promise<string> => onHost(lab, host, 'kill "$(cat /run/dead.pid)"; umount -l /srv/st/shared; rm /run/dead.pid');

/** Gives the database another certificate of the lab's authority, and answers once it shows it. `null`: the one it came with. */
export async function databaseCertificate(lab: LabStatus, change: { days: number; keyUsage: string } | null): Promise<void> {
  const { address } = lab.database;
  const db = lab.hosts.find(({ name }) => name === lab.database.host)!;
  const text = change === null ? 'cd "$etc"; mv tls.crt.kept tls.crt; mv tls.key.kept tls.key' : `
made=$(mktemp -d); cd "$made"
printf 'subjectAltName=IP:${address}\nkeyUsage=critical,${change.keyUsage}\nextendedKeyUsage=serverAuth\n' >extensions
openssl req -newkey rsa:2048 -nodes -subj /CN=db1 -keyout key -out request 2>/dev/null
openssl x509 -req -in request -CA '${lab.dir}/ca.pem' -CAkey '${lab.dir}/ca.key' -days ${change.days} -extfile extensions -out crt 2>/dev/null
cd "$etc"; mv tls.crt tls.crt.kept; mv tls.key tls.key.kept
install -m 0644 "$made/crt" tls.crt; install -m 0600 -o 2011 "$made/key" tls.key
rm -r "$made"`;
  await run(['/bin/sh', '-e'], `etc=/proc/${db.pids['sshd']}/root/etc/st-lab\n${text}`);
  await sql(lab, 'postgres', 'SELECT pg_reload_conf()');
  await run(['/bin/sh', '-e'], `
wanted=$(openssl x509 -noout -serial -in /proc/${db.pids['sshd']}/root/etc/st-lab/tls.crt)
for look in $(seq 100); do
  [ "$(echo | openssl s_client -starttls postgres -connect ${address}:5432 2>/dev/null | openssl x509 -noout -serial)" != "$wanted" ] || exit 0
done
echo 'the certificate is not shown' >&2
exit 1
`);
}

/** SQL as the superuser; answers the rows without a header, a line each. */
export function sql(lab: LabStatus, database: string, text: string): Promise<string> {
  return onHost(lab, 'db1', `cd /; setpriv --reuid=postgres --regid=postgres --clear-groups psql -X -q -t -A -v ON_ERROR_STOP=1 -h /run/postgresql -d '${database}' <<'SQL'\n${text}\nSQL\n`);
}

/** Changes files on the balancer's host and reloads HAProxy, which forgets what its socket was told; answers once the new process has taken over. */
export function reloadBalancer(lab: LabStatus, text: string): Promise<string> {
  return onHost(lab, 'lb1', `${text}
old=$(ps -o pid= --ppid "$(cat /run/haproxy/haproxy.pid)")
kill -USR2 "$(cat /run/haproxy/haproxy.pid)"
for look in $(seq 200); do
  kill -0 $old 2>/dev/null || exit 0
  sleep 0.05
done
echo 'HAProxy was not reloaded within 10 s' >&2
exit 1
`);
}
