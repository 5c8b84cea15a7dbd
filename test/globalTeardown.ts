/** Ends what globalSetup started. */
import { rmSync } from 'node:fs';

export default async function tearDown(): Promise<void> {
  const server = globalThis.stTemporalServer;
  globalThis.stTemporalServer = undefined;
  await server?.stop();
  const bundle = process.env.ST_WORKFLOW_BUNDLE;
  if (bundle?.includes(`.test.${process.pid}.`)) rmSync(bundle, { force: true });
}
