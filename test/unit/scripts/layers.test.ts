/** scripts/check-layers.mjs: every kind of violation is named with its file and line, and allowed imports are not. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const checker = join(__dirname, '../../../scripts/check-layers.mjs');

function check(files: Record<string, string>): { status: number | null; output: string } {
  const root = mkdtempSync(join(tmpdir(), 'st-layers-'));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  const { status, stdout, stderr } = spawnSync(process.execPath, [checker, root], { encoding: 'utf8' });
  rmSync(root, { recursive: true });
  return { status, output: stdout + stderr };
}

const planted: [what: string, file: string, line: string, message: string][] = [
  ['a model that reads files', 'src/model/spec.ts', `import { readFileSync } from 'node:fs';`, 'src/model imports the Node module node:fs'],
  ['a model that uses a package other than zod', 'src/model/spec.ts', `import pg from 'pg';`, 'src/model imports pg'],
  ['a model that uses a client', 'src/model/spec.ts', `import { ssh } from '../clients/ssh';`, 'src/model imports src/clients'],
  ['a client that knows Temporal', 'src/clients/ssh.ts', `import { heartbeat } from '@temporalio/activity';`, 'src/clients imports @temporalio/activity'],
  ['a client that knows Temporal by its types', 'src/clients/ssh.ts', `import type { Duration } from '@temporalio/common';`, 'src/clients imports @temporalio/common'],
  ['a client that uses an activity', 'src/clients/ssh.ts', `export * from '../activities/hosts';`, 'src/clients imports src/activities'],
  ['an activity that uses a workflow', 'src/activities/hosts.ts', `import { addNode } from '../workflows/addNode';`, 'src/activities imports src/workflows'],
  ['a workflow that uses an activity itself', 'src/workflows/addNode.ts', `import { hosts } from '../activities/hosts';`, 'src/workflows imports more than types from src/activities'],
  ['a workflow that uses a client', 'src/workflows/addNode.ts', `import type { Ssh } from '../clients/ssh';`, 'src/workflows imports src/clients'],
  ['a workflow that uses Node', 'src/workflows/operation/steps.ts', `const { createHash } = require('crypto');`, 'src/workflows imports the Node module crypto'],
  ['a workflow that uses Node later', 'src/workflows/addNode.ts', `export const load = () => import('node:fs');`, 'src/workflows imports the Node module node:fs'],
  ['a workflow that uses another package of Temporal', 'src/workflows/addNode.ts', `import { Client } from '@temporalio/client';`, 'src/workflows imports @temporalio/client'],
  ['a workflow that throws a plain error', 'src/workflows/addNode.ts', `export function f() { throw new Error('x'); }`, 'throws Error'],
  ['a workflow that hangs on the clock', 'src/workflows/addNode.ts', `export const late = (end: number) => Date.now() > end;`, 'asks the clock'],
  ['a workflow that throws a TypeError', 'src/workflows/addNode.ts', `export function f() { throw new TypeError('x'); }`, 'throws TypeError'],
  ['a control that runs workflow code', 'src/control/start.ts', `import { addNode } from '../workflows/addNode';`, 'src/control imports more than types from src/workflows'],
  ['a command line that goes past control', 'src/cli/main.ts', `import { ssh } from '../clients/ssh';`, 'src/cli imports src/clients'],
  ['a web page that goes past control', 'src/web/page.ts', `import { createWorker } from '../worker/createWorker';`, 'src/web imports src/worker'],
  ['a product that knows the lab', 'src/clients/ssh.ts', `import { host } from '../../lab/hosts';`, 'the product must not know of lab/'],
  ['a product that knows its tests', 'src/worker/main.ts', `import type { Fake } from '../../test/helpers/fake';`, 'the product must not know of test/'],
  ['a folder that is no layer', 'src/utils/strings.ts', `export const a = 1;`, 'src/utils is no layer'],
];

describe('each violation is named with its file and line', () => {
  let output: string;
  // One run for all of them: every case in a file of its own.
  const place = (file: string, index: number) => file.replace(/\.ts$/, `${index}.ts`);
  beforeAll(() => {
    output = check(Object.fromEntries(planted.map(([, file, line], index) => [place(file, index), `// first line\n${line}\n`]))).output;
  });
  test.each(planted.map(([what, file, , message], index) => ({ what, message, start: `${place(file, index)}:${message.includes('is no layer') ? 1 : 2}: ` })))('$what', ({ start, message }) => {
    const lines = output.split('\n').filter((line) => line.startsWith(start));
    expect(lines).toEqual([expect.stringContaining(message)]);
  });
});

test('all violations are named at once', () => {
  const { status, output } = check({ 'src/model/a.ts': `import 'fs';\nimport 'pg';\n`, 'src/clients/b.ts': `import '@temporalio/client';\n` });
  expect(output).toMatch(/src\/model\/a\.ts:1: [\s\S]*src\/model\/a\.ts:2: /);
  expect(output).toContain('src/clients/b.ts:1: ');
  expect(output).toContain('layers: 3 violations');
  expect(status).toBe(1);
});

test('what the design allows is not named', () => {
  const { status, output } = check({
    'src/model/spec.ts': `import { z } from 'zod';\nimport { a } from './ids';\nexport class StError extends Error {}\n`,
    'src/clients/ssh.ts': `import { Client } from 'ssh2';\nimport { readFile } from 'node:fs/promises';\nimport { StError } from '../model/errors';\nexport function f() { throw new Error('x'); }\n`,
    'src/activities/hosts.ts': `import { heartbeat } from '@temporalio/activity';\nimport { ssh } from '../clients/ssh';\n`,
    'src/workflows/addNode.ts': `import { ApplicationFailure } from '@temporalio/workflow';\nimport type { Hosts } from '../activities/hosts';\nimport { type Servers } from '../activities/servers';\nimport { a } from '../model/ids';\nexport function f() { throw ApplicationFailure.nonRetryable('no'); }\n`,
    'src/control/start.ts': `import type { addNode } from '../workflows/addNode';\nimport { Client } from '@temporalio/client';\n`,
    'src/worker/main.ts': `import { createControl } from '../control/connect';\nimport * as activities from '../activities';\nexport const path = require.resolve('../workflows');\n`,
    'src/cli/main.ts': `import { start } from '../control/start';\nimport { a } from '../model/ids';\nimport { Command } from 'commander';\n`,
  });
  expect(output).toBe('layers: held\n');
  expect(status).toBe(0);
});
