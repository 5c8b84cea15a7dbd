import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { setFrozen, isFrozen } from '../../lab/freezer';
import { reaches } from '../../lab/hosts';
import { identify, isAlive, processesOfNamespace } from '../../lab/processes';
import { until } from '../../lab/shell';
import type { LabStatus } from '../../lab/status';
import { balancer, connectDatabase, exec, greeting, home, host, lab, name, serveGreeting, snapshot, ssh, sshOptions, status, wrapper } from './estate';

jest.setTimeout(60_000);

beforeAll(() => lab('up', '--servers', '3', '--spare', '1', '--die-with', String(process.pid)), 60_000);
afterAll(async () => {
  await lab('down');
  fs.rmSync(home, { recursive: true, force: true });
}, 60_000);

describe('a lab that was brought up', () => {
  it('has every host up, each with an ssh daemon as its process 1', async () => {
    const { hosts } = await status();
    expect(hosts.map((h) => `${h.name} ${h.state}`)).toEqual(['db1 up', 'lb1 up', 'jump1 up', 'st1 up', 'st2 up', 'st3 up', 'sp1 up']);
    const seen = await ssh('st1', 'cat /proc/1/comm; hostname; id -un; pwd');
    expect(seen.stdout.split('\n')).toEqual(['sshd', 'st1', 'ops', '/home/ops', '']);
  });

  it('shows a host nothing of the machine: its own processes, users, files and addresses only', async () => {
    const seen = await ssh('st1', 'ls /proc | grep -c "^[0-9]"; ls /home /opt /srv; getent passwd | grep -c .');
    expect((await ssh('st1', `ls '${path.dirname(wrapper)}'`)).code).not.toBe(0);
    expect(Number(seen.stdout.split('\n')[0])).toBeLessThan(12);
    expect(seen.stdout).toContain('/home:\naxway\nops\n');
    expect(seen.stdout).toContain('/opt:\naxway\ninstall\nst-lab\n');
    expect(seen.stdout).toMatch(/\n7\n/);
    const net = await ssh('st1', 'cat /proc/net/dev | tail -n +3 | cut -d: -f1; getent hosts st3');
    expect(net.stdout.replaceAll(' ', '').split('\n').slice(0, 2).sort()).toEqual(['eth0', 'lo']);
    expect(net.stdout).toContain((await host('st3')).address);
  });

  it('lets nobody in with another key, nor accepts a host under a wrong host key', async () => {
    const { ssh: to } = await host('st1');
    const key = path.join(home, 'stranger');
    await exec('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key]);
    const stranger = await exec('ssh', [...sshOptions(key, to.knownHosts), `ops@${to.address}`, 'true']);
    expect(stranger).toMatchObject({ code: 255, stderr: expect.stringContaining('Permission denied') as string });
    const wrong = path.join(home, 'known_hosts.wrong');
    fs.writeFileSync(wrong, `${to.address} ${fs.readFileSync(`${key}.pub`, 'utf8')}`);
    const mismatch = await exec('ssh', [...sshOptions(to.key, wrong), `ops@${to.address}`, 'true']);
    expect(mismatch).toMatchObject({ code: 255, stderr: expect.stringContaining('Host key verification failed') as string });
  });

  it('lets ops do as axway exactly what the sudoers example lists', async () => {
    const allowed = await ssh('st1', [
      'echo content | sudo -n -u axway /usr/bin/tee /opt/axway/probe',
      'sudo -n -u axway /usr/bin/chmod 0600 /opt/axway/probe',
      'sudo -n -u axway /usr/bin/test -f /opt/axway/probe',
      'sudo -n -u axway /usr/bin/mv -f /opt/axway/probe /opt/axway/probe2',
      'sudo -n -u axway /usr/bin/cat /opt/axway/probe2',
      'sudo -n -u axway /usr/bin/touch /srv/st/shared/probe',
    ].join(' && '));
    expect(allowed).toMatchObject({ code: 0, stdout: 'content\ncontent\n' });
    for (const forbidden of [
      'sudo -n id', 'sudo -n -u axway /usr/bin/id', 'sudo -n -u axway /bin/sh', 'sudo -n -u axway /usr/bin/cat /etc/shadow',
      'sudo -n -u axway /usr/bin/rm -rf /srv/st/shared', 'sudo -n -u root /usr/bin/cat /opt/axway/probe2',
    ]) {
      expect({ forbidden, ...(await ssh('st1', forbidden)) }).toMatchObject({ forbidden, code: 1, stdout: '', stderr: expect.stringMatching(/password is required|not allowed/) as string });
    }
    expect(await ssh('st1', 'cat /opt/axway/probe2')).toMatchObject({ code: 1 });
  });

  it('gives the Servers of one cluster the same shared files, and the other cluster its own', async () => {
    await ssh('st1', 'sudo -n -u axway /usr/bin/touch /srv/st/shared/seen-by-all');
    expect((await ssh('st3', 'ls /srv/st/shared')).stdout).toContain('seen-by-all');
    expect((await ssh('sp1', 'ls /srv/st/shared')).stdout).toBe('');
  });

  it('reaches st2 through the jump host, and not past it', async () => {
    expect((await ssh('st2', 'hostname')).stdout).toBe('st2\n');
    expect(await ssh('st2', 'hostname', { direct: true })).toMatchObject({ code: 255 });
  });

  it('runs the product\'s node for the product\'s user, with the packages it needs', async () => {
    const { dir } = await status();
    const env = fs.readFileSync(path.join(dir, 'package/SecureTransport_5.5/standin.env'), 'utf8');
    const [, node = ''] = /^NODE=(.*)$/m.exec(env) ?? [];
    const [, standin = ''] = /^STANDIN=(.*)$/m.exec(env) ?? [];
    const { pid } = { pid: (await host('st1')).pids['sshd'] };
    const program = 'require.resolve("pg", {paths: [process.argv[1]]}); console.log(process.getuid(), require("fs").existsSync(process.argv[1] + "/install.js"))';
    const ran = await exec('nsenter', [`--target=${pid}`, '--mount', '--pid', '--net', '--setgid=2002', '--setuid=2002', '--', node, '-e', program, standin]);
    expect(ran).toMatchObject({ code: 0, stdout: '2002 true\n' });
  });
});

describe('the database host', () => {
  it('takes logins by TLS with the lab\'s authority only', async () => {
    const client = await connectDatabase();
    const { rows } = await client.query<{ ssl: boolean; max: string }>('select ssl, current_setting(\'max_connections\') as max from pg_stat_ssl where pid = pg_backend_pid()');
    await client.end();
    expect(rows).toEqual([{ ssl: true, max: '1000' }]);
    await expect(connectDatabase({ ssl: false })).rejects.toThrow(/no encryption|pg_hba/);
    await expect(connectDatabase({ password: 'wrong' })).rejects.toThrow(/password authentication failed/);
  });

  it('gives each cluster a role that owns its database and may create in the three tablespaces', async () => {
    const client = await connectDatabase();
    const owner = await client.query<{ owner: string; space: string }>(
      'select pg_get_userbyid(datdba) as owner, spcname as space from pg_database join pg_tablespace t on t.oid = dattablespace where datname = current_database()');
    await client.query('create table probe (a int) tablespace st_filetracking');
    const table = await client.query<{ tablespace: string }>('select tablespace from pg_tables where tablename = \'probe\'');
    await client.query('drop table probe');
    await client.end();
    expect(owner.rows).toEqual([{ owner: name, space: 'st_data' }]);
    expect(table.rows).toEqual([{ tablespace: 'st_filetracking' }]);
    const state = await connectDatabase({ database: `${name}_orchestrator` });
    await state.query('create table probe (a int); drop table probe');
    await state.end();
  });
});

describe('the balancer', () => {
  it('sends clients nowhere until the map names a site, and then to the Servers that are ready', async () => {
    const { balancer: { address, fronts: [front] } } = await status();
    if (front === undefined) throw new Error('no front');
    await Promise.all([serveGreeting('st1'), serveGreeting('st3')]);
    expect(await balancer(`set server ${front.healthBackend}/st1 state ready`)).toBe('');
    expect(await greeting(address, front.ssh)).toBeUndefined();

    expect(await balancer(`set map /etc/haproxy/maps/site.map ${name} ${front.siteBackends['prod']}`)).toBe('');
    await until('st1 to be chosen', async () => (await greeting(address, front.ssh)) === 'hello from st1');
    expect(await balancer(`set server ${front.healthBackend}/st1 state maint`)).toBe('');
    await until('nobody to be chosen', async () => (await greeting(address, front.ssh)) === undefined);
    expect(await balancer(`set server ${front.healthBackend}/st3 state ready`)).toBe('');
    await until('st3 to be chosen', async () => (await greeting(address, front.ssh)) === 'hello from st3');

    const { balancer: seen } = await snapshot();
    expect(seen?.map).toContain(`${name} ${front.siteBackends['prod']}`);
    expect(seen?.mapFile).toContain(`${name} none`);
    expect(seen?.servers).toMatchObject({ [`${name}_hc/st3`]: 'ready', [`${name}_prod_ssh/st3`]: 'ready', [`${name}_prod_https/st1`]: 'maint inherited' });
    expect(await balancer(`set map /etc/haproxy/maps/site.map ${name} none`)).toBe('');
    expect(await greeting(address, front.ssh)).toBeUndefined();
  });

  it('lets ops replace the map file', async () => {
    const replaced = await ssh('lb1', 'cd /etc/haproxy/maps && cp site.map site.map.new && mv -f site.map.new site.map && cat site.map');
    expect(replaced).toMatchObject({ code: 0, stdout: `${name} none\n${name}2 none\n` });
  });
});

describe('a fault', () => {
  it('kill ends everything on a host at once, start brings it back on the same files and starts no product', async () => {
    await ssh('st3', 'echo kept > kept');
    const before = await host('st3');
    const init = identify(before.pids['sshd'] ?? 0);
    await lab('kill', 'st3');
    expect(init !== undefined && isAlive(init)).toBe(false);
    expect(await host('st3')).toMatchObject({ state: 'off', pids: {} });
    expect(await reaches(before.address, 22)).toBe(false);
    await lab('start', 'st3');
    expect((await ssh('st3', 'cat kept; ls /tmp')).stdout).toBe('kept\n');
    expect(Object.keys((await host('st3')).pids)).toEqual(['sshd']);
  });

  it('start brings the database and the balancer back as they were saved', async () => {
    await Promise.all([lab('kill', 'db1'), lab('kill', 'lb1')]);
    await expect(connectDatabase()).rejects.toThrow();
    await Promise.all([lab('start', 'db1'), lab('start', 'lb1')]);
    await (await connectDatabase()).end();
    expect((await snapshot()).balancer?.servers[`${name}_hc/st1`]).toBe('maint');
  });

  it('freeze stops every process and keeps connections; thaw lets them go on', async () => {
    const { address } = await host('st1');
    await lab('freeze', 'st1');
    expect((await host('st1')).state).toBe('frozen');
    // The kernel still takes connections; nobody greets.
    expect(await reaches(address, 22)).toBe(true);
    expect((await exec('bash', ['-c', 'exec 3<>"/dev/tcp/$0/22" && timeout 0.5 head -n 1 <&3', address])).stdout).toBe('');
    await lab('thaw', 'st1');
    expect((await host('st1')).state).toBe('up');
    expect((await ssh('st1', 'true')).code).toBe(0);
  });

  it('a frozen database answers nobody, also by what was started on its host from outside', async () => {
    const client = await connectDatabase();
    await lab('freeze', 'db1');
    let answered = false;
    const answer = client.query('select 1').then(() => (answered = true));
    const { address } = await host('db1');
    // Asked so, a database that runs answers one letter at once, without a login.
    expect((await exec('bash', ['-c', 'exec 3<>"/dev/tcp/$0/5432" && printf "\\0\\0\\0\\10\\4\\322\\26\\57" >&3 && timeout 1 head -c 1 <&3', address])).stdout).toBe('');
    expect(answered).toBe(false);
    await lab('thaw', 'db1');
    expect(await answer).toBe(true);
    await client.end();
  });

  it('freezes by signals where the kernel has no freezer', async () => {
    const init = (await host('st1')).pids['sshd'] ?? 0;
    await setFrozen(undefined, init, true);
    expect(isFrozen(undefined, init)).toBe(true);
    expect(processesOfNamespace(init).every((p) => p.state === 'T')).toBe(true);
    await setFrozen(undefined, init, false);
    expect((await ssh('st1', 'true')).code).toBe(0);
  });

  it('a frozen host can be killed', async () => {
    await lab('freeze', 'st1');
    await lab('kill', 'st1');
    expect((await host('st1')).state).toBe('off');
    await lab('start', 'st1');
    expect((await ssh('st1', 'true')).code).toBe(0);
  });

  it('cut isolates a host that goes on running; heal ends that', async () => {
    const { address, pids } = await host('st1');
    await lab('cut', 'st1');
    expect(await host('st1')).toMatchObject({ state: 'cut', pids });
    expect(await reaches(address, 22)).toBe(false);
    await lab('heal', 'st1');
    expect((await host('st1')).state).toBe('up');
    await until('st1 to answer', () => reaches(address, 22));
  });

  it('slow makes a cable slow for every protocol, loss lets it lose packets, and both can be taken back', async () => {
    const { address } = await host('st3');
    const connects = async (): Promise<number> => {
      const start = performance.now();
      expect(await reaches(address, 22, 5_000)).toBe(true);
      return performance.now() - start;
    };
    await lab('slow', 'st3', '300ms');
    expect(await connects()).toBeGreaterThanOrEqual(300);
    await lab('loss', 'st3', '100%');
    expect((await host('st3')).cable).toEqual({ slowMs: 300, lossPercent: 100 });
    expect(await reaches(address, 22, 1_500)).toBe(false);
    await lab('loss', 'st3', '0%');
    expect(await connects()).toBeGreaterThanOrEqual(300);
    await lab('slow', 'st3', '0ms');
    expect((await host('st3')).cable).toBeUndefined();
    expect(await connects()).toBeLessThan(300);
  });

  it('block lets one host reach a port of another no more, in one direction; unblock ends that', async () => {
    const { address } = await host('st3');
    const from = async (wanted: string, port: number): Promise<string> => (await ssh(wanted, `timeout 1 bash -c 'exec 3<>/dev/tcp/${address}/${port}' 2>&1 | grep -q refused && echo refused || echo silent`)).stdout.trim();
    await lab('block', 'st1', 'st3', '8088');
    expect([await from('st1', 8088), await from('st1', 8089), await from('st2', 8088)]).toEqual(['silent', 'refused', 'refused']);
    await lab('unblock', 'st1', 'st3', '8088');
    expect(await from('st1', 8088)).toBe('refused');
    await expect(lab('block', 'st1', 'st3', '8088/icmp')).rejects.toThrow('port "8088/icmp": expected a number from 1 to 65535, alone or with /tcp or /udp');
  });

  it('skew sets the clock off as date tells it, ahead or behind; 0s sets it right', async () => {
    const off = async (): Promise<number> => Math.round((Number((await ssh('st3', 'date +%s%3N')).stdout) - Date.now()) / 10_000);
    await lab('skew', 'st3', '60s');
    expect(await off()).toBe(6);
    await lab('skew', 'st3', '90s', '--behind');
    expect(await off()).toBe(-9);
    await lab('skew', 'st3', '0s');
    expect(await off()).toBeCloseTo(0);
  });

  it('fill leaves not one byte free for the product, empty gives the disk back with what was written since', async () => {
    const write = async (file: string): Promise<number> => (await ssh('st3', `echo content | sudo -n -u axway /usr/bin/tee /opt/axway/${file}`)).code;
    expect(await write('before')).toBe(0);
    await lab('fill', 'st3');
    expect((await ssh('st3', 'sudo -n -u axway /usr/bin/cat /opt/axway/before; stat -f -c %a /opt/axway')).stdout).toBe('content\n0\n');
    expect(await write('meanwhile')).toBe(1);
    await lab('empty', 'st3');
    expect(await write('after')).toBe(0);
    expect((await ssh('st3', 'ls -A /opt/axway')).stdout).toBe('after\nbefore\nmeanwhile\n');
  });

  it('refuses a host that there is not, and says which there are', async () => {
    await expect(lab('kill', 'st9')).rejects.toThrow('no host "st9"; it has db1, lb1, jump1, st1, st2, st3, sp1');
  });
});

describe('reset', () => {
  it('is back to the first state within 5 s, with the same keys', async () => {
    const client = await connectDatabase();
    await client.query('create table left_over (a int)');
    await client.end();
    await ssh('st1', 'echo 1 > left_over; sudo -n -u axway /usr/bin/touch /srv/st/shared/left_over; echo x | sudo -n -u axway /usr/bin/tee /opt/axway/left_over');
    await lab('kill', 'st2');
    await lab('cut', 'st3');
    await lab('slow', 'st1', '100ms');
    await lab('block', 'st1', 'sp1');
    const { dir } = await status();
    const keys = fs.readFileSync(path.join(dir, 'known_hosts'), 'utf8');
    expect((await snapshot()).hosts['st1']?.files).toHaveProperty('left_over');

    const start = performance.now();
    await lab('reset');
    expect(performance.now() - start).toBeLessThan(5000);

    const after = await status();
    expect(after.hosts.every((h) => h.state === 'up' && h.cable === undefined)).toBe(true);
    expect((await ssh('st1', `timeout 2 bash -c 'exec 3<>/dev/tcp/sp1/22' && echo open`)).stdout).toBe('open\n');
    expect(fs.readFileSync(path.join(dir, 'known_hosts'), 'utf8')).toBe(keys);
    expect((await ssh('st1', 'ls /home/ops /srv/st/shared')).stdout).toBe('/home/ops:\n\n/srv/st/shared:\n');
    const state = await snapshot();
    expect(state.hosts['st1']).toEqual({ services: [], files: {}, markers: [] });
    expect(state.databases[name]).toEqual({});
    expect(state.balancer?.map).toEqual([`${name} none`, `${name}2 none`]);
    expect(Object.values(state.balancer?.servers ?? {}).every((s) => s.startsWith('maint'))).toBe(true);
    expect(await snapshot()).toEqual(state);
  });
});

describe('down', () => {
  const left = async (of: string, index: string): Promise<Record<string, unknown>> => ({
    namespaces: (await exec('ip', ['netns', 'list'])).stdout.split('\n').filter((l) => new RegExp(`^stl${index}(-| |$)`).test(l)),
    links: (await exec('ip', ['-br', 'link'])).stdout.split('\n').filter((l) => new RegExp(`^stl${index}[@ uv]`).test(l)),
    mounts: fs.readFileSync('/proc/self/mountinfo', 'utf8').split('\n').filter((l) => l.includes(path.join(home, of))),
    paths: [path.join(home, of), `/run/st-lab/${of}`, `/run/st-lab/.index/${index}`].filter((p) => fs.existsSync(p)),
  });
  const nothing = { namespaces: [], links: [], mounts: [], paths: [] };
  const indexOf = (now: LabStatus): string => now.gateway.split('.')[2] ?? '';

  it('leaves no namespace, link, mount, file or process', async () => {
    const now = await status();
    const processes = now.hosts.flatMap((h) => processesOfNamespace(h.pids['sshd'] ?? 0)).map((p) => identify(p.pid));
    expect(processes.length).toBeGreaterThanOrEqual(now.hosts.length);
    await lab('down');
    expect(processes.filter((p) => p !== undefined && isAlive(p))).toEqual([]);
    expect(await left(name, indexOf(now))).toEqual(nothing);
  });

  it('finds nothing to do where there is nothing', async () => {
    expect(await lab('down')).toBe('');
  });

  it('happens by itself when the process named by --die-with is gone', async () => {
    const owner = spawn('sleep', ['600']);
    await lab('up', '--servers', '1', '--die-with', String(owner.pid));
    const now = await status();
    owner.kill();
    await until('the lab to be gone', async () => !fs.existsSync(path.join(home, name)) && !fs.existsSync(`/run/st-lab/.lock-${name}`), 15_000, 100);
    expect(await left(name, indexOf(now))).toEqual(nothing);
  });

  it('removes what a killed `up` left behind', async () => {
    const half = spawn(wrapper, ['up', '--name', name, '--servers', '2'], { env: { ...process.env, ST_LAB_HOME: home }, stdio: 'ignore' });
    const record = path.join(home, name, 'hosts/st1/host.json');
    await until('the first host to run', () => fs.existsSync(record), 20_000, 2);
    half.kill('SIGKILL');
    const index = fs.readdirSync('/run/st-lab/.index').find((i) => fs.readlinkSync(`/run/st-lab/.index/${i}`) === name) ?? '';
    expect(index).not.toBe('');
    // Even when somebody removed the lab's folder in the belief that this was all.
    fs.rmSync(path.join(home, name, 'lab.json'));
    await lab('down');
    expect(await left(name, index)).toEqual(nothing);
  });
});
