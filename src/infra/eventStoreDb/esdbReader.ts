import type streams from '@eventstore/db-client/generated/streams_pb.js';
import type { Position, StreamId } from '../../events/envelope.js';
import { type Instant, isBefore } from '../../kernel/clock.js';
import { isDeleted } from './esdbErrors.js';
import { type EsdbOperations, type Patience, READING, SCANNING } from './esdbConnection.js';
import { recordedEvent, type StoredEvent, storedEvent } from './esdbEvents.js';
import { allRequest, backwardsRequest, newestRequest, streamRequest } from './esdbRequests.js';

const SCAN_PAGE = 2000;
/** Where few events are asked for, the server's own among them are read over this many at a time. */
const SMALL_PAGE = 50;

/** Pages of the log and of streams, everything the server shows in them, its own events too. */
export class EsdbReader {
  constructor(private readonly operations: EsdbOperations) {}

  /** The position of the newest event of the log, of whatever kind. */
  async head(): Promise<Position> {
    const [newest] = await this.#read(backwardsRequest(undefined, 1), READING);
    return newest?.position ?? 0n;
  }

  /** At most `limit` events after a position; none at the head. */
  async after(
    position: Position,
    limit: number,
    patience: Patience = SCANNING,
  ): Promise<readonly StoredEvent[]> {
    // Reads are inclusive: the event at the position itself comes first, unless a scavenge removed it.
    const events = await this.#read(allRequest(position, limit + 1), patience);
    return events.filter((event) => event.position > position).slice(0, limit);
  }

  /** At most `limit` events of a stream from a revision on; none of a stream that is absent or deleted. */
  ofStream(stream: StreamId, revision: bigint, limit: number): Promise<readonly StoredEvent[]> {
    return this.#readStream(streamRequest(stream, revision, limit));
  }

  /** The newest event of a stream; undefined when it is absent or deleted. */
  async newestOf(stream: StreamId): Promise<StoredEvent | undefined> {
    const [newest] = await this.#readStream(newestRequest(stream));
    return newest;
  }

  /** See EventStore.lag. */
  async lag(
    after: Position,
    types: readonly string[],
    cap: number,
  ): Promise<{ events: number; oldest?: Instant }> {
    const head = await this.head();
    const limit = Math.min(SCAN_PAGE, Math.max(cap, SMALL_PAGE));
    let events = 0;
    let oldest: Instant | undefined;
    for (let position = after; position < head && events < cap;) {
      const page = await this.after(position, limit, READING);
      const wanted = page.filter((event) => recordedEvent(event, { types }) !== undefined);
      oldest ??= wanted[0]?.recordedAt;
      events += wanted.length;
      position = page.at(-1)?.position ?? head;
    }
    return { events: Math.min(events, cap), ...(oldest !== undefined && { oldest }) };
  }

  /** See EventStore.positionBefore. Looks back from the end: positions of this log cannot be halved. */
  async positionBefore(instant: Instant): Promise<Position> {
    let from: Position | undefined;
    for (;;) {
      const page = await this.#read(backwardsRequest(from, SCAN_PAGE), SCANNING);
      const earlier = page.find(({ recordedAt }) => isBefore(recordedAt, instant));
      if (earlier) return earlier.position;
      const last = page.at(-1)?.position;
      if (last === undefined || last === from) return 0n;
      from = last;
    }
  }

  async #readStream(request: streams.ReadReq): Promise<StoredEvent[]> {
    try {
      return await this.#read(request, READING);
    } catch (error) {
      if (isDeleted(error)) return [];
      throw error;
    }
  }

  #read(request: streams.ReadReq, patience: Patience): Promise<StoredEvent[]> {
    return this.operations.run(patience, async (client, deadlineMs) => {
      const events: StoredEvent[] = [];
      for await (const response of client.read(request, { deadlineMs })) {
        const event = storedEvent(response);
        if (event !== undefined) events.push(event);
      }
      return events;
    });
  }
}
