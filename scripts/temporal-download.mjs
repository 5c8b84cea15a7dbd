// Lets the Temporal SDK fetch its development server: node scripts/temporal-download.mjs VERSION FOLDER → FOLDER/temporal-cli-vVERSION.
// The SDK has no call that only downloads, so the server is started once, on a free port, and ended.
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { Runtime, DefaultLogger } from '@temporalio/worker';

const [version, downloadDir] = process.argv.slice(2);
Runtime.install({ logger: new DefaultLogger('ERROR') });
try {
  const environment = await TestWorkflowEnvironment.createLocal({ server: { executable: { type: 'cached-download', version: `v${version}`, downloadDir }, ui: false } });
  await environment.teardown();
} catch (error) {
  const causes = [];
  for (let cause = error; cause instanceof Error; cause = cause.cause) causes.push(cause.message);
  console.error(causes.join(': ').replace(/\s+/g, ' '));
  process.exitCode = 1;
}
