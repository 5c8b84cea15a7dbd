// Runs the test files of the projects that use it two at a time, whatever the machine: much of a lab's time is waiting, and more labs than that are more than two cores carry.
const { default: TestRunner } = require('jest-runner');

module.exports = class PairRunner extends TestRunner {
  constructor(globalConfig, context) {
    super({ ...globalConfig, maxWorkers: Math.min(2, globalConfig.maxWorkers) }, context);
  }
};
