// Not .json: mocha adds the files named on the command line to the configured ones, and then `mocha --spec one`
// would run everything.
const named = process.argv.slice(2).some((argument) => /^--spec\b|\.spec\.ts$/.test(argument));

module.exports = {
  'node-option': ['import=tsx', 'enable-source-maps'],
  require: ['./test/support/mochaFixtures.ts'],
  ...(named ? {} : { spec: ['src/**/*.spec.ts', 'test/**/*.spec.ts'] }),
  timeout: 30_000,
  'forbid-only': true,
  exit: false,
};
