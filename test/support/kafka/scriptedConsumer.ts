/** Consumers whose joins, fetches and batches the test makes: what kafkajs does only while a cluster is in trouble. */
import type { Consumer, ConsumerRunConfig, EachBatchPayload, Kafka } from 'kafkajs';
import { toWire } from '../../../src/events/integration/cloudEvents.js';
import type { PublicMessage } from '../../../src/events/integration/message.js';

type Listener = (event: { readonly payload: unknown }) => void;
type Messages = EachBatchPayload['batch']['messages'];
type Commit = { readonly partition: number; readonly offset: string };

export const TOPIC = 'scripted';
export const INSTALLATION = '0ce9a4d0-6f0b-4c5b-9a55-8f2a4f0f6c11';
const events = {
  CRASH: 'crash',
  GROUP_JOIN: 'join',
  FETCH_START: 'fetch start',
  FETCH: 'fetch',
  REQUEST_TIMEOUT: 'timeout',
};

const recordOf = (message: PublicMessage, offset: number): Messages[number] => {
  const { key, headers, value } = toWire(message, INSTALLATION);
  const bytes = { key: Buffer.from(key), value: Buffer.from(value), headers };
  return { ...bytes, offset: String(offset), timestamp: '0', attributes: 0 };
};

export class ScriptedConsumer {
  readonly commits: Commit[] = [];
  readonly #listeners = new Map<string, Listener>();
  #run: ConsumerRunConfig = {};
  #silent = false;

  /** What the bus sees. */
  asConsumer(): Consumer {
    const consumer = {
      events,
      on: (name: string, listener: Listener) => this.#listeners.set(name, listener),
      connect: () => Promise.resolve(),
      subscribe: () => Promise.resolve(),
      disconnect: () => this.#answer(),
      run: (config: ConsumerRunConfig) => Promise.resolve((this.#run = config)),
      commitOffsets: (commits: Commit[]) => this.#answer(() => this.commits.push(...commits)),
    };
    return consumer as unknown as Consumer;
  }

  get running(): boolean {
    return this.#run.eachBatch !== undefined;
  }

  join(memberId: string, partitions: readonly number[]): void {
    this.#emit(events.GROUP_JOIN, { memberId, memberAssignment: { [TOPIC]: partitions } });
  }

  /** A fetch from a broker is under way until the returned function is called. */
  fetch(nodeId: number): () => void {
    this.#emit(events.FETCH_START, { nodeId });
    return () => this.#emit(events.FETCH, { nodeId });
  }

  /** From now on no broker answers, and a first request has been given up. */
  vanish(): void {
    this.#silent = true;
    this.#emit(events.REQUEST_TIMEOUT, { apiName: 'Fetch', broker: 'gone:9092' });
  }

  /** Resolves when the batch has been taken in. */
  async deliver(partition: number, first: number, messages: readonly PublicMessage[]): Promise<void> {
    const records = messages.map((message, index) => recordOf(message, first + index));
    const batch = {
      topic: TOPIC,
      partition,
      messages: records,
      firstOffset: () => records[0]?.offset ?? null,
      lastOffset: () => String(first + records.length - 1),
    };
    const payload = {
      batch,
      heartbeat: () => Promise.resolve(),
      resolveOffset: () => undefined,
      isRunning: () => true,
      isStale: () => false,
    };
    await this.#run.eachBatch?.(payload as unknown as EachBatchPayload);
  }

  async #answer(work?: () => void): Promise<void> {
    if (this.#silent) await new Promise(() => undefined);
    work?.();
  }

  #emit(name: string, payload: unknown): void {
    this.#listeners.get(name)?.({ payload });
  }
}

/** Each consumer that is made, the last at the end. */
export const scriptedKafka = (): { readonly kafka: Kafka; readonly consumers: ScriptedConsumer[] } => {
  const consumers: ScriptedConsumer[] = [];
  const consumer = (): Consumer => {
    const made = new ScriptedConsumer();
    consumers.push(made);
    return made.asConsumer();
  };
  return { kafka: { consumer } as unknown as Kafka, consumers };
};
