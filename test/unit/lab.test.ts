import { stringify } from 'yaml';
import { count, milliseconds, setting } from '../../lab/arguments';
import { balancerConfiguration } from '../../lab/balancer';
import { postgresSettings } from '../../lab/database';
import { clusterSpec, licences } from '../../lab/files';
import { accounts, hostsFile, sshdConfig } from '../../lab/identity';
import { cable, hostNamespace } from '../../lab/network';
import { grown, hostNamed, planLab, type LabCluster, type LabOptions } from '../../lab/plan';
import { identify, isAlive, signal } from '../../lab/processes';
import { Names } from '../../lab/randomNames';
import { all, until } from '../../lab/shell';
import { loadClusterFile } from '../../src/control/clusterFile';

const options: LabOptions = { name: 'demo', servers: 3, spare: 2, productTimeMs: 300, lies: '1', seed: 1, postgres: {} };

describe('the plan of a lab', () => {
  it('gives every host the address of its role in the lab\'s subnet, and no address twice', () => {
    const { hosts } = planLab({ ...options, servers: 20, spare: 20 }, 7);
    const address = (name: string): string | undefined => hosts.find((h) => h.name === name)?.address;
    expect(['db1', 'lb1', 'jump1', 'st1', 'st20', 'sp1', 'sp20'].map(address))
      .toEqual(['10.86.7.5', '10.86.7.6', '10.86.7.7', '10.86.7.11', '10.86.7.30', '10.86.7.41', '10.86.7.60']);
    expect(new Set(hosts.map((h) => h.address)).size).toBe(hosts.length);
  });

  it('names interfaces within the kernel\'s 15 characters, whatever the index', () => {
    const { hosts } = planLab(options, 249);
    expect(hosts.every((h) => cable(249, h).length <= 15)).toBe(true);
    expect(new Set(hosts.map((h) => hostNamespace(249, h.name))).size).toBe(hosts.length);
  });

  it('puts st2 alone behind the jump host', () => {
    expect(planLab(options, 0).hosts.filter((h) => h.behindJump).map((h) => h.name)).toEqual(['st2']);
  });

  it('refuses names and sizes that could not be built', () => {
    for (const name of ['', 'Demo', '1demo', 'a/b', 'a'.repeat(21), '../x']) expect(() => planLab({ ...options, name }, 0)).toThrow(/lab name/);
    expect(() => planLab({ ...options, servers: 0 }, 0)).toThrow(/1 to 20/);
    expect(() => planLab({ ...options, servers: 21 }, 0)).toThrow(/1 to 20/);
    expect(() => hostNamed(planLab(options, 0), 'st4')).toThrow('no host "st4"; it has db1, lb1, jump1, st1, st2, st3, sp1, sp2');
  });
});

describe('the cluster files of a lab', () => {
  it('are accepted by the product as they are', () => {
    const plan = planLab({ ...options, name: 'my-lab' }, 3);
    for (const cluster of plan.clusters) {
      const loaded = loadClusterFile(stringify(clusterSpec(plan, cluster)), cluster.file, { baseDir: '/srv/lab' });
      expect(loaded).not.toHaveProperty('problems');
      if ('problems' in loaded) return;
      expect(loaded.spec.sites['prod']?.servers.map((s) => s.name)).toEqual(cluster.servers);
      expect(loaded.spec.sites['prod']?.database).toMatchObject({ name: cluster.database, user: cluster.database });
    }
    expect(plan.clusters.map((c) => c.database)).toEqual(['my_lab', 'my_lab2']);
  });

  it('name every balancer of a lab that has several, each with an address of its own', () => {
    const plan = planLab({ ...options, balancers: 2 }, 3);
    expect(clusterSpec(plan, plan.clusters[0]!)).toMatchObject({ sites: { prod: { loadBalancer: { instances: [{ name: 'lb1', address: '10.86.3.6' }, { name: 'lb2', address: '10.86.3.9' }] } } } });
    expect(new Set(plan.hosts.map(({ address }) => address)).size).toBe(plan.hosts.length);
    expect(() => planLab({ ...options, balancers: 0 }, 3)).toThrow(/expected 1 to 3/);
  });

  it('come with a licence for the number of nodes asked for', () => {
    expect(licences(5).features).toContain('\nClusterNodes=5\n');
  });
});

