/** The workflow code, bundled once at build time: a worker that starts with a ready bundle is polling 3 s sooner. */
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';

const here = __dirname;
const compiled = basename(resolve(here, '../..')) === 'dist';

/** `dist/workflow-bundle.js`, from the compiled code as from the sources. */
export const defaultBundlePath = compiled ? resolve(here, '../../workflow-bundle.js') : resolve(here, '../../dist/workflow-bundle.js');

/** What workflow code needs beside the workflows themselves. */
export const workflowInterceptorModules = [require.resolve('../workflows/parts/cancelReason')];

/**
 * Bundles the workflows into one file.
 * @param workflowsPath the module that exports every workflow type; ours by default
 * @returns the file's path, to be given to a worker as `{ codePath }`
 */
export async function buildWorkflowBundle(outFile: string = defaultBundlePath, workflowsPath: string = require.resolve('../workflows')): Promise<string> {
  const { code } = await bundleWorkflowCode({ workflowsPath, workflowInterceptorModules, logger: new DefaultLogger('WARN') });
  await mkdir(dirname(outFile), { recursive: true });
  // A worker that starts meanwhile finds the old bundle or the new one, never half of it.
  const unfinished = `${outFile}.${process.pid}`;
  await writeFile(unfinished, code);
  await rename(unfinished, outFile);
  return outFile;
}

if (require.main === module) {
  buildWorkflowBundle().then(
    (file) => console.log(`workflow bundle: ${file}`),
    (error: unknown) => {
      console.error(error);
      process.exitCode = 1;
    },
  );
}
