import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Ajv from 'ajv';
import fc from 'fast-check';
import { parse, stringify } from 'yaml';
import { clusterJsonSchema, loadAdoptionFile, loadClusterFile } from '../../../src/control/clusterFile';
import { demoFile } from '../model/demoFile';

const yaml = `apiVersion: st-orchestrator/v1
kind: Cluster
metadata: { name: demo }
defaults:
  ssh: { user: ops, key: "file:./keys/id_ed25519", knownHosts: ./known_hosts }
  admin: { password: "file:./secrets/admin-password", ca: ../ca.pem }
product:
  version: "5.5"
  fileDriveHome: /opt/axway/SecureTransport
  user: axway
  installer: { package: /opt/install/SecureTransport_5.5 }
licences: { core: licences/filedrive.license, features: /etc/st/st.license }
sites:
  prod:
    servers:
      - { name: "st[1:2]", address: "10.86.0.[11:12]" }
      - name: st3
        address: 10.86.0.13
    database: { kind: postgresql, host: 10.86.0.5, name: demo, user: demo, password: "env:DB_PASSWORD" }
    sharedFiles: { path: /srv/st/shared }
`;
const load = (text: string) => loadClusterFile(text, 'cluster.yaml', { baseDir: '/home/ops/estate' });
const problems = (text: string) => {
  const loaded = load(text);
  return 'problems' in loaded ? loaded.problems : [];
};
const edit = (from: string, to: string) => {
  expect(yaml).toContain(from);
  return problems(yaml.replace(from, to));
};