describe('a host of the lab', () => {
  it('knows the same users everywhere, none of them with a password or locked', () => {
    const { passwd, group, shadow } = accounts();
    expect(passwd).toContain('ops:x:2001:2001:ops:/home/ops:/bin/bash\n');
    expect(passwd).toContain('axway:x:2002:2002:axway:/home/axway:/bin/bash\n');
    expect(group).toContain('haproxy:x:2012:ops\n');
    expect(shadow.trim().split('\n').every((line) => line.split(':')[1] === '*')).toBe(true);
  });

  it('takes ssh logins of ops by key, and behind the jump host from there only', () => {
    const plan = planLab(options, 4);
    expect(sshdConfig(plan, hostNamed(plan, 'st1'))).toMatch(/^AllowUsers ops$/m);
    expect(sshdConfig(plan, hostNamed(plan, 'st2'))).toMatch(/^AllowUsers ops@10\.86\.4\.7$/m);
    expect(sshdConfig(plan, hostNamed(plan, 'st1'))).toMatch(/^AuthenticationMethods publickey$/m);
  });

  it('resolves the names of all others', () => {
    expect(hostsFile(planLab(options, 4))).toContain('10.86.4.42 sp2\n');
  });
});

describe('the balancer\'s configuration', () => {
  const plan = planLab({ ...options, servers: 2, spare: 1 }, 0);
  const configuration = balancerConfiguration(plan);

  it('checks each Server once; all other backends follow that check', () => {
    expect(configuration.match(/ check inter 500ms/g)).toHaveLength(3);
    expect(configuration).toContain('  server st2 10.86.0.12:8022 check inter 500ms');
    expect(configuration).toContain('  server st2 10.86.0.12:8443 track demo_hc/st2');
    expect(configuration).not.toContain('disabled');
  });

  it('has for every value that the map may hold a backend of each protocol', () => {
    for (const value of ['none', 'demo_prod', 'demo2_prod']) {
      for (const protocol of ['ssh', 'https']) expect(configuration).toContain(`\nbackend ${value}_${protocol}\n`);
    }
    expect(configuration).toContain('use_backend %[str(demo2),map(/etc/haproxy/maps/site.map,none)]_ssh');
  });
});

describe('a lab with Edges', () => {
  const plan = planLab({ ...options, servers: 2, spare: 1, edges: 2 }, 0);
  const configuration = balancerConfiguration(plan);

  it('fronts the Edges of the cluster that has any, and the Servers of the other', () => {
    expect(configuration).toContain('backend demo_hc\n  server ed1 10.86.0.71:8022 check inter 500ms\n  server ed2 10.86.0.72:8022 check inter 500ms\n');
    expect(configuration).not.toContain('server st1 ');
    expect(configuration).toContain('  server sp1 10.86.0.41:8022 check inter 500ms');
  });

  it('says so in the cluster file, with the licences of the Edges and an account for trying the way', () => {
    const [main] = plan.clusters;
    const loaded = loadClusterFile(stringify(clusterSpec(plan, main!)), 'cluster.yaml', { baseDir: '/lab' });
    if ('problems' in loaded) throw new Error(loaded.problems.join('\n'));
    const { sites, licences: found, probe } = loaded.spec;
    expect(sites['prod']?.edges).toMatchObject([{ name: 'ed1', address: '10.86.0.71', zone: 'Edges', admin: { port: 8444 } }, { name: 'ed2' }]);
    expect(sites['prod']?.loadBalancer?.fronts).toBe('edges');
    expect(found.edge).toEqual({ core: '/lab/licences/demo/edge/filedrive.license', features: '/lab/licences/demo/edge/st.license' });
    expect(probe).toEqual({ account: 'st-orchestrator-probe', password: 'file:/lab/secrets/probe-password' });
  });
});

