// @ts-check
/** mocha's spec reporter, and as the last line of the run the counts in one plain sentence that scripts can read. */
const { reporters } = require('mocha');

module.exports = class CountingReporter extends reporters.Spec {
  epilogue() {
    super.epilogue();
    const { passes = 0, failures = 0, pending = 0 } = this.stats ?? {};
    process.stdout.write(`${passes} passed, ${failures} failed, ${pending} skipped\n`);
  }
};
