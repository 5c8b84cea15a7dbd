import { backedUpFiles, edgesWithoutBackup, sizeText } from '../../../src/model/backups';

test.each([[0, '0 B'], [1023, '1023 B'], [1024, '1.0 KiB'], [1536, '1.5 KiB'], [10 * 1024 ** 3, '10.0 GiB'], [5000 * 1024 ** 4, '5000.0 TiB']])('%s bytes are %s', (bytes, text) => expect(sizeText(bytes)).toBe(text));

test('the vendor\'s list, and the secret file, are backed up; paths stay below FILEDRIVEHOME', () => {
  expect(backedUpFiles).toEqual(expect.arrayContaining(['conf', 'lib/certs', 'brules/conf/brules.xml', 'brules/local', 'bin/agents', 'lib/msgs', 'share/ftdocs', 'bin/taeh']));
  for (const path of backedUpFiles) expect(path).toMatch(/^[a-z][A-Za-z./]*$/);
});

test('Edges whose export nobody has settled are named in one line; where it is settled, or there are none, nothing is said', () => {
  const settings = { path: '/b', keep: 3, maximumSize: 1, database: { by: 'pg_dump' as const } };
  expect(edgesWithoutBackup(settings, ['ed1', 'ed2'])).toEqual([{ what: 'the embedded database of ed1, ed2 is not backed up', remedy: expect.stringContaining('backups.edges'), level: 'warning' }]);
  expect(edgesWithoutBackup(settings, [])).toEqual([]);
  expect(edgesWithoutBackup({ ...settings, edges: { by: 'none' } }, ['ed1'])).toEqual([]);
  expect(edgesWithoutBackup({ ...settings, edges: { by: 'system_export', password: 'env:X' } }, ['ed1'])).toEqual([]);
});