describe('a cluster file', () => {
  test('becomes a normalised spec, with paths made absolute from the folder of the file', () => {
    const loaded = load(yaml);
    if ('problems' in loaded) throw new Error(loaded.problems.join('\n'));
    const { servers, database } = loaded.spec.sites.prod!;
    expect(servers.map(({ name }) => name)).toEqual(['st1', 'st2', 'st3']);
    expect(servers[0]!.ssh).toMatchObject({ key: 'file:/home/ops/estate/keys/id_ed25519', knownHosts: '/home/ops/estate/known_hosts' });
    expect(servers[0]!.admin).toMatchObject({ password: 'file:/home/ops/estate/secrets/admin-password', ca: '/home/ops/ca.pem' });
    expect(loaded.spec.licences).toEqual({ core: '/home/ops/estate/licences/filedrive.license', features: '/etc/st/st.license' });
    expect(database.password).toBe('env:DB_PASSWORD');
  });

  test('may be JSON, and may use aliases for what repeats', () => {
    expect(problems(JSON.stringify(demoFile()))).toEqual([]);
    expect(problems(yaml.replace('ssh: {', 'ssh: &login {').replace('        address: 10.86.0.13', '        address: 10.86.0.13\n        ssh: *login'))).toEqual([]);
  });

  test('problems name line and column: of the value, or of the key when the key is wrong', () => {
    expect(edit('address: 10.86.0.13', 'address: 10.86.0.300')).toEqual(['cluster.yaml:18:18 sites.prod.servers[1].address: expected an IP address or a host name, found "10.86.0.300"']);
    expect(edit('address: 10.86.0.13', 'adress: 10.86.0.13')).toEqual([
      'cluster.yaml:17:9 sites.prod.servers[1].address: missing; expected text',
      'cluster.yaml:18:9 sites.prod.servers[1].adress: unknown key; did you mean "address"?',
    ]);
    expect(edit('knownHosts: ./known_hosts', 'knownHosts: ./known_hosts, port: x')).toEqual(['cluster.yaml:5:85 defaults.ssh.port: expected a number, found text']);
    expect(edit('    sharedFiles: { path: /srv/st/shared }\n', '')).toEqual(['cluster.yaml:14:3 sites.prod.sharedFiles: missing; expected a mapping']);
    expect(edit('  version: "5.5"', '  version: 5.5')).toEqual(['cluster.yaml:8:12 product.version: expected text in quotes ("5.5"), found the number 5.5']);
  });

  test('all problems come at once, in the order of the file', () => {
    const lines = problems(yaml.replace('kind: Cluster', 'kind: Klaster').replace('10.86.0.13', '10.86.0.12').replace('user: axway', 'usr: axway').replace('env:DB_PASSWORD', 'hunter2'));
    expect(lines.map((line) => line.split(' ').slice(0, 2).join(' '))).toEqual([
      'cluster.yaml:2:7 kind:', 'cluster.yaml:7:1 product.user:', 'cluster.yaml:10:3 product.usr:', 'cluster.yaml:18:18 sites.prod.servers[1].address:', 'cluster.yaml:19:86 sites.prod.database.password:',
    ]);
    expect(lines.join()).not.toContain('hunter2');
  });

  test.each<[string, string, string, string]>([
    ['a key twice', 'kind: Cluster', 'kind: Cluster\nkind: Cluster', 'cluster.yaml:3:1 not valid YAML: this key is already given in the same mapping'],
    ['tabs', '  ssh: {', '\tssh: {', 'cluster.yaml:5:1 not valid YAML: tabs can\'t be used to indent; use spaces'],
    ['a bracket left open', 'metadata: { name: demo }', 'metadata: { name: demo', 'not valid YAML'],
    ['a quote left open', '"env:DB_PASSWORD"', '"hunter2', 'not valid YAML'],
    ['a second document', 'kind: Cluster', '---\nkind: Cluster', 'a second document begins here'],
    ['a tag', 'user: axway', 'user: !!js/function "hunter2"', 'cluster.yaml:10:9 not valid YAML: tags (!…) are not understood here; write plain values'],
    ['an alias of nothing', 'user: axway', 'user: *nobody', 'cluster.yaml:10:9 not valid YAML: this alias names no anchor above it'],
    ['a merge key', '  ssh: {', '  "<<": { }\n  ssh: {', 'cluster.yaml:5:3 defaults["<<"]: unknown key'],
    ['a template', 'user: axway', 'user: ${USER}', 'cluster.yaml:10:9 product.user: expected the name of a Unix user, found "${USER}"'],
    ['a path from home', './known_hosts', '~/known_hosts', 'defaults.ssh.knownHosts: expected an absolute path'],
    ['a Windows path', './known_hosts', 'C:\\known_hosts', 'Windows hosts can\'t be run'],
  ])('refuses %s', (_, from, to, message) => {
    const found = edit(from, to);
    expect(found.join('\n')).toContain(message);
    expect(found.join('\n')).not.toContain('hunter2');
    for (const line of found) expect(line).toMatch(/^cluster\.yaml:\d+:\d+ /);
  });

  test.each<[string, string]>([
    ['nothing', ''],
    ['only a comment', '# nothing yet\n'],
    ['a word', 'hello'],
    ['a list', '- a\n- b'],
    ['the bytes of a program', '\u007fELF\u0001\u0001\0\0'],
    ['brackets without end', '['.repeat(50_000)],
    ['a file of 300 kB', `x: ${'y'.repeat(300_000)}`],
    ['an alias bomb', `a0: &a0 [x,x,x,x,x,x,x,x,x]\n${Array.from({ length: 12 }, (_, i) => `a${i + 1}: &a${i + 1} [${Array(9).fill(`*a${i}`).join(',')}]`).join('\n')}\n`],
    ['a thousand aliases', `a: &a x\nb: [${Array(1000).fill('*a').join(', ')}]\n`],
    ['an alias of itself', 'metadata: &self { name: *self }\n'],
    ['the key __proto__', '__proto__: { polluted: yes }\n'],
  ])('answers %s with problems, at once', (_, text) => {
    // Of the processor, so that what else the machine does is not measured.
    const before = process.cpuUsage();
    expect(problems(text).length).toBeGreaterThan(0);
    for (const line of problems(text)) expect(line.length).toBeLessThan(700);
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1000).toBeLessThan(5000);
    expect(({} as any).polluted).toBeUndefined();
  });

  test.each(['__proto__', 'constructor'])('names the line of a key %s, wherever it stands', (key) => {
    expect(problems(`apiVersion: st-orchestrator/v1\nkind: Cluster\nmetadata:\n  name: demo\n  ${key}: { a: 1 }\n`)).toEqual([`cluster.yaml:5:3 metadata: the key ${key} is not allowed`]);
    expect(problems(`kind: Cluster\n${key}: { a: 1 }\n`)).toEqual([`cluster.yaml:2:1 the key ${key} is not allowed`]);
  });

  test('changed at random, is answered and never crashes the loader (500 files)', () => {
    const cut = fc.record({ at: fc.nat(yaml.length), length: fc.nat(12), put: fc.oneof(fc.string({ maxLength: 6 }), fc.constantFrom('\n', '\t', '  ', ': ', '- ', '{', '}', '[', ']', '"', '\'', '&a', '*a', '#', '!', '|', '>', '%', '@', '---\n', '? ', '<<: ', '\0', '\ufeff')) });
    fc.assert(
      fc.property(fc.array(cut, { minLength: 1, maxLength: 5 }), (cuts) => {
        const text = cuts.reduce((whole, { at, length, put }) => whole.slice(0, at) + put + whole.slice(at + length), yaml);
        const loaded = load(text);
        if ('problems' in loaded) {
          expect(loaded.problems.length).toBeGreaterThan(0);
          for (const line of loaded.problems) expect(line).toMatch(/^cluster\.yaml:\d+:\d+ [^\p{Cc}]+$/u);
        } else expect(loaded.spec.kind).toBe('Cluster');
      }),
      { numRuns: 500 },
    );
  });
});

