/** `stctl codec-server`. */
import { startCodecServer } from '../../control/codecServer';
import { connectionConfig } from '../../control/connectionConfig';
import { exit, UsageError } from '../failure';
import type { Verb } from '../verb';

export const codecServer: Verb = {
  usage: 'codec-server',
  summary: 'Decode encrypted payloads for the Temporal UI and the temporal CLI, until Ctrl-C',
  examples: [
    'ST_ENCRYPTION_KEY=file:/etc/st/payload.key stctl codec-server --ui-origin http://localhost:8233',
    'temporal workflow show --workflow-id set-up-cluster/demo --codec-endpoint http://127.0.0.1:8088',
  ],
  options: (command) => {
    command
      .option('--host <address>', 'where to listen; whoever reaches it can read payloads', '127.0.0.1')
      .option('--port <n>', 'on which port', '8088')
      .option('--ui-origin <url>', 'the address of the Temporal UI; ST_TEMPORAL_UI, or http://localhost:8233 when left out');
  },
  run: async (cli, _, flags: { host: string; port: string; uiOrigin?: string }) => {
    const { host } = flags;
    const port = Number(flags.port);
    if (!/^\d{1,5}$/.test(flags.port) || port > 65_535) throw new UsageError(`--port: expected a number from 0 to 65535, found ${JSON.stringify(flags.port)}`);
    const wanted = flags.uiOrigin ?? cli.io.env['ST_TEMPORAL_UI'] ?? 'http://localhost:8233';
    if (!URL.canParse(wanted)) throw new UsageError(`--ui-origin: expected an address such as http://localhost:8233, found ${JSON.stringify(wanted)}`);
    const uiOrigin = new URL(wanted).origin;
    const server = await startCodecServer(connectionConfig(cli.io.env), { host, port, uiOrigin });
    const listening = server.address();
    const address = `http://${host.includes(':') ? `[${host}]` : host}:${typeof listening === 'object' && listening ? listening.port : port}`;
    cli.io.out(`${address}\n`);
    cli.say(`Codec server for ${uiOrigin}. In the Temporal UI: the codec server of the namespace is ${address}. Ctrl-C ends it.`);
    cli.onInterrupt(() => '\nThe codec server has ended.\n');
    await new Promise<void>((resolve) => {
      if (cli.io.interrupted.aborted) resolve();
      cli.io.interrupted.addEventListener('abort', () => resolve(), { once: true });
    });
    server.close();
    server.closeAllConnections();
    return exit.interrupted;
  },
};
