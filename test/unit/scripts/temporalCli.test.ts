/** scripts/temporal-cli: the order in which the Temporal program is looked for, that one line says what was chosen, and that it is built only once. */
import { readFileSync } from 'node:fs';
import { createServer as createHttp2Server, type Http2Server } from 'node:http2';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { join } from 'node:path';
import { sandbox, type Sandbox } from './sandbox';

const version = /github.com\/temporalio\/cli v([\d.]+)/.exec(readFileSync(join(__dirname, '../../../tools/temporal/go.mod'), 'utf8'))![1]!;
const printsVersion = (server: string) => `echo "temporal version ${version} (Server ${server}, UI 2.0.0)"`;
const cacheFolder = ['cache', 'st-orchestrator', `temporal-${version}`];

let box: Sandbox;
beforeEach(() => {
  box = sandbox();
  // Whatever the machine has, nothing is found unless the test puts it there.
  box.program('temporal', printsVersion('1.20.0'));
  box.program('go', 'echo "go: go.mod requires go >= 1.26.4 (running go 1.19.8)"; exit 1');
});
afterEach(() => box.remove());

const find = (env: Record<string, string> = {}) => box.run('temporal-cli', { XDG_CACHE_HOME: box.path('cache'), ST_TEMPORAL_DOWNLOAD_LIMIT: '0', ...env });

/** A go that "builds" a program which prints its version, and writes a line for each build. */
function goThatBuilds(seconds = 0): void {
  box.program(
    'go',
    `case $1 in
version) echo "go version go1.26.9 linux/amd64" ;;
build)
  echo "CGO_ENABLED=$CGO_ENABLED" >>"${box.path('builds')}"
  sleep ${seconds}
  shift
  while [ $# -gt 0 ]; do [ "$1" != -o ] || out=$2; shift; done
  printf '#!/bin/sh\\n%s\\n' '${printsVersion('1.31.2')}' >"$out"
esac`,
  );
}
const lines = (text: string) => text.trim().split('\n');

/** What stands behind TEMPORAL_ADDRESS while `test` runs. */
async function behind(server: Server | Http2Server, test: (address: string) => Promise<void>): Promise<void> {
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await test(`127.0.0.1:${port}`).finally(() => server.close());
}

test('a server named by TEMPORAL_ADDRESS is used and nothing is looked for', async () => {
  const grpc = createHttp2Server();
  // An answer in which every field is left out.
  grpc.on('stream', (stream) => {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    stream.end(Buffer.alloc(5));
  });
  await behind(grpc, async (address) => {
    const { status, stdout, stderr } = await find({ TEMPORAL_ADDRESS: address, TEMPORAL_CLI_PATH: '/nowhere' });
    expect({ status, stdout, stderr: lines(stderr) }).toEqual({ status: 0, stdout: '', stderr: [expect.stringContaining(`the server at ${address} (TEMPORAL_ADDRESS)`)] });
  });
});

const deaf = createServer((socket) => void socket.on('error', () => undefined));
const other = createHttp2Server((_, response) => void response.writeHead(404).end());
test.each([
  ['nobody listens', undefined, 'connect ECONNREFUSED 127.0.0.1:1'],
  ['something listens and never answers', deaf, 'no answer within 2.5 s|[Dd]eadline'],
  ['another server answers', other, 'what answers there is no Temporal server'],
] as [string, Server | Http2Server | undefined, string][])('a TEMPORAL_ADDRESS where %s is told with what to do, not waited for', async (_, server, why) => {
  const told = async (address: string): Promise<void> => {
    const began = Date.now();
    const { status, stdout, stderr } = await find({ TEMPORAL_ADDRESS: address });
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toMatch(new RegExp(`TEMPORAL_ADDRESS is ${address}, and no Temporal server answers there \\(.*(${why}).*\\)\\.\n +Start that server, correct TEMPORAL_ADDRESS, or unset it`));
    // Three seconds, and what a busy machine takes to start a program.
    expect(Date.now() - began).toBeLessThan(6_000);
  };
  if (server) await behind(server, told);
  else await told('127.0.0.1:1');
});

