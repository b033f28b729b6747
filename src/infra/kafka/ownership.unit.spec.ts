import { expect } from 'chai';
import { Ownership } from './ownership.js';

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

  it('asks once for what a batch has left out', () => {
    const partition = ownership().of(0, 1n);
    partition?.pass(4n);
    expect(partition?.gapBefore(5n)).to.equal(undefined);
    expect(partition?.gapBefore(8n)).to.equal(5n);
    expect(partition?.gapBefore(8n)).to.equal(undefined);
    partition?.pass(9n);
    expect(partition?.gapBefore(12n)).to.equal(10n);
  });
});
