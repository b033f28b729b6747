import { expect } from 'chai';
import fc from 'fast-check';
import { type OwnedPartition, Ownership } from './ownership.js';

describe('Ownership of partitions', () => {
  const ownership = (): Ownership => {
    const owned = new Ownership();
    owned.assign('m', [0, 1]);
    return owned;
  };

  it('knows what is not ours', () => {
    expect(ownership().of(2, 0n)).to.equal(undefined);
    expect(new Ownership().of(0, 0n)).to.equal(undefined);
  });

  it('stands before the first message that is not handled', () => {
    const partition = ownership().of(0, 100n);
    for (const offset of [100n, 101n, 102n]) expect(partition?.begin(offset)).to.equal(true);
    partition?.finish(101n);
    expect(partition?.handled).to.equal(99n);
    partition?.finish(100n);
    expect(partition?.handled).to.equal(101n);
  });

  it('takes a message in once, also when a rebalance has it delivered again', () => {
    const owned = ownership();
    owned.of(0, 5n)?.begin(5n);
    owned.assign('m', [0]);
    const again = owned.of(0, 5n);
    expect(again?.begin(5n)).to.equal(false);
    expect(again?.begin(6n)).to.equal(true);
    expect(again?.handled).to.equal(4n);
  });

  it('begins anew with a partition that was away, or as a new member', () => {
    const owned = ownership();
    const [first, second] = [owned.of(0, 5n), owned.of(1, 5n)];
    owned.assign('m', [1]);
    expect(first?.lost).to.equal(true);
    expect(second?.lost).to.equal(false);
    owned.assign('n', [0, 1]);
    expect(second?.lost).to.equal(true);
    expect(owned.of(0, 9n)?.begin(9n)).to.equal(true);
    expect(owned.of(1, 3n)?.handled).to.equal(2n);
  });

  it('begins anew when the partition does: what lies before the committed offset is another log', () => {
    const owned = ownership();
    const before = owned.of(0, 5n);
    for (const offset of [5n, 6n, 7n]) before?.begin(offset);
    before?.commit(7n);
    expect(owned.of(0, 7n)).to.equal(before);
    const after = owned.of(0, 0n);
    expect(before?.lost).to.equal(true);
    expect(after?.begin(0n)).to.equal(true);
    expect(owned.of(0, 1n)).to.equal(after);
  });

  it('never has committed what nobody handled, and gets to the end, whatever the group does', () =>
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
        const group = new Group();
        for (const take of steps) {
          take(group);
          expect(group.hole, 'a message that is committed and not handled').to.equal(undefined);
        }
        group.join('last', true);
        group.fetch(LOG);
        while (group.finish(0, true));
        group.commit();
        expect(group.committed).to.equal(LOG);
        expect(group.hole).to.equal(undefined);
      }),
    ));
});

const LOG = 40;

/** A partition of `LOG` messages, the group that reads it, and one member as the bus runs it. */
class Group {
  committed = 0;
  readonly #ownership = new Ownership();
  readonly #handled = new Set<number>();
  #inHand: { readonly owned: OwnedPartition; readonly offset: number }[] = [];
  #position = 0;
  #ours = false;

  /** The first committed message that nobody has handled. */
  get hole(): number | undefined {
    return range(0, this.committed).find((offset) => !this.#handled.has(offset));
  }

  /** kafkajs begins at what is committed after each join. */
  join(member: string, ours: boolean): void {
    this.#ownership.assign(member, ours ? [0] : []);
    this.#ours = ours;
    this.#position = this.committed;
  }

  fetch(count: number): void {
    const batch = range(this.#position, Math.min(this.#position + count, LOG));
    if (!this.#ours || batch.length === 0) return;
    const owned = this.#ownership.of(0, BigInt(this.#position));
    if (owned === undefined) throw new Error('ours is not ours');
    for (const offset of batch) if (owned.begin(BigInt(offset))) this.#inHand.push({ owned, offset });
    this.#position += batch.length;
  }

  /** A message in hand; of a partition that was lost it may be left to the new owner. */
  finish(index: number, handle: boolean): boolean {
    const [one] = this.#inHand.splice(index % Math.max(1, this.#inHand.length), 1);
    if (one === undefined) return false;
    if (handle || !one.owned.lost) this.#handled.add(one.offset);
    one.owned.finish(BigInt(one.offset));
    return true;
  }

  commit(): void {
    for (const owned of this.#ownership.all()) {
      const offset = owned.handled + 1n;
      if (offset <= owned.committed) continue;
      owned.commit(offset);
      this.committed = Number(offset);
    }
  }

  /** Another member works on the partition while it is not ours. */
  elsewhere(count: number): void {
    if (this.#ours) return;
    const end = Math.min(this.committed + count, LOG);
    for (const offset of range(this.committed, end)) this.#handled.add(offset);
    this.committed = end;
  }
}

const range = (from: number, to: number): number[] =>
  Array.from({ length: Math.max(0, to - from) }, (_, index) => from + index);

const step = fc.oneof(
  fc.tuple(fc.constantFrom('m', 'n'), fc.boolean()).map(
    ([member, ours]) =>
      (group: Group) =>
        group.join(member, ours),
  ),
  fc.integer({ min: 1, max: 9 }).map((count) => (group: Group) => group.fetch(count)),
  fc.tuple(fc.nat(30), fc.boolean()).map(
    ([index, handle]) =>
      (group: Group) =>
        void group.finish(index, handle),
  ),
  fc.constant((group: Group) => group.commit()),
  fc.integer({ min: 1, max: 9 }).map((count) => (group: Group) => group.elsewhere(count)),
);
