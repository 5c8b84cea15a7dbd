/** What is written to a host, as its failure names it. */
import { named } from '../../../src/activities/product';

test.each([
  [['/opt/axway/conf/a.xml'], '/opt/axway/conf/a.xml'],
  [['/opt/axway/conf/a.xml', '/opt/axway/conf/b.xml'], 'a.xml, b.xml (in /opt/axway/conf)'],
  [['/opt/axway/conf/a.xml', '/opt/axway/lib/b.xml', '/opt/axway/c'], 'conf/a.xml, lib/b.xml, c (in /opt/axway)'],
  [['/opt/axway/conf', '/opt/axway/conf/b.xml'], 'conf, conf/b.xml (in /opt/axway)'],
  [['/etc/a', '/opt/b'], '/etc/a, /opt/b'],
])('%j', (paths, words) => {
  expect(named(paths)).toBe(words);
});
