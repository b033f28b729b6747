import type { StreamId } from '../../events/envelope.js';
import { type AppendResult, type ExpectedRevision, RevisionConflict } from '../../events/eventStore.js';
import type { Faults } from '../../kernel/faults.js';
import { inTime } from '../../kernel/timeBudget.js';
import { APPENDING, type EsdbOperations } from './esdbConnection.js';
import type { EsdbReader } from './esdbReader.js';
import { appendRequests, type ProposedEvent } from './esdbRequests.js';

/*
 * The server compares ids before the revision as the port demands, except at the stream's current revision, where
 * there is nothing after it to compare. An append without an answer is sent again: either its events are there, and
 * then they are compared, or they are not.
 *
 * A server that still replicates an append drops an equal one without a word. Hence one append at a time per stream
 * and process, and a second try long before the patience ends.
 */
export class EsdbAppender {
  /** The append in flight, or waiting last, of each stream. */
  readonly #queues = new Map<StreamId, Promise<unknown>>();

  constructor(
    private readonly operations: EsdbOperations,
    private readonly reader: EsdbReader,
    private readonly faults: Faults,
  ) {}

  append(
    stream: StreamId,
    expected: ExpectedRevision,
    events: readonly ProposedEvent[],
  ): Promise<AppendResult> {
    const before = this.#queues.get(stream) ?? Promise.resolve();
    const appended = inTime(before).then(() => this.#append(stream, expected, events));
    // Also when it gave up waiting, the one before it goes on.
    const settled = Promise.allSettled([before, appended]).then(() => {
      if (this.#queues.get(stream) === settled) this.#queues.delete(stream);
    });
    this.#queues.set(stream, settled);
    return appended;
  }

  /** Resolves when every append begun so far is settled. */
  async drained(): Promise<void> {
    await Promise.all(this.#queues.values());
  }

  async #append(
    stream: StreamId,
    expected: ExpectedRevision,
    events: readonly ProposedEvent[],
  ): Promise<AppendResult> {
    const messages = appendRequests(stream, expected, events);
    this.faults('append:before');
    const response = await this.operations.run(APPENDING, (client, deadlineMs) =>
      client.append(messages, deadlineMs),
    );
    this.faults('append:after');
    const conflict = response.getWrongExpectedVersion();
    if (conflict !== undefined) {
      const actual = conflict.hasCurrentRevision() ? BigInt(conflict.getCurrentRevision()) : 'no_stream';
      return this.#reopened(stream, expected, events, actual);
    }
    const success = response.getSuccess();
    if (success === undefined) throw new TypeError('the event store answered an append with nothing');
    const revision = BigInt(success.getCurrentRevision());
    const position = success.getPosition()?.getCommitPosition();
    return {
      revision,
      position: position === undefined ? await this.#positionOf(stream, revision) : BigInt(position),
    };
  }

  /** A stream that was deleted goes on with its numbers: a repeated first append lies further on than the server looks. */
  async #reopened(
    stream: StreamId,
    expected: ExpectedRevision,
    events: readonly ProposedEvent[],
    actual: ExpectedRevision,
  ): Promise<AppendResult> {
    if (expected === 'no_stream' && actual !== 'no_stream') {
      const first = await this.reader.ofStream(stream, 0n, events.length);
      const last = first.at(-1);
      if (last && first.length === events.length && first.every(({ id }, i) => id === events[i]?.id))
        return { revision: last.revision, position: last.position };
    }
    throw new RevisionConflict(stream, expected, actual);
  }

  /** The server does not always tell the position of an append that it had already. */
  async #positionOf(stream: StreamId, revision: bigint): Promise<bigint> {
    const [event] = await this.reader.ofStream(stream, revision, 1);
    if (event?.revision !== revision) throw new TypeError(`revision ${revision} of ${stream} is gone`);
    return event.position;
  }
}
