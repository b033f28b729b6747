/** What every EventBus does, whatever carries the messages. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { recordPaymentFailure } from '../../src/commands/payment/record.js';
import type { EventBus } from '../../src/events/eventBus.js';
import type { PublicMessage } from '../../src/events/integration/message.js';
import { ParkedMessages } from '../../src/infra/bus/parkedMessages.js';
import { PgEventStore } from '../../src/infra/eventStore/pgEventStore.js';
import { deriveId, type OrgId } from '../../src/kernel/ids.js';
import { createTestDatabase, type TestDatabase } from './postgres.js';

const ORG = deriveId('bus-test') as OrgId;
const AT = '2026-03-01T10:00:00.000Z';
export const GROUP = 'g';

export type Handle = (message: PublicMessage) => Promise<void>;

/** A database with a log, and a bus that carries it. */
export class BusWorld {
  readonly #stops: (() => Promise<void>)[] = [];

  private constructor(
    readonly db: TestDatabase,
    readonly store: PgEventStore,
  ) {}

  static async create(): Promise<BusWorld> {
    const db = await createTestDatabase();
    return new BusWorld(db, new PgEventStore({ pool: db.pool }));
  }

  /** Stopped, last first, when the world ends. */
  onClose(stop: () => Promise<void>): void {
    this.#stops.push(stop);
  }

