/**
 * The process is killed at each numbered point of the path from a reported failure to its end, five times each at
 * another visit, and started again. What the payment provider's own books say must then agree with the log.
 */
import { expect } from 'chai';
import type { RecordedEvent } from '../src/events/envelope.js';
import { PgEventStore } from '../src/infra/eventStore/pgEventStore.js';
import type { FaultPoint } from '../src/kernel/faults.js';
import { silentLogger } from '../src/kernel/logger.js';
import { ProjectionEngine } from '../src/projections/engine/engine.js';
import { projections } from '../src/projections/index.js';
import {
  type Books,
  copiesOf,
  pspBooks,
  recoveryStories,
  type RecoveryStory,
} from './support/crashLedger.js';
import { payByLink } from './support/crashCustomer.js';
import { CrashWorld } from './support/crashWorld.js';
import { digests, untilCaughtUp, withLive } from './support/engine.js';
import { readEvents } from './support/systemLog.js';

const points = [
  'append:before',
  'append:after',
  'saga:before-command',
  'saga:after-command',
  'saga:after-checkpoint',
  'projector:before-commit',
  'projector:after-commit',
  'scheduler:after-lease',
  'retry:after-reserve',
  'retry:after-intent',
  'retry:after-charge',
  'retry:after-slot',
  'retry:after-outcome',
  'mail:after-intent',
  'mail:after-send',
  'mail:after-outcome',
  'alert:after-claim',
  'alert:after-intent',
  'alert:after-send',
  'alert:after-outcome',
  'scheduler:after-release',
  'checkout:after-payment',
] as const satisfies readonly FaultPoint[];
/** Fails to compile when a point is missing above. The relay's are those of kafkaFaults.e2e.spec.ts, the PSP's of takeOver.unit.spec.ts. */
const everyPoint: Exclude<FaultPoint, (typeof points)[number] | `${'relay' | 'stop'}:${string}`> extends never
  ? true
  : never = true;

const BATCH = 4;
const VISITS = [1, 2, 3, 4, 5];
const DAY = 24 * 3_600_000;
const closings = ['RecoverySucceeded', 'RecoveryExhausted', 'RecoveryExpired', 'RecoveryCancelled'];

/** First failure, what the PSP does with our retries, and whether the customer pays by the mailed link. The last four are matters of the merchant's. */
const cases: readonly { decline_code: string; script: string; pays?: true }[] = [
  { decline_code: 'insufficient_funds', script: 'insufficient_funds,success' },
  { decline_code: 'stolen_card', script: 'stolen_card' },
  { decline_code: 'insufficient_funds', script: 'timeout' },
  { decline_code: 'authentication_required', script: 'authentication_required', pays: true },
  { decline_code: 'do_not_honor', script: 'timeout_unrecorded,success' },
  { decline_code: 'processing_error', script: 'success' },
  { decline_code: 'do_not_honor', script: 'do_not_honor,do_not_honor,insufficient_funds', pays: true },
  { decline_code: 'invalid_amount', script: 'success' },
  { decline_code: 'duplicate_transaction', script: 'success' },
  { decline_code: 'merchant_blacklist', script: 'success' },
  { decline_code: 'stop_payment_order', script: 'success' },
];

