/**
 * What EventStoreDB keeps, and the rules by which it takes appends and shows streams: the data of the test double.
 */
import { randomUUID } from 'node:crypto';

export interface StoredRecord {
  readonly position: bigint;
  readonly stream: string;
  readonly revision: bigint;
  readonly id: string;
  readonly type: string;
  /** 100 ns since 1970. */
  readonly created: bigint;
  readonly contentType: string;
  readonly data: Uint8Array;
  readonly metadata: Uint8Array;
}

export type Proposal = Pick<StoredRecord, 'id' | 'type' | 'contentType' | 'data' | 'metadata'>;
export type Expected = bigint | 'no_stream' | 'any' | 'exists';
export type Appended =
  | { readonly kind: 'written' | 'repeated'; readonly revision: bigint; readonly position: bigint }
  | { readonly kind: 'conflict'; readonly current: bigint | undefined }
  | { readonly kind: 'deleted' };

interface StreamMetadata {
  readonly $tb?: number | string;
  readonly $maxCount?: number;
}

/** `$tb` of a stream that was deleted and may be opened again. */
const SOFT_DELETED = 2n ** 63n - 1n;
const JSON_TYPE = 'application/json';
const none = new Uint8Array();

export const jsonBytes = (value: unknown): Uint8Array => Uint8Array.from(Buffer.from(JSON.stringify(value)));

export class EsdbLog {
  readonly records: StoredRecord[] = [];
  readonly #streams = new Map<string, StoredRecord[]>();
  readonly #tombstones = new Set<string>();
  readonly #listeners = new Set<() => void>();
  /** Log records vary in length, and the first bytes of a log hold no event. */
  #end: bigint;

  constructor(firstPosition = 731n) {
    this.#end = firstPosition;
  }

  /** Tells of every append; answers with what ends it. */
  onAppend(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  append(stream: string, expected: Expected, events: readonly Proposal[]): Appended {
    if (this.#tombstones.has(stream)) return { kind: 'deleted' };
    const current = this.#current(stream);
    const repeated = this.#repeated(stream, expected, current, events);
    if (repeated === 'conflict') return { kind: 'conflict', current };
    if (repeated !== undefined)
      return { kind: 'repeated', revision: repeated.revision, position: repeated.position };
    if (this.isSoftDeleted(stream) && current !== undefined)
      this.setMetadata(stream, { $tb: String(current + 1n) });
    const last = this.#write(stream, events);
    for (const listener of [...this.#listeners]) listener();
    return { kind: 'written', revision: last.revision, position: last.position };
  }

  setMetadata(stream: string, metadata: StreamMetadata): void {
    const data = jsonBytes(metadata);
    this.append(`$$${stream}`, 'any', [
      { id: randomUUID(), type: '$metadata', contentType: JSON_TYPE, data, metadata: none },
    ]);
  }

  /** What the server notes for itself now and then. */
  addSystemEvent(): void {
    this.append('$stats-127.0.0.1:2113', 'any', [
      {
        id: randomUUID(),
        type: '$statsCollected',
        contentType: JSON_TYPE,
        data: jsonBytes({}),
        metadata: none,
      },
    ]);
  }

  /** A soft delete: the stream is not found, and goes on with its numbers when it is appended to again. */
  delete(stream: string): void {
    this.setMetadata(stream, { $tb: String(SOFT_DELETED) });
  }

  tombstone(stream: string): void {
    this.append(stream, 'any', [
      { id: randomUUID(), type: '$streamDeleted', contentType: JSON_TYPE, data: none, metadata: none },
    ]);
    this.#tombstones.add(stream);
  }

  isTombstoned(stream: string): boolean {
    return this.#tombstones.has(stream);
  }

  isSoftDeleted(stream: string): boolean {
    return this.#truncatedBefore(stream) === SOFT_DELETED;
  }

  /** What a reader of the stream is shown. $all shows the rest as well, until a scavenge. */
  visible(stream: string): StoredRecord[] {
    const records = this.#streams.get(stream) ?? [];
    const from = this.#truncatedBefore(stream);
    return records.filter(({ revision }) => revision >= from);
  }

  /** Removes what no stream shows any more. */
  scavenge(): void {
    const kept = this.records.filter(
      ({ stream, position }) => !this.#tombstones.has(stream) && this.#shows(stream, position),
    );
    this.records.splice(0, this.records.length, ...kept);
  }

  #shows(stream: string, position: bigint): boolean {
    return this.visible(stream).some((record) => record.position === position);
  }

  #current(stream: string): bigint | undefined {
    return this.#streams.get(stream)?.at(-1)?.revision;
  }

  #truncatedBefore(stream: string): bigint {
    const text = this.#streams.get(`$$${stream}`)?.at(-1)?.data;
    if (text === undefined) return 0n;
    const { $tb = 0, $maxCount } = JSON.parse(Buffer.from(text).toString()) as StreamMetadata;
    const last = this.#current(stream) ?? -1n;
    const byCount = $maxCount === undefined ? 0n : last - BigInt($maxCount) + 1n;
    return BigInt($tb) > byCount ? BigInt($tb) : byCount;
  }

  /**
   * Ids are compared where events follow the expected revision, not where it is the current one.
   * @returns the last of the events when all are there already, 'conflict', or undefined when they may be written
   */
  #repeated(
    stream: string,
    expected: Expected,
    current: bigint | undefined,
    events: readonly Proposal[],
  ): StoredRecord | 'conflict' | undefined {
    if (expected === 'any') return undefined;
    if (expected === 'exists') return current === undefined ? 'conflict' : undefined;
    const at = expected === 'no_stream' ? -1n : expected;
    const now = current ?? -1n;
    if (at > now) return 'conflict';
    if (at === now) return undefined;
    const there = (this.#streams.get(stream) ?? []).slice(Number(at + 1n), Number(at + 1n) + events.length);
    const same = there.filter(({ id }, index) => id === events[index]?.id);
    if (same.length === events.length) return there.at(-1);
    return same.length === 0 && at === -1n && this.isSoftDeleted(stream) ? undefined : 'conflict';
  }

  #write(stream: string, events: readonly Proposal[]): StoredRecord {
    const records = this.#streams.get(stream) ?? [];
    const created = BigInt(Date.now()) * 10_000n;
    for (const event of events) {
      const record = { ...event, stream, revision: BigInt(records.length), position: this.#end, created };
      this.#end += BigInt(92 + event.data.length + event.metadata.length);
      records.push(record);
      this.records.push(record);
    }
    this.#streams.set(stream, records);
    const last = records.at(-1);
    if (last === undefined) throw new RangeError('an append without events');
    return last;
  }
}
