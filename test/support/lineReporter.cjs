// @ts-check
/**
 * A line per test that can be read by itself, because two runs write to one terminal; the failures at the end, and as
 * the last line the counts in one plain sentence that scripts can read.
 */
const { reporters, Runner } = require('mocha');

module.exports = class LineReporter extends reporters.Base {
  constructor(runner, options) {
    super(runner, options);
    const { EVENT_TEST_PASS, EVENT_TEST_FAIL, EVENT_TEST_PENDING, EVENT_RUN_END } = Runner.constants;
    const line = (mark, test, more = '') => process.stdout.write(`${mark} ${test.fullTitle()}${more}\n`);
    runner.on(EVENT_TEST_PASS, (test) =>
      line('✔', test, test.duration > test.slow() ? ` (${test.duration}ms)` : ''),
    );
    runner.on(EVENT_TEST_FAIL, (test, error) => line('✘', test, `: ${error.message}`));
    runner.on(EVENT_TEST_PENDING, (test) => line('-', test));
    runner.once(EVENT_RUN_END, () => {
      this.epilogue();
      const { passes = 0, failures = 0, pending = 0 } = this.stats ?? {};
      process.stdout.write(`${passes} passed, ${failures} failed, ${pending} skipped\n`);
    });
  }
};