test('TEMPORAL_CLI_PATH comes before PATH', async () => {
  box.program('temporal', printsVersion('1.31.2'));
  const mine = box.program('mine', printsVersion('1.30.0'), 'own');
  const { stdout, stderr } = await find({ TEMPORAL_CLI_PATH: mine });
  expect(stdout.trim()).toBe(mine);
  expect(lines(stderr)).toEqual([expect.stringContaining('(TEMPORAL_CLI_PATH), temporal version')]);
});

test('a TEMPORAL_CLI_PATH that is no program is an error, not passed over', async () => {
  const { status, stderr } = await find({ TEMPORAL_CLI_PATH: box.path('nothing') });
  expect(status).toBe(1);
  expect(stderr).toContain(`TEMPORAL_CLI_PATH is ${box.path('nothing')}`);
});

test('the one on PATH comes before the cache', async () => {
  const onPath = box.program('temporal', printsVersion('1.29.1'));
  box.program('temporal', printsVersion('1.31.2'), join(...cacheFolder));
  const { stdout, stderr } = await find();
  expect(stdout.trim()).toBe(onPath);
  expect(lines(stderr)).toEqual([expect.stringContaining('(on PATH)')]);
});

test('one on PATH with a server that is too old is passed over, in words, and the cache is used', async () => {
  const cached = box.program('temporal', printsVersion('1.31.2'), join(...cacheFolder));
  const { stdout, stderr } = await find();
  expect(stdout.trim()).toBe(cached);
  expect(stderr).toContain('older than server 1.29; not used');
  expect(stderr).toContain('(cache)');
});

test('the SDK\'s own download comes before a build, and is kept in the cache', async () => {
  box.copy('temporal-cli', 'common.sh');
  box.write(readFileSync(join(__dirname, '../../../tools/temporal/go.mod'), 'utf8'), 'tools/temporal/go.mod');
  box.write('{}', 'node_modules/@temporalio/testing/package.json');
  box.program('node', `printf '#!/bin/sh\\n%s\\n' '${printsVersion('1.31.2')}' >"$3/temporal-cli-v$2"`);
  goThatBuilds();
  const { stdout, stderr } = await find({ ST_TEMPORAL_DOWNLOAD_LIMIT: '20' });
  expect(stdout.trim()).toBe(box.path(...cacheFolder, 'temporal'));
  expect(lines(stderr)).toContainEqual(expect.stringContaining('(the SDK\'s own download)'));
  expect(box.exists('builds')).toBe(false);
});

test('without any it is built with Go, without cgo, into the cache, where the next call finds it', async () => {
  goThatBuilds();
  const built = await find();
  expect(built.stdout.trim()).toBe(box.path(...cacheFolder, 'temporal'));
  expect(built.stderr).toContain('building temporal');
  expect(lines(built.stderr).at(-1)).toContain('(built with Go)');
  expect((await find()).stderr).toContain('(cache)');
  expect(lines(box.read('builds'))).toEqual(['CGO_ENABLED=0']);
});

test('two that look for it at once build it once', async () => {
  goThatBuilds(1);
  const answers = await Promise.all([find(), find()]);
  expect(answers.map(({ stdout }) => stdout.trim())).toEqual([box.path(...cacheFolder, 'temporal'), box.path(...cacheFolder, 'temporal')]);
  expect(lines(box.read('builds'))).toHaveLength(1);
});

test('a build that fails leaves nothing half-made in the cache', async () => {
  box.program('go', 'case $1 in version) echo "go version go1.26.9 linux/amd64" ;; *) echo "proxy says no"; exit 1 ;; esac');
  const { status, stderr } = await find();
  expect(status).toBe(1);
  expect(stderr).toContain('go build failed: proxy says no');
  expect(box.exists(...cacheFolder, 'temporal')).toBe(false);
});

test('when every way fails one message says why and names the ways', async () => {
  const { status, stdout, stderr } = await find();
  expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
  expect(stderr).toContain('go.mod requires go >= 1.26.4 (running go 1.19.8)');
  for (const way of ['TEMPORAL_ADDRESS=', 'TEMPORAL_CLI_PATH=', 'temporal.download', 'Go >= 1.26.4']) expect(stderr).toContain(way);
});
