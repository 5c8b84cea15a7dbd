import { formatProblem, parseClusterSpec } from '../../../src/model/spec';
import { changed } from './demoFile';

const places: (string | number)[][] = [
  ['defaults', 'ssh', 'key'],
  ['defaults', 'ssh', 'passphrase'],
  ['defaults', 'admin', 'password'],
  ['sites', 'prod', 'database', 'password'],
  ['sites', 'prod', 'servers', 0, 'admin', 'password'],
  ['sites', 'prod', 'servers', 1, 'ssh', 'jump', 'key'],
  ['sites', 'prod', 'loadBalancer', 'instances', 0, 'ssh', 'passphrase'],
  ['notifications', 'smtp', 'password'],
  ['product', 'installer', 'properties', 'externalDBPassword'],
];
const canary = 'S3cr3t-canary';
const problemsOf = (path: (string | number)[], value: unknown) => (parseClusterSpec(changed(path, value)).problems ?? []).map(formatProblem);

describe('a secret', () => {
  test.each(places)('written out is refused and not repeated at %s %s %s %s', (...path) => {
    for (const literal of [canary, `vault:${canary}`, `env:${canary} x`, `file:${canary}`, `file:~/${canary}`, `file:/a/../${canary}`, `command: ${canary}`, `${canary}\n`, `"${canary}"`, [canary], { value: canary }, `-----BEGIN KEY-----\n${canary}`]) {
      const problems = problemsOf(path, literal);
      expect(problems).not.toEqual([]);
      expect(problems.join()).not.toContain(canary);
    }
  });
  test.each(places)('by reference is taken at %s %s %s %s', (...path) => {
    for (const reference of ['env:DB_PASSWORD', 'file:/run/secrets/db', 'command:/usr/local/bin/secret db', 'command:pass show db']) expect(problemsOf(path, reference)).toEqual([]);
  });
  test('says what a reference looks like', () => {
    expect(problemsOf(places[2]!, 'x')).toEqual(['defaults.admin.password: expected a reference to a secret (env:NAME, file:/absolute/path or command:program), found something else; a secret itself is never written here']);
  });
});
