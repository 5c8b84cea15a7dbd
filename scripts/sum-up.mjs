// Adds up what scripts/test did: node scripts/sum-up.mjs FOLDER. The folder holds a JSON result of each run of jest (NAME.json, and NAME.jest-failed
// when jest said that it failed) and NAME.passed or NAME.failed for each other check. Prints one line for each and `N passed, N failed` as the last one;
// the exit code is 1 when anything failed or nothing ran.
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

const folder = process.argv[2];
const files = readdirSync(folder).sort();
const named = (ending) => files.filter((file) => file.endsWith(ending)).map((file) => basename(file, ending));
const sum = { passed: 0, failed: 0, skipped: 0 };

function add(name, { passed = 0, failed = 0, skipped = 0 }, remarks = []) {
  sum.passed += passed;
  sum.failed += failed;
  sum.skipped += skipped;
  const figures = [`${passed} passed`, failed ? `${failed} FAILED` : undefined, skipped ? `${skipped} skipped` : undefined].filter(Boolean).join(', ');
  console.log([`  ${name}: ${figures}`, ...remarks.map((remark) => `    ${remark}`)].join('\n'));
}

/** The figures of one run. A file of tests that could not even be loaded counts as one failure, and so does a jest that failed for no test's fault. */
function jestFigures(name) {
  const failedRun = files.includes(`${name}.jest-failed`);
  let result;
  try {
    result = JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8'));
  } catch {
    return [{ failed: 1 }, ['jest ended without a result']];
  }
  const failures = result.testResults.flatMap((file) =>
    file.assertionResults.some((test) => test.status === 'failed')
      ? file.assertionResults.filter((test) => test.status === 'failed').map((test) => `${basename(file.name)}: ${test.fullName}`)
      : file.status === 'failed'
        ? [`${basename(file.name)}: did not run`]
        : [],
  );
  const figures = { passed: result.numPassedTests, failed: failures.length, skipped: result.numPendingTests + result.numTodoTests };
  if (failedRun && failures.length === 0) return [{ ...figures, failed: 1 }, ['jest failed although no test did: see its messages above']];
  return [figures, failures];
}

console.log('');
for (const name of named('.passed')) add(name, { passed: 1 });
for (const name of named('.failed')) add(name, { failed: 1 });
const runs = new Set([...named('.json'), ...named('.jest-failed')]);
for (const name of runs) add(name, ...jestFigures(name));
console.log(`\n${sum.passed} passed, ${sum.failed} failed${sum.skipped ? `, ${sum.skipped} skipped` : ''}`);
process.exit(sum.failed > 0 || sum.passed === 0 ? 1 : 0);
