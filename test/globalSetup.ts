/** Once per run of jest, and only when a project needs it: a Temporal server (or the one of TEMPORAL_ADDRESS) and the workflow bundle. */
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { buildWorkflowBundle } from '../src/worker/bundle';
import { startTemporalServer, type TemporalServer } from './helpers/temporalServer';

const root = join(__dirname, '..');

declare global {
  // Several projects share one setup: the first starts the server, the last teardown finds nothing left to do.
  var stTemporalServer: TemporalServer | undefined;
}

export default async function setUp(): Promise<void> {
  // Conformance tests of a standing Server need neither.
  if (process.env.ST_CONFORMANCE_URL) return;
  if (!process.env.TEMPORAL_ADDRESS) {
    globalThis.stTemporalServer = await startTemporalServer();
    process.env.TEMPORAL_ADDRESS = globalThis.stTemporalServer.address;
  } else {
    // Says at once when nobody answers there.
    execFileSync(join(root, 'scripts/temporal-cli'), { stdio: ['ignore', 'ignore', 'inherit'] });
  }
  process.env.ST_WORKFLOW_BUNDLE ??= await bundle();
}

/** Built from the sources, so that a test never runs yesterday's workflows. */
async function bundle(): Promise<string> {
  const file = join(root, '.cache', `workflow-bundle.test.${process.pid}.js`);
  mkdirSync(join(root, '.cache'), { recursive: true });
  await buildWorkflowBundle(file);
  return file;
}
