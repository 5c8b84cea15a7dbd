// Whether a Temporal server answers at TEMPORAL_ADDRESS, known within 3 s: node scripts/temporal-answers.mjs; when not, 1 and why on stdout.
// Needs no packages; with them a port that accepts and never answers (a tunnel, a container's proxy) is told from a server.
import { connect } from 'node:net';

const deadline = 2_500;
const address = process.env.TEMPORAL_ADDRESS ?? '';
const [, host, port] = /^(?:dns:\/*)?\[?(.*?)\]?:(\d+)$/.exec(address) ?? [];

function gone(why) {
  console.log(why.replace(/\s+/g, ' '));
  process.exit(1);
}

function accepts() {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port: Number(port), autoSelectFamily: true });
    socket.once('connect', () => { socket.destroy(); resolve(); });
    socket.once('error', (error) => reject(new Error(error.errors?.map(({ message }) => message).join(', ') || error.message || error.code)));
  });
}

async function answers() {
  const packages = await Promise.all([import('@temporalio/client'), import('@temporalio/envconfig')]).catch(() => undefined);
  if (!packages) return;
  const [{ Connection, isGrpcServiceError }, { loadClientConnectConfig }] = packages;
  const { connectionOptions: { tls, apiKey, metadata } } = loadClientConnectConfig();
  const connection = Connection.lazy({ address, tls, apiKey, metadata });
  try {
    await connection.withDeadline(Date.now() + Math.max(500, deadline - performance.now()), () => connection.workflowService.getSystemInfo({}));
  } catch (error) {
    const code = isGrpcServiceError(error) ? error.code : undefined;
    // Who refuses a login (permission denied, unauthenticated) answers.
    if (code !== 7 && code !== 16) throw code === 12 ? new Error('what answers there is no Temporal server') : error;
  }
}

if (!host) gone(`expected host:port, found "${address}"`);
setTimeout(() => gone('no answer within 2.5 s'), deadline).unref();
try {
  await accepts();
  await answers();
  process.exit(0);
} catch (error) {
  gone(error instanceof Error ? error.message : String(error));
}
