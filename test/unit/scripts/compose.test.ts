/** docker-compose.yml runs the development server with the very settings of scripts/temporal-server, and a worker that the Dockerfile builds. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { searchAttributes } from '../../../src/model/ids';

const read = (...path: string[]) => readFileSync(join(__dirname, '../../..', ...path), 'utf8');

interface Service {
  image?: string;
  build?: string;
  command?: string[];
  environment?: Record<string, string>;
  depends_on?: Record<string, { condition: string }>;
}
const { services } = parse(read('docker-compose.yml')) as { services: Record<'temporal' | 'retention' | 'worker', Service> };
const settingNames = ['--dynamic-config-value', '--sqlite-pragma', '--search-attribute'];

function settingsOfScript(): string[] {
  const list = /^settings=\(\n([\s\S]*?)^\)/m.exec(read('scripts/temporal-server'))![1]!;
  return list.trim().split('\n').map((line) => line.trim().replace(' ', '=').replaceAll("'", ''));
}

test('both start the server with the same settings', () => {
  const settings = services.temporal.command!.filter((argument) => settingNames.some((name) => argument.startsWith(name)));
  // How often the file is synced is an argument of the script; outside tests it is always "full".
  expect(settings.toSorted()).toEqual([...settingsOfScript(), '--sqlite-pragma=synchronous=full'].toSorted());
});

test('every search attribute of the product is registered', () => {
  expect(settingsOfScript().filter((setting) => setting.startsWith('--search-attribute'))).toEqual(searchAttributes.map((name) => `--search-attribute=${name}=Keyword`));
});

test('the image is of the version that is built without Docker', () => {
  const version = /github.com\/temporalio\/cli v([\d.]+)/.exec(read('tools/temporal/go.mod'))![1];
  expect([services.temporal.image, services.retention.image]).toEqual([`temporalio/temporal:${version}`, `temporalio/temporal:${version}`]);
});

test('the worker starts when the server is healthy and keeps runs for 90 days', () => {
  expect(services.worker.depends_on).toEqual({ temporal: { condition: 'service_healthy' }, retention: { condition: 'service_completed_successfully' } });
  expect(services.retention.command!.slice(-2)).toEqual(['--retention', '90d']);
  expect(services.worker.environment!.TEMPORAL_ADDRESS).toBe('temporal:7233');
});

test('what the Dockerfile copies is in the checkout', () => {
  const copied = [...read('Dockerfile').matchAll(/^COPY (?!--from)(.*) \S+$/gm)].flatMap((match) => match[1]!.split(' '));
  expect(copied).toContain('package-lock.json');
  for (const path of copied) expect([path, existsSync(join(__dirname, '../../..', path))]).toEqual([path, true]);
});
