import type { Position } from '../../events/envelope.js';
import { Progress } from '../bus/progress.js';

/** How far a partition that is ours has been taken in and handled. */
export class OwnedPartition {
  readonly #progress: Progress;
  #next: bigint;
  #committed: bigint;
  #lost = false;

  constructor(
    readonly partition: number,
    first: bigint,
  ) {
    this.#next = first;
    this.#committed = first;
    this.#progress = new Progress(first - 1n);
  }

  get lost(): boolean {
    return this.#lost;
  }

  /** The last offset before which everything is handled: one less than what is to be committed. */
  get handled(): Position {
    return this.#progress.position;
  }

  /** The offset from which the broker would deliver again. */
  get committed(): bigint {
    return this.#committed;
  }

  commit(offset: bigint): void {
    this.#committed = offset;
  }

  lose(): void {
    this.#lost = true;
  }

  /** @returns false for a message that has been taken in before */
  begin(offset: bigint): boolean {
    if (offset < this.#next) return false;
    this.#progress.begin(offset);
    this.#next = offset + 1n;
    return true;
  }

  finish(offset: bigint): void {
    this.#progress.finish(offset);
  }

  /** Up to here there is nothing more to take in. */
  pass(offset: bigint): void {
    this.#progress.pass(offset);
    if (offset >= this.#next) this.#next = offset + 1n;
  }
}

/**
 * The partitions that the group's coordinator has given us. kafkajs may still deliver messages of others
 * (tulios/kafkajs #1046), and delivers again what was not committed when we are given the same ones anew.
 *
 * The batches must have been fetched since the last `assign`: then the first of a partition begins at what is
 * committed, and each further one no later than where the last one ended, but for what the log itself lacks.
 */
export class Ownership {
  readonly #partitions = new Map<number, OwnedPartition>();
  #assigned = new Set<number>();
  #member = '';

  /** After each rebalance. A new member may own what another one has worked on since: it starts from what is committed. */
  assign(member: string, partitions: readonly number[]): void {
    const kept = member === this.#member ? new Set(partitions) : new Set<number>();
    for (const [partition, owned] of this.#partitions)
      if (!kept.has(partition)) {
        owned.lose();
        this.#partitions.delete(partition);
      }
    this.#assigned = new Set(partitions);
    this.#member = member;
  }

  /**
   * A batch that begins before what is committed is of another log: the topic was made anew, or has lost its end. Its
   * offsets say nothing of what was taken in before.
   * @param first the offset that the batch at hand begins with
   * @returns undefined when the partition is not ours
   */
  of(partition: number, first: bigint): OwnedPartition | undefined {
    if (!this.#assigned.has(partition)) return undefined;
    const known = this.#partitions.get(partition);
    if (known !== undefined && first >= known.committed) return known;
    known?.lose();
    const owned = new OwnedPartition(partition, first);
    this.#partitions.set(partition, owned);
    return owned;
  }

  all(): IterableIterator<OwnedPartition> {
    return this.#partitions.values();
  }
}
