import { setTimeout as sleep } from 'node:timers/promises';
import type { Consumer, EachBatchPayload, Kafka } from 'kafkajs';
import type { ConsumeOptions, EventBus } from '../../events/eventBus.js';
import type { Faults } from '../../kernel/faults.js';
import { within } from '../../kernel/timeBudget.js';
import { type Incoming, Intake, type IntakeOptions } from '../bus/intake.js';
import { Commits } from './commits.js';
import { type OwnedPartition, Ownership } from './ownership.js';
import { ForeignMessages, groupOf } from './sharedTopic.js';
import { incomingOf, type KafkaMessage } from './wire.js';

export interface KafkaEventBusOptions extends IntakeOptions {
  readonly kafka: Kafka;
  readonly topic: string;
  /** Whose messages it hands on; others are passed over. */
  readonly installation: string;
  readonly partitions: number;
  readonly faults: Faults;
  /** After so long without a sign of life a consumer's partitions are given to others. */
  readonly sessionTimeoutMs?: number;
}

const SESSION_TIMEOUT_MS = 30_000;
/** Messages handed out and not finished, at most: a bound of memory. */
const IN_FLIGHT = 1_000;
const BEGIN_AGAIN_MS = 1_000;
/** How long a fetch waits for a message. Heartbeats go out between fetches. */
const MAX_WAIT_MS = 1_000;
/** For the last commit, and for leaving the group: after it, the group does without them. */
const PART_MS = 5_000;

const noAnswer = (): Error => new Error('no answer from the brokers');

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });

/**
 * Consumes a topic in a Kafka consumer group.
 *
 * Batches are handed on to the intake and the next is fetched at once: messages of all partitions are handled side by
 * side, and a message that is tried again holds up its own key only. What is committed is where everything before is
 * handled (or parked), so a crash, a rebalance or a lost commit leads to copies and never to a hole. The commands make
 * copies harmless, also those that an instance works on that no longer owns the partition and does not know it yet.
 *
 * That holds because the first batch of a partition begins at what the group has committed. kafkajs gives that up when
 * a fetch meets a leader that has moved, or partitions that are new: it joins the group again from within the fetch,
 * and what other brokers were asked for before still arrives, of an earlier generation and perhaps beyond what is
 * committed by now. Such a join therefore ends the consumer. Every other join waits until nothing is fetched or taken
 * in.
 *
 * A request that is never answered ends it, too: the machine at the other end may be gone, and kafkajs would write to
 * that connection several times more. So does what kafkajs does not survive by itself. A consumer that has ended is
 * begun anew, for ever.
 */
export class KafkaEventBus implements EventBus {
  readonly #foreign: ForeignMessages;

  constructor(private readonly options: KafkaEventBusOptions) {
    this.#foreign = new ForeignMessages(options);
  }

  async consume(consumer: ConsumeOptions): Promise<void> {
    const { logger } = this.options;
    while (!consumer.signal.aborted) {
      const session = new Session(this.options, consumer, this.#foreign);
      const crash = await session.run().catch((error: unknown) => error);
      if (crash !== undefined && !consumer.signal.aborted)
        logger.warn({ err: crash, group: consumer.group }, 'bus consumer interrupted');
      await sleep(BEGIN_AGAIN_MS, undefined, { signal: consumer.signal }).catch(() => undefined);
    }
  }
}

/** One life of a kafkajs consumer, until the signal aborts or it is interrupted. */
class Session {
  readonly #ended = new AbortController();
  readonly #signal: AbortSignal;
  readonly #intake: Intake;
  readonly #ownership = new Ownership();
  readonly #consumer: Consumer;
  readonly #commits: Commits;
  readonly #running = new Set<Promise<void>>();
  readonly #waiting: (() => void)[] = [];
  /** The brokers that are being asked for messages. */
  readonly #fetching = new Set<number>();
  #refreshed: Promise<void> = Promise.resolve();