describe('a file for adoption', () => {
  const seed = readFileSync(join(__dirname, '../../../examples/seed.yaml'), 'utf8');
  const adopted = (text: string) => loadAdoptionFile(text, 'seed.yaml', { baseDir: '/lab' });

  test('is a seed, with paths made absolute, or a cluster file', () => {
    expect(adopted(seed)).toMatchObject({ seed: { server: '10.20.0.11', licences: { core: '/lab/licences/filedrive.license' }, database: { password: 'file:/lab/secrets/database-password', ca: '/lab/ca.pem' } } });
    expect(adopted(yaml)).toMatchObject({ spec: { kind: 'Cluster' } });
  });

  test('is told by line and column what is wrong with it', () => {
    expect(adopted(seed.replace('server: 10.20.0.11', 'server: 10.20.0.300'))).toEqual({ problems: [expect.stringMatching(/^seed\.yaml:10:9 server: expected an IP address or a host name/)] });
  });
});

describe('the JSON Schema', () => {
  const file = join(__dirname, '../../../schema/st-cluster.schema.json');
  const generated = `${JSON.stringify(clusterJsonSchema(), null, 2)}\n`;

  test('that is committed is the generated one (UPDATE_SCHEMA=1 writes it)', () => {
    if (process.env.UPDATE_SCHEMA) writeFileSync(file, generated);
    expect(readFileSync(file, 'utf8')).toBe(generated);
  });

  test('is valid draft 7, takes the files that the loader takes and refuses unknown keys and literal secrets', () => {
    const schema = JSON.parse(generated);
    expect(schema.$schema).toBe('http://json-schema.org/draft-07/schema#');
    const validate = new Ajv({ strict: false, formats: { email: true } }).compile(schema);
    expect([validate(parse(yaml)), validate.errors]).toEqual([true, null]);
    expect([validate(parse(stringify(demoFile()))), validate.errors]).toEqual([true, null]);
    expect(validate({ ...demoFile(), kindd: 'x' })).toBe(false);
    const literal = demoFile();
    literal.sites.prod.database.password = 'hunter2';
    expect(validate(literal)).toBe(false);
  });
});
