import { backedUpFiles, sizeText } from '../../../src/model/backups';

test.each([[0, '0 B'], [1023, '1023 B'], [1024, '1.0 KiB'], [1536, '1.5 KiB'], [10 * 1024 ** 3, '10.0 GiB'], [5000 * 1024 ** 4, '5000.0 TiB']])('%s bytes are %s', (bytes, text) => expect(sizeText(bytes)).toBe(text));

test('the vendor\'s list, and the secret file, are backed up; paths stay below FILEDRIVEHOME', () => {
  expect(backedUpFiles).toEqual(expect.arrayContaining(['conf', 'lib/certs', 'brules/conf/brules.xml', 'brules/local', 'bin/agents', 'lib/msgs', 'share/ftdocs', 'bin/taeh']));
  for (const path of backedUpFiles) expect(path).toMatch(/^[a-z][A-Za-z./]*$/);
});
