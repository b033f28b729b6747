/**
 * Kafka for specs: KAFKA_BROKERS, or one broker that the whole mocha run shares. Where neither can be had the specs
 * are left out and the run says so in one line; in CI that is a failure.
 */
import { randomBytes } from 'node:crypto';
import { atTheEnd } from '../atTheEnd.js';
import { TestBroker } from './broker.js';
import { whyNoBroker } from './jars.js';

let shared: Promise<TestBroker> | undefined;

/** The broker of this run, which tests may kill as long as they start it again. */
export const sharedBroker = (): Promise<TestBroker> =>
  (shared ??= (async () => {
    const broker = await TestBroker.start();
    atTheEnd(() => broker.stop());
    return broker;
  })());

const given = (): string | undefined => process.env['KAFKA_BROKERS'] || undefined;

/** The addresses that specs connect to. */
export const kafkaBrokers = async (): Promise<string[]> =>
  (given() ?? (await sharedBroker()).address).split(',');

/** On a shared cluster, too. */
export const uniqueTopic = (): string => `recovery-test-${process.pid}-${randomBytes(4).toString('hex')}`;

let missing: { readonly why: string | undefined } | undefined;
/** Of the two runs side by side that `npm test` is, one says it. */
let said = process.env['npm_lifecycle_event'] === 'tests:code';

const sayAtTheEnd = (why: string): void => {
  if (said) return;
  said = true;
  atTheEnd(() => {
    process.stdout.write(`Kafka tests left out: ${why}; or set KAFKA_BROKERS.\n`);
    return Promise.resolve();
  });
};

const describeUnless = (why: string | undefined, title: string, body: () => void): void => {
  if (why === undefined) describe(title, body);
  else if (process.env['CI'] !== 'true') sayAtTheEnd(why);
  else
    describe(title, () => {
      it('has a Kafka broker to run against', () => {
        throw new Error(`${why}; or set KAFKA_BROKERS`);
      });
    });
};

/** `describe`, where a Kafka can be had; the first test may take as long as starting one. */
export const describeKafka = (title: string, body: () => void): void => {
  missing ??= { why: given() === undefined ? whyNoBroker() : undefined };
  describeUnless(missing.why, title, () => {
    before(async function () {
      this.timeout(400_000);
      await kafkaBrokers();
    });
    body();
  });
};

/** `describe`, where a broker of our own can be started: for what cannot be done to somebody else's. */
export const describeOwnKafka = (title: string, body: () => void): void =>
  describeUnless(whyNoBroker(), title, () => {
    before(async function () {
      this.timeout(400_000);
      await sharedBroker();
    });
    body();
  });