describe('a process that is killed anywhere', () => {
  let world: CrashWorld;
  const taken: string[] = [];
  const customers: Promise<void>[] = [];
  const unanswered = new Set<Promise<void>>();

  before(async function () {
    this.timeout(120_000);
    world = await CrashWorld.create();
    await world.register();
  });
  after(async function () {
    this.timeout(60_000);
    await world.close();
  });

  /** Reports a failed payment, until it is accepted: by this process or a later one. */
  const report = async (): Promise<void> => {
    const ref = `crash-${taken.length}`;
    const { decline_code, script, pays } = cases[taken.length % cases.length] as (typeof cases)[number];
    taken.push(ref);
    await world.call('/v1/events/payment_failed', {
      headers: { 'idempotency-key': ref },
      json: {
        transaction_ref: ref,
        amount: 1000 + taken.length,
        currency: 'EUR',
        customer: { email: `${ref}@customer.test`, name: 'Ada' },
        gateway: 'sandbox',
        failure: { code: 'card_declined', decline_code },
        metadata: { sandbox_script: script },
      },
    });
    if (pays) customers.push(payByLink(world, `${ref}@customer.test`));
  };

  /** Keeps some reports on their way. */
  const takeIn = (): void => {
    while (unanswered.size < BATCH) {
      const answered: Promise<void> = report().finally(() => unanswered.delete(answered));
      answered.catch(() => undefined); // awaited at the end
      unanswered.add(answered);
    }
  };

  const keysOf = (stories: Iterable<RecoveryStory>): Set<string> =>
    new Set([...stories].flatMap(({ attempts }) => attempts.map(({ key }) => key)));

  /** True at any time, also while everything lies in pieces. */
  const nothingChargedTwice = ({ charges, asked }: Books, events: readonly RecordedEvent[]): void => {
    const paid = charges.filter(({ status }) => status === 'succeeded').map((charge) => charge.payment_id);
    expect(paid, 'a debt was charged twice').to.have.length(new Set(paid).size);
    const intended = keysOf(recoveryStories(events).values());
    for (const key of asked)
      expect(intended.has(key), `${key} was asked for without an intent`).to.equal(true);
    for (const { idempotency_key: key, origin } of charges)
      if (origin === 'off_session') expect(asked.has(key)).to.equal(true);
  };

  const killAt = async (point: FaultPoint, visit: number): Promise<void> => {
    // A charge without an outcome is asked for again with its key, or looked up once the key may be forgotten.
    const downtime = visit > 3 ? DAY : 0;
    const life = await world.start({ point, visit }, downtime);
    while (!life.over) {
      takeIn();
      await world.endOrSettled(life);
    }
    await world.bury(life);
    world.kills.push({ point, visit });
  };

  for (const point of points)
    it(`resumes after ${VISITS.length} kills at ${point}`, async function () {
      this.timeout(180_000);
      for (const visit of VISITS) await killAt(point, visit);
      nothingChargedTwice(await pspBooks(world.db), await readEvents(world.db));
    });

  it('ends every recovery, and log, books, mails and read models agree', async function () {
    this.timeout(300_000);
    expect(everyPoint).to.equal(true);
    expect(world.kills).to.have.length(points.length * VISITS.length);
    const life = await world.start();
    await Promise.all(unanswered);
    await Promise.all(customers);
    await world.endOrSettled(life);
    await world.stop(life);
    const events = await readEvents(world.db);
    const books = await pspBooks(world.db);
    const stories = [...recoveryStories(events).values()];

    expect(events.filter(({ type }) => type === 'PaymentFailed')).to.have.length(taken.length);
    expect(stories).to.have.length(taken.length);
    nothingChargedTwice(books, events);
    everythingHasAnEnd(stories);
    booksAgree(books, stories, events);
    mailsAgree(stories);
    merchantIsToldOnceADay(events);
    await checkpointAtHead(events);
    await rebuildAgrees();
  });

  const everythingHasAnEnd = (stories: readonly RecoveryStory[]): void => {
    for (const { id, types, attempts, steps } of stories) {
      const told = `${id}: ${types.join(' ')}`;
      expect(
        types.filter((type) => type === 'RecoveryStarted'),
        told,
      ).to.have.length(1);
      expect(
        types.filter((type) => closings.includes(type)),
        told,
      ).to.have.length(1);
      for (const { outcomes } of attempts) expect(outcomes, told).to.have.length(1);
      for (const { sent, givenUp } of steps.values()) expect(sent + givenUp, told).to.equal(1);
    }
  };

  const booksAgree = (
    { charges }: Books,
    stories: readonly RecoveryStory[],
    events: readonly RecordedEvent[],
  ): void => {
    const booked = (status: string) =>
      charges.filter((charge) => charge.status === status).map((charge) => charge.idempotency_key);
    const attempts = stories.flatMap((story) => story.attempts);
    const ended = (type: string) =>
      attempts.filter(({ outcomes }) => outcomes[0] === type).map(({ key }) => key);
    const bookedFor = (origin: string) =>
      booked('succeeded').filter((key) => key.startsWith('checkout:') === (origin === 'checkout'));
    expect(ended('RetrySucceeded')).to.have.members(bookedFor('off_session'));
    expect(bookedFor('checkout').length).to.be.at.least(VISITS.length);
    expect(ended('RetryDeclined')).to.include.members(booked('declined')); // and those that never arrived
    const paid = charges.filter(({ status }) => status === 'succeeded').map((charge) => charge.payment_id);
    const streams = events.filter(({ type }) => type === 'PaymentSucceeded').map(({ stream }) => stream);
    expect(streams).to.have.members(paid.map((id) => `payment-${id}`));
    const recovered = stories.filter(({ types }) => types.includes('RecoverySucceeded'));
    expect(recovered.map(({ payment }) => payment)).to.have.members(paid);
  };

  /** A step has one Message-ID; it went out once for each time its sending was begun, at most. */
  const mailsAgree = (stories: readonly RecoveryStory[]): void => {
    const copies = copiesOf(world.mail);
    const known = new Set<string>();
    for (const { steps } of stories)
      for (const { messageIds, started, sent } of steps.values()) {
        expect(messageIds.size).to.equal(Math.min(started, 1)); // left to another recovery, an alert has none
        if (started === 0) continue;
        const [id = ''] = messageIds;
        expect(known.has(id), `${id} belongs to two steps`).to.equal(false);
        known.add(id);
        expect(copies.get(id) ?? 0).to.be.within(sent, started);
      }
    for (const id of copies.keys()) expect(known.has(id), `${id} was sent without an intent`).to.equal(true);
    expect(known.size).to.be.greaterThan(VISITS.length);
  };

  /** However many payments fail for a cause: one recovery mails of it on a day. */
  const merchantIsToldOnceADay = (events: readonly RecordedEvent[]): void => {
    const tellers = new Map<string, Set<string>>();
    for (const { type, data, stream } of events) {
      if (type !== 'MerchantAlertStarted') continue;
      const { cause, started_at } = data as { cause: string; started_at: string };
      const day = `${cause} on ${started_at.slice(0, 10)}`;
      tellers.set(day, (tellers.get(day) ?? new Set()).add(stream));
    }
    for (const [day, streams] of tellers) expect([...streams], day).to.have.length(1);
    expect(tellers.size).to.be.greaterThan(VISITS.length);
    const of = (type: string) => events.filter((event) => event.type === type).length;
    expect(of('MerchantAlertSent') + of('MerchantAlertSkipped')).to.equal(of('RecoveryEscalated'));
  };

  const checkpointAtHead = async (events: readonly RecordedEvent[]): Promise<void> => {
    const { rows } = await world.db.pool.query<{ position: string }>('SELECT position FROM bus_checkpoints');
    expect(rows.map(({ position }) => position)).to.deep.equal([String(events.at(-1)?.position)]);
  };

  const rebuildAgrees = async (): Promise<void> => {
    const { pool } = world.db;
    const store = new PgEventStore({ pool });
    const engine = new ProjectionEngine({ store, pool, projections, logger: silentLogger });
    // What had settled was the timers; another model may have been a page behind when the last life was stopped.
    await withLive(engine, () => untilCaughtUp(engine));
    const live = await digests(pool, engine);
    await engine.rebuild('all');
    expect(await digests(pool, engine)).to.deep.equal(live);
    await store.close();
  };
});