  constructor(
    private readonly options: KafkaEventBusOptions,
    private readonly consumerOptions: ConsumeOptions,
    private readonly foreign: ForeignMessages,
  ) {
    const { group, signal } = consumerOptions;
    const { kafka, topic, installation, logger, faults, sessionTimeoutMs = SESSION_TIMEOUT_MS } = options;
    this.#signal = AbortSignal.any([signal, this.#ended.signal]);
    this.#intake = new Intake(options, { ...consumerOptions, signal: this.#signal });
    this.#consumer = kafka.consumer({
      groupId: groupOf(group, installation),
      allowAutoTopicCreation: false,
      sessionTimeout: sessionTimeoutMs,
      heartbeatInterval: Math.floor(sessionTimeoutMs / 10),
      maxWaitTimeInMs: Math.min(MAX_WAIT_MS, sessionTimeoutMs / 5),
      retry: { retries: 4, restartOnFailure: () => Promise.resolve(false) },
    });
    const after = (): void => faults('saga:after-checkpoint');
    this.#commits = new Commits({
      consumer: this.#consumer,
      ownership: this.#ownership,
      topic,
      logger,
      after,
    });
  }

  /** @returns why it is over before the end, undefined at the end */
  async run(): Promise<unknown> {
    const { topic, partitions } = this.options;
    const interrupted = new Promise<unknown>((resolve) => this.#follow(resolve));
    try {
      await this.#consumer.connect();
      await this.#consumer.subscribe({ topic, fromBeginning: true });
      await this.#consumer.run({
        autoCommit: false,
        eachBatchAutoResolve: false,
        partitionsConsumedConcurrently: partitions, // none waits in a queue until it is somebody else's
        eachBatch: (payload) => this.#takeIn(payload),
      });
      return await Promise.race([interrupted, aborted(this.#signal)]);
    } finally {
      await this.#end();
    }
  }

  #follow(interrupt: (reason: unknown) => void): void {
    const { events } = this.#consumer;
    this.#consumer.on(events.CRASH, ({ payload }) => interrupt(payload.error));
    this.#consumer.on(events.REQUEST_TIMEOUT, ({ payload }) =>
      interrupt(new Error(`${payload.broker} did not answer: ${payload.apiName}`)),
    );
    this.#consumer.on(events.FETCH_START, ({ payload }) => this.#fetching.add(payload.nodeId));
    this.#consumer.on(events.FETCH, ({ payload }) => this.#fetching.delete(payload.nodeId));
    this.#consumer.on(events.GROUP_JOIN, ({ payload }) => {
      this.#ownership.assign(payload.memberId, payload.memberAssignment[this.options.topic] ?? []);
      if (this.#fetching.size > 0) {
        interrupt(new Error('joined the group again while messages were being fetched'));
        this.#ended.abort();
      }
      this.#refreshed = this.#intake.refresh();
      this.#refreshed.catch(() => undefined); // the next batch learns of it
    });
  }

  async #end(): Promise<void> {
    this.#ended.abort();
    await Promise.allSettled(this.#running);
    await within(PART_MS, this.#commits.last(), noAnswer).catch(() => undefined);
    await within(PART_MS, this.#consumer.disconnect(), noAnswer).catch(() => undefined);
  }

  async #takeIn(payload: EachBatchPayload): Promise<void> {
    const { batch, resolveOffset, isRunning } = payload;
    if (this.#signal.aborted) return;
    const first = BigInt(batch.firstOffset() ?? 0); // kafkajs delivers no empty batch
    const owned = this.#ownership.of(batch.partition, first);
    if (owned === undefined) return;
    await this.#refreshed;
    for (const message of batch.messages) {
      await this.#room(payload);
      if (owned.lost || this.#signal.aborted || !isRunning()) return;
      if (owned.begin(BigInt(message.offset))) this.#start(owned, message);
      resolveOffset(message.offset);
    }
    owned.pass(BigInt(batch.lastOffset()));
    resolveOffset(batch.lastOffset());
    this.#commits.save();
  }

  #start(owned: OwnedPartition, message: KafkaMessage): void {
    const incoming = this.#incomingOf(owned, message);
    const taken = incoming && this.#intake.take({ ...incoming, wanted: () => !owned.lost });
    if (taken === undefined) return owned.finish(BigInt(message.offset));
    const run: Promise<void> = taken
      .then((done) => {
        if (done) owned.finish(BigInt(message.offset));
        this.#commits.save();
      })
      .finally(() => this.#left(run));
    this.#running.add(run);
  }

  #incomingOf({ partition }: OwnedPartition, message: KafkaMessage): Incoming | undefined {
    if (this.foreign.include(message)) return undefined;
    const { topic } = this.options;
    const { types } = this.consumerOptions;
    return incomingOf({ topic, partition }, message, ({ type }) => types.includes(type));
  }

  /** Waits while too much is in hand, and keeps the membership alive meanwhile. */
  async #room({ heartbeat }: EachBatchPayload): Promise<void> {
    while (this.#running.size >= IN_FLIGHT && !this.#signal.aborted) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, MAX_WAIT_MS);
        this.#waiting.push(() => (clearTimeout(timer), resolve()));
      });
      await heartbeat(); // throws when the group rebalances
    }
  }

  #left(run: Promise<void>): void {
    this.#running.delete(run);
    this.#waiting.splice(0).forEach((resume) => resume());
  }
}
