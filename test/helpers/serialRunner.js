// Runs the test files of a project one after the other: there is one lab at a time, and times are measured on it.
const { default: TestRunner } = require('jest-runner');

module.exports = class SerialRunner extends TestRunner {
  isSerial = true;
};
