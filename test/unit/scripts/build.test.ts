/** scripts/build: compiles when a source is newer than the last good build, and only then; bundles when workflow code has changed. */
import { rmSync, utimesSync } from 'node:fs';
import { sandbox, type Sandbox } from './sandbox';

let box: Sandbox;
beforeEach(() => {
  box = sandbox();
  box.copy('build', 'common.sh');
  box.write(`const fs = require('node:fs'); fs.appendFileSync('${box.path('calls')}', 'bundle\\n'); fs.writeFileSync('dist/workflow-bundle.js', '');`, 'bundle.js');
  box.program('tsc', `echo tsc >>'${box.path('calls')}'\nmkdir -p dist/src/worker\ncp bundle.js dist/src/worker\nexit \${TSC_CODE:-0}`, 'node_modules/.bin');
  for (const file of ['src/workflows/addNode.ts', 'src/model/ids.ts', 'src/cli/main.ts', 'src/worker/bundle.ts', 'lab/main.ts', 'tsconfig.json', 'package-lock.json']) box.write('', file);
});
afterEach(() => box.remove());

/** Runs the build of the sandbox's own checkout and answers what it did. */
async function build(...arguments_: string[]): Promise<{ status: number | null; calls: string[] }> {
  box.write('', 'calls');
  const { status } = await box.run('build', {}, { arguments: arguments_ });
  return { status, calls: box.read('calls').trim().split('\n').filter(Boolean) };
}
/** A time after the last build, whatever the clock's grain. */
function change(file: string): void {
  const later = new Date(Date.now() + 10_000);
  utimesSync(box.path(file), later, later);
}

test('the first time it compiles and bundles', async () => {
  expect(await build('--if-needed')).toEqual({ status: 0, calls: ['tsc', 'bundle'] });
});

test('when nothing has changed nothing runs', async () => {
  await build();
  expect(await build('--if-needed')).toEqual({ status: 0, calls: [] });
});

test.each(['src/cli/main.ts', 'lab/main.ts', 'tsconfig.json'])('a change of %s compiles, without bundling', async (file) => {
  await build();
  change(file);
  expect((await build('--if-needed')).calls).toEqual(['tsc']);
});

test.each(['src/workflows/addNode.ts', 'src/model/ids.ts', 'src/worker/bundle.ts', 'package-lock.json'])('a change of %s compiles and bundles', async (file) => {
  await build();
  change(file);
  expect((await build('--if-needed')).calls).toEqual(['tsc', 'bundle']);
});

test('a source that was removed counts as a change', async () => {
  await build();
  rmSync(box.path('src/cli/main.ts'));
  change('src/cli');
  expect((await build('--if-needed')).calls).toEqual(['tsc']);
});

test('a build that failed is tried again the next time', async () => {
  await build();
  change('src/cli/main.ts');
  const failed = await box.run('build', { TSC_CODE: '2' }, { arguments: ['--if-needed'] });
  expect(failed.status).not.toBe(0);
  expect((await build('--if-needed')).calls).toContain('tsc');
});