describe('a lab with hosts in reserve', () => {
  const plan = planLab({ ...options, servers: 2, spare: 0, edges: 1, reserve: 1, reserveEdges: 1 }, 0);
  const [main] = plan.clusters;

  it('has them ready, known to the balancer, and named by the second cluster file alone', () => {
    expect(plan.hosts.map(({ name }) => name)).toEqual(['db1', 'lb1', 'jump1', 'st1', 'st2', 'st3', 'ed1', 'ed2']);
    expect(balancerConfiguration(plan)).toContain('backend demo_hc\n  server ed1 10.86.0.71:8022 check inter 500ms\n  server ed2 10.86.0.72:8022 check inter 500ms\n');
    const nodesOf = (cluster: LabCluster): string[] => {
      const loaded = loadClusterFile(stringify(clusterSpec(plan, cluster)), cluster.file, { baseDir: '/lab' });
      if ('problems' in loaded) throw new Error(loaded.problems.join('\n'));
      const { servers = [], edges = [] } = loaded.spec.sites['prod'] ?? {};
      return [...servers, ...edges].map(({ name }) => name);
    };
    expect(nodesOf(main!)).toEqual(['st1', 'st2', 'ed1']);
    expect(grown(main!).file).toBe('cluster-grown.yaml');
    expect(nodesOf(grown(main!))).toEqual(['st1', 'st2', 'st3', 'ed1', 'ed2']);
  });

  it('refuses what could not be built', () => {
    expect(() => planLab({ ...options, servers: 19, reserve: 2 }, 0)).toThrow('expected at most 20 Servers');
    expect(() => planLab({ ...options, edges: 10, reserveEdges: 1 }, 0)).toThrow('expected 0 to 10');
    expect(() => planLab({ ...options, reserveEdges: 1 }, 0)).toThrow('expected --edges too');
  });
});

describe('the database\'s settings', () => {
  it('meet what the product asks for, and can be replaced one by one', () => {
    expect(postgresSettings({})).toMatchObject({ max_connections: '1000', maintenance_work_mem: '512MB', autovacuum: 'on', ssl: 'on' });
    expect(postgresSettings({ max_connections: '50' })).toEqual({ ...postgresSettings({}), max_connections: '50' });
  });
});

describe('names for random values in a snapshot', () => {
  it('replace a known value wherever it turns up, and tell a differing one apart', () => {
    const names = new Names();
    names.add('aaaa', 'taeh of demo');
    names.add('aaaa', 'taeh of demo');
    names.add('bbbb', 'taeh of demo');
    expect(names.replace('x=aaaa y=bbbb')).toBe('x=<taeh of demo> y=<taeh of demo, another 1>');
  });

  it('hide identities that nobody named', () => {
    expect(new Names().replace('id 0f8fad5b-d9cb-469f-a165-70867728950e.')).toBe('id <an id>.');
  });
});

describe('option values', () => {
  it('are read with their unit, and refused in words otherwise', () => {
    expect([milliseconds('300ms'), milliseconds('2s'), milliseconds('0ms'), count('20')]).toEqual([300, 2000, 0, 20]);
    expect(setting('max_connections=50', { jit: 'off' })).toEqual({ jit: 'off', max_connections: '50' });
    expect(() => milliseconds('300')).toThrow('expected a duration such as 300ms or 2s');
    expect(() => count('-1')).toThrow('expected a whole number');
    expect(() => setting('max_connections', {})).toThrow('expected name=value');
  });
});

describe('processes', () => {
  it('are known by id and start time: an id that was given out again is another process', () => {
    const me = identify(process.pid);
    if (me === undefined) throw new Error('this process runs');
    expect(isAlive(me)).toBe(true);
    const other = { ...me, started: '1' };
    expect(isAlive(other)).toBe(false);
    signal(other, 'SIGKILL'); // would end this test run if it reached the process
    expect(identify(2 ** 22 + 1)).toBeUndefined();
  });
});

describe('waiting', () => {
  it('ends with what was waited for and why the last look failed', async () => {
    await expect(until('the moon', () => { throw new Error('cloudy'); }, 30, 5)).rejects.toThrow('waited 30 ms in vain for the moon: cloudy');
    let looks = 0;
    expect(await until('the third look', () => (++looks === 3 ? 'seen' : undefined), 1000, 1)).toBe('seen');
  });

  it('for several fails only when every one has ended', async () => {
    let ended = false;
    const slow = until('a moment', () => true, 1000, 1).then(async () => { await new Promise((r) => { setTimeout(r, 20); }); ended = true; });
    await expect(all([Promise.reject(new Error('first')), slow])).rejects.toThrow('first');
    expect(ended).toBe(true);
  });
});
