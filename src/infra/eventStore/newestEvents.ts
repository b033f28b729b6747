import type { Position, RecordedEvent } from '../../events/envelope.js';

const MAX_EVENTS = 8192;
const MAX_CHARS = 16 * 1024 * 1024;

/** The newest events of a log, a bounded number of them: everything of ours in (from, to]. */
export class NewestEvents {
  #events: RecordedEvent[] = [];
  #sizes: number[] = [];
  #chars = 0;
  #from: Position | undefined;
  #to: Position = 0n;

  /** @param maxEvents how many are kept at most */
  constructor(private readonly maxEvents = MAX_EVENTS) {}

  /** Before the oldest event held; undefined before `begin`. */
  get from(): Position | undefined {
    return this.#from;
  }

  /** How far the log is known without a gap. */
  get to(): Position {
    return this.#to;
  }

  /** Holds nothing, at the head of the log. */
  begin(head: Position): void {
    this.clear();
    this.#from = this.#to = head;
  }

  /** Adds the next event. @param size the length of its JSON */
  add(event: RecordedEvent, size: number): void {
    this.#events.push(event);
    this.#sizes.push(size);
    this.#chars += size;
    if (this.#events.length > this.maxEvents || this.#chars > MAX_CHARS) this.#forget();
    this.#to = event.position;
  }

  /** Goes on past what is not ours. */
  pass(position: Position): void {
    this.#to = position;
  }

  clear(): void {
    this.#events = [];
    this.#sizes = [];
    this.#chars = 0;
    this.#from = undefined;
    this.#to = 0n;
  }

  /** At most `limit` events after a position inside the run. */
  after(position: Position, limit: number): readonly RecordedEvent[] {
    let low = 0;
    let high = this.#events.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#events[middle]?.position ?? 0n) > position) high = middle;
      else low = middle + 1;
    }
    return this.#events.slice(low, low + limit);
  }

  /** Drops the oldest down to half the bound, so that dropping is rare; keeps the newest, however big. */
  #forget(): void {
    let count = 0;
    while (
      this.#events.length - count > 1 &&
      (this.#events.length - count > this.maxEvents / 2 || this.#chars > MAX_CHARS / 2)
    ) {
      this.#chars -= this.#sizes[count] ?? 0;
      count += 1;
    }
    this.#from = this.#events[count - 1]?.position ?? this.#from;
    this.#events.splice(0, count);
    this.#sizes.splice(0, count);
  }
}
