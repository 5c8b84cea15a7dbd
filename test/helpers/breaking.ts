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
