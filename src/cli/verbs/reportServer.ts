/** `stctl report-server`. */
import { readFileSync } from 'node:fs';
import { startReportServer } from '../../control/reportServer';
import { isLoopback, secretRefProblem } from '../../model/fields';
import { exit, UsageError } from '../failure';
import type { Verb } from '../verb';

interface Flags {
  listen: string;
  secret: string;
  tlsCert?: string;
  tlsKey?: string;
}

export const reportServer: Verb = {
  usage: 'report-server',
  summary: 'Take reports of other monitors over HTTP, as evidence for the cluster\'s own',
  examples: [
    'stctl report-server --listen 127.0.0.1:8321 --secret file:/etc/st-orchestrator/report-secret',
    'curl -H "Authorization: Bearer $SECRET" -d \'{"from": "nagios", "node": "st2", "what": "ping lost"}\' http://127.0.0.1:8321/v1/report/demo',
  ],
  options: (command) =>
    command
      .requiredOption('--listen <host:port>', 'where; port 0 takes a free one')
      .requiredOption('--secret <reference>', 'env:NAME, file:/path or command:program: what senders sign or show')
      .option('--tls-cert <file>', 'certificate (PEM); needed to be heard by other machines')
      .option('--tls-key <file>', 'its key'),
  run: async (cli, _, { listen, secret, tlsCert, tlsKey }: Flags) => {
    const [, host, port] = /^(\[[0-9A-Fa-f:]+\]|[A-Za-z0-9.-]+):(\d{1,5})$/.exec(listen) ?? [];
    if (host === undefined || Number(port) > 65_535) throw new UsageError(`--listen: expected host:port, such as 127.0.0.1:8321, found ${JSON.stringify(listen)}`);
    const wrong = secretRefProblem(secret);
    if (wrong) throw new UsageError(`--secret: ${wrong}`);
    if ((tlsCert === undefined) !== (tlsKey === undefined)) throw new UsageError('--tls-cert and --tls-key go together');
    const bare = host.replace(/^\[|\]$/g, '');
    if (tlsCert === undefined && !isLoopback(bare)) throw new UsageError('--listen: to be heard by other machines it needs --tls-cert and --tls-key: a secret is never sent in the clear');
    const tls = tlsCert === undefined ? {} : { tls: { cert: readPem(tlsCert), key: readPem(tlsKey!) } };
    const client = await cli.client();
    const server = await startReportServer(client, { host: bare, port: Number(port), secret, env: cli.io.env, say: (text) => cli.say(`${new Date().toISOString()} ${text}`), ...tls });
    const at = server.address();
    cli.io.out(`${tlsCert === undefined ? 'http' : 'https'}://${host}:${typeof at === 'object' && at ? at.port : port}\n`);
    cli.say('Reports are taken at /v1/report/<cluster>. Ctrl-C ends it.');
    cli.onInterrupt(() => '\nNo more reports are taken.\n');
    await new Promise<void>((resolve) => {
      if (cli.io.interrupted.aborted) resolve();
      cli.io.interrupted.addEventListener('abort', () => resolve(), { once: true });
    });
    server.close();
    server.closeAllConnections();
    return exit.interrupted;
  },
};

function readPem(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new UsageError(`${file}: can't be read (${(error as NodeJS.ErrnoException).code ?? String(error)})`);
  }
}
