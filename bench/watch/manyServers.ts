/** A process that plays many Administration Tools, one a port: `node manyServers.js FOLDER FIRST_PORT COUNT`. All of them are well. Says `ready` when all listen. */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { join } from 'node:path';

const [folder = '', first = '0', count = '0'] = process.argv.slice(2);
const tls = { key: readFileSync(join(folder, 'tls.key')), cert: readFileSync(join(folder, 'tls.crt')) };

const answers: Record<string, unknown> = {
  '/api/v2.0/daemons': { sshStatus: 'Running' }, '/api/v2.0/transactionManager': { status: 'Running.' }, '/api/v2.0/clusterServices': { status: 'Running.' },
  '/api/v2.0/version': { version: '5.5' }, '/api/v2.0/sessions': [],
};

async function listen(port: number): Promise<void> {
  const server = createServer(tls, (request, response) => {
    request.resume();
    const path = request.url!.split('?')[0]!;
    if (path === '/api/v2.0/myself') return void response.writeHead(200, { 'set-cookie': 'JSESSIONID=s1; Path=/', csrfToken: 't1' }).end('{"message":"Logged in"}');
    response.writeHead(answers[path] === undefined ? 404 : 200, { 'content-type': 'application/json' }).end(JSON.stringify(answers[path] ?? {}));
  });
  // As long as the looks are apart, and longer: the product keeps connections.
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
}

Promise.all(Array.from({ length: Number(count) }, (_, index) => listen(Number(first) + index)))
  .then(() => process.stdout.write('ready\n'))
  .catch((error: unknown) => {
    process.stderr.write(`${String(error)}\n`);
    process.exitCode = 1;
  });