  async close(): Promise<void> {
    for (let stop = this.#stops.pop(); stop !== undefined; stop = this.#stops.pop()) await stop();
    await this.store.close();
    await this.db.drop();
  }

  /** A failed payment: one message. */
  fail(ref: string, trigger: string): Promise<unknown> {
    const failure = {
      transaction_ref: ref,
      amount: 100,
      currency: 'EUR',
      customer: { email: 'ada@example.com' },
      gateway: 'sandbox',
      failure: { code: trigger },
      trigger_id: trigger,
      failed_at: AT,
    };
    const principal = { actor: { type: 'system', id: 't' }, orgId: ORG } as const;
    const context = { principal, correlationId: 'c', causationId: 'c', now: AT };
    return recordPaymentFailure(this.store, failure, context);
  }

  /** A consumer of the group until stopped; what it handled is in `seen`. */
  consume(bus: EventBus, handle: Handle = async () => undefined, group = GROUP) {
    const stop = new AbortController();
    const seen: PublicMessage[] = [];
    const running = bus.consume({
      group,
      types: ['payment.failed'],
      concurrency: 8,
      signal: stop.signal,
      handle: async (message) => {
        await handle(message);
        seen.push(message);
      },
    });
    const end = (): Promise<void> => (stop.abort(), running);
    this.onClose(end);
    return { seen, stop: end };
  }
}

export const triggerOf = ({ data }: PublicMessage): string => ('trigger_id' in data ? data.trigger_id : '');
export const triggersOf = (messages: readonly PublicMessage[]): string[] => messages.map(triggerOf);

export const until = async (condition: () => boolean | Promise<boolean>, ms = 15_000): Promise<void> => {
  for (const end = Date.now() + ms; !(await condition());) {
    if (Date.now() > end) throw new Error(`not within ${ms} ms: ${condition.toString()}`);
    await sleep(20);
  }
};

const inOrder = (messages: readonly PublicMessage[]): void => {
  for (const key of new Set(messages.map((message) => message.key))) {
    const positions = messages.filter((one) => one.key === key).map(({ position }) => Number(position));
    expect(positions).to.deep.equal([...positions].sort((a, b) => a - b));
  }
};

const broken = (...triggers: readonly string[]) => {
  const state = { repaired: false, tries: [] as string[] };
  const handle: Handle = async (message) => {
    state.tries.push(triggerOf(message));
    await Promise.resolve();
    if (!state.repaired && triggers.includes(triggerOf(message))) throw new TypeError('broken');
  };
  return { state, handle };
};

/** @param open a bus of the world, already carrying its log */
export const eventBusContract = (open: (world: BusWorld) => Promise<() => EventBus>): void => {
  let world: BusWorld;
  let bus: () => EventBus;

  beforeEach(async () => {
    world = await BusWorld.create();
    bus = await open(world);
  });
  afterEach(async function () {
    this.timeout(60_000);
    await world.close();
  });

  const parked = (handle: Handle) => new ParkedMessages(world.db.pool, { [GROUP]: handle });
  const parkedKeys = async () => (await parked(async () => undefined).list()).map(({ key }) => key);

  it('hands over every message once, those of one payment in order, and nothing personal', async () => {
    for (let i = 0; i < 40; i++) await world.fail(`ref-${i % 8}`, `t${i}`);
    const consumer = world.consume(bus(), () => sleep(Math.random() * 4));
    await until(() => consumer.seen.length === 40);
    await consumer.stop();
    expect(new Set(consumer.seen.map(({ key }) => key)).size).to.equal(8);
    inOrder(consumer.seen);
    expect(JSON.stringify(consumer.seen)).to.not.contain('ada@example.com');
  });

  it('goes on where it stopped', async () => {
    await world.fail('a', 't1');
    const first = world.consume(bus());
    await until(() => first.seen.length === 1);
    await first.stop();
    await world.fail('a', 't2');
    const second = world.consume(bus());
    await until(() => second.seen.length === 1);
    await second.stop();
    expect(triggersOf(second.seen)).to.deep.equal(['t2']);
  });

  it('hands a failed message over again and lets others pass it; progress waits for it', async () => {
    const { state, handle } = broken('t1');
    await world.fail('bad', 't1');
    await world.fail('good', 't2');
    const consumer = world.consume(bus(), handle);
    await until(() => consumer.seen.length === 1);
    expect(triggersOf(consumer.seen)).to.deep.equal(['t2']);
    await consumer.stop();
    state.repaired = true;
    const again = world.consume(bus());
    await until(() => triggersOf(again.seen).includes('t1'));
    await again.stop();
  });

  it('parks a message that keeps failing, and the later ones of its payment behind it, in order', async () => {
    const { state, handle } = broken('t1');
    await world.fail('bad', 't1');
    await world.fail('good', 't2');
    const consumer = world.consume(bus(), handle);
    await until(async () => (await parkedKeys()).length === 1);
    for (const trigger of ['t3', 't4']) await world.fail('bad', trigger);
    await world.fail('good', 't5');
    await until(() => triggersOf(consumer.seen).includes('t5'));
    expect(triggersOf(consumer.seen)).to.deep.equal(['t2', 't5']);
    const [sequence] = await parked(handle).list();
    await until(async () => (await parked(handle).list())[0]?.messages === 3);
    expect(sequence).to.include({ group: GROUP, reason: 'broken', tries: 6 });

    state.repaired = true;
    state.tries.length = 0;
    expect(await parked(handle).retry(GROUP, sequence?.key ?? '')).to.deep.equal({ handled: 3, left: 0 });
    expect(state.tries).to.deep.equal(['t1', 't3', 't4']);
    await world.fail('bad', 't6');
    await until(() => triggersOf(consumer.seen).includes('t6'));
    expect(await parkedKeys()).to.deep.equal([]);
  });

  it('takes up a payment again once its parked messages are discarded, one or all', async () => {
    const { handle } = broken('t1', 't2', 't3');
    await world.fail('bad', 't1');
    const consumer = world.consume(bus(), handle);
    await until(async () => (await parkedKeys()).length === 1);
    for (const trigger of ['t2', 't3']) await world.fail('bad', trigger);
    await until(async () => (await parked(handle).list())[0]?.messages === 3);
    const [key = ''] = await parkedKeys();
    expect(await parked(handle).discard(GROUP, key, 'first')).to.equal(1);
    const left = await parked(handle).messages(GROUP, key);
    expect(left.map(({ form }) => 'message' in form && triggerOf(form.message))).to.deep.equal(['t2', 't3']);
    expect(await parked(handle).discard(GROUP, key, 'all')).to.equal(2);
    await world.fail('bad', 't4');
    await until(() => consumer.seen.length === 1);
    expect(triggersOf(consumer.seen)).to.deep.equal(['t4']);
  });

  it('knows after a new start what is parked', async () => {
    const { state, handle } = broken('t1');
    await world.fail('bad', 't1');
    const first = world.consume(bus(), handle);
    await until(async () => (await parkedKeys()).length === 1);
    await first.stop();
    state.repaired = true;
    await world.fail('bad', 't2');
    await world.fail('good', 't3');
    const second = world.consume(bus(), handle);
    await until(() => triggersOf(second.seen).includes('t3'));
    await until(async () => (await parked(handle).list())[0]?.messages === 2);
    expect(triggersOf(second.seen)).to.not.include('t2');
  });

  it('lets no message overtake a sequence that is being retried', async function () {
    this.timeout(60_000);
    const { state, handle } = broken('t0');
    await world.fail('bad', 't0');
    const done: string[] = [];
    const slowly: Handle = async (message) => {
      await handle(message);
      await sleep(5);
      done.push(triggerOf(message));
    };
    world.consume(bus(), slowly);
    await until(async () => (await parkedKeys()).length === 1);
    state.repaired = true;
    const [key = ''] = await parkedKeys();
    const sending = (async () => {
      for (let i = 1; i <= 60; i++) await world.fail('bad', `t${i}`);
    })();
    while ((await parkedKeys()).length > 0) await parked(slowly).retry(GROUP, key);
    await sending;
    await until(() => done.length >= 61);
    expect(done).to.deep.equal(Array.from({ length: 61 }, (_, i) => `t${i}`));
  });

  it('parks nothing while the database or the event store is away, nor for one failure after that', async () => {
    let tries = 0;
    await world.fail('a', 't1');
    const consumer = world.consume(bus(), async () => {
      await Promise.resolve();
      if (++tries <= 6) throw Object.assign(new Error('connect'), { code: 'ECONNREFUSED' });
      if (tries === 7) throw new Error('broken once');
    });
    await until(async () => consumer.seen.length === 1 || (await parkedKeys()).length > 0, 25_000);
    expect(await parkedKeys()).to.deep.equal([]);
  });
};
