// Five projects, by what a test needs: nothing, a Temporal server, the lab, the lab and much time, the lab and more time than CI has.
// `npx jest test/unit/model`, `npx jest --selectProjects unit`; `npm test` runs all but the last, in this order; `npm run soak` runs that.

const transform = {
  '^.+\\.[tj]s$': [
    '@swc/jest',
    { sourceMaps: 'inline', module: { type: 'commonjs' }, jsc: { target: 'es2022', parser: { syntax: 'typescript' }, keepClassNames: true } },
  ],
};

/** A project's settings; `folder` is below test/. */
const project = (folder, more = {}) => ({
  displayName: folder,
  rootDir: __dirname,
  testEnvironment: 'node',
  testMatch: [`<rootDir>/test/${folder}/**/*.test.ts`],
  // Only these are searched: .lab/ has the hosts' files, which come and go, and dist/ has everything twice.
  roots: ['<rootDir>/test', '<rootDir>/src', '<rootDir>/lab'],
  transform,
  ...more,
});

const temporal = { globalSetup: '<rootDir>/test/globalSetup.ts', globalTeardown: '<rootDir>/test/globalTeardown.ts' };
const inPairs = { runner: '<rootDir>/test/helpers/pairRunner.js' };

/** jest ignores `testTimeout` inside a project; a file that is run before the tests sets it, in milliseconds. */
const patience = (ms) => ({ setupFilesAfterEnv: ['<rootDir>/test/helpers/patience.js'], globals: { stTestTimeout: ms } });

module.exports = {
  projects: [
    project('unit', patience(30_000)),
    project('workflows', { ...temporal, ...patience(90_000) }),
    project('lab', { ...temporal, ...inPairs, ...patience(180_000) }),
    project('faults', { ...temporal, ...inPairs, ...patience(300_000) }),
    project('soak', { ...temporal, ...inPairs, ...patience(900_000) }),
  ],
};
