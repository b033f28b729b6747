import { expect } from 'chai';
import { aCharge, allowed, recoveryNo, reserve } from '../../../test/support/credentialSamples.js';
import { T0 } from '../../../test/support/recoverySamples.js';
import { credentialStream } from '../../events/credential.js';
import { MemoryEventStore } from '../../infra/eventStore/memoryEventStore.js';
import { DAY, plus } from '../../kernel/clock.js';
import { deriveId, type OrgId } from '../../kernel/ids.js';
import type { CommandContext } from '../context.js';
import { attemptsOn, type CardNames, namesOf, onCredential } from './attempts.js';
import { type CredentialCommand, isReserved, type Verdict } from './decide.js';
import { MAX_ENTRIES } from './ledger.js';

const ORG = deriveId('org') as OrgId;
const named = (payment_method: { id?: string; fingerprint?: string }): CardNames =>
  namesOf(ORG, { gateway: 'sandbox', transaction_ref: 'inv_1', payment_method });
const PM = named({ id: 'pm' });
const FP = named({ fingerprint: 'fp' });
const BOTH = named({ id: 'pm', fingerprint: 'fp' });
const NEVER: Verdict = { retry: 'never' };

const failure = (triggerId: string, verdict = allowed): CredentialCommand => ({
  type: 'RecordExternalAttempt',
  data: { triggerId, charge: aCharge(), verdict, at: T0 },
});
const settle = (n: number, verdict = allowed): CredentialCommand => ({
  type: 'SettleAttempt',
  data: { recoveryId: recoveryNo(n), attempt: 1, outcome: 'declined', verdict, now: T0 },
});

/** A store whose appends can fail, as where the process is killed. */
class Cards {
  readonly store = new MemoryEventStore();
  readonly read: string[] = [];
  #serial = 0;

  constructor() {
    const readStream = this.store.readStream.bind(this.store);
    this.store.readStream = (stream, options) => {
      this.read.push(stream);
      return readStream(stream, options);
    };
  }

  readonly context = (): CommandContext => ({
    principal: { actor: { type: 'system', id: 'test' }, orgId: ORG },
    commandId: deriveId('test', String(++this.#serial)),
    correlationId: 'c',
    causationId: 'c',
    now: T0,
  });

  readonly give = (names: CardNames, command: CredentialCommand) =>
    onCredential(this.store, names, command, this.context());

  readonly takes = async (names: CardNames, n: number): Promise<boolean> => {
    const command = reserve(n);
    return isReserved((await this.give(names, command)).ledger.state, command.data);
  };

  readonly types = async ({ id }: CardNames): Promise<string[]> => {
    const found: string[] = [];
    for await (const page of this.store.readStream(credentialStream(id)))
      found.push(...page.map(({ type }) => type));
    return found;
  };

  readonly attempts = async (names: CardNames): Promise<string[]> =>
    (await attemptsOn(this.store, names)).ledger.state.entries.map(({ id }) => id);

  /** Dies once so many more appends are done. */
  readonly dieAfter = (count: number): void => {
    const append = this.store.append.bind(this.store);
    let left = count;
    this.store.append = async (...all) => {
      if (left === 0) {
        this.store.append = append;
        throw new Error('killed');
      }
      const done = await append(...all);
      left--;
      return done;
    };
  };
}

describe('a card of two names', () => {
  it('has one ledger once both are told: that of the fingerprint, with the attempts under the id', async () => {
    const cards = new Cards();
    await cards.give(PM, failure('t1'));
    await cards.give(FP, failure('t2'));
    await cards.give(BOTH, failure('t3'));
    for (const names of [PM, FP, BOTH])
      expect(await cards.attempts(names)).to.have.members(['t1', 't2', 't3']);
    expect(await cards.types(PM)).to.deep.equal(['ExternalAttemptRecorded', 'CredentialLinked']);
    expect(await cards.types(FP)).to.deep.equal([
      'ExternalAttemptRecorded',
      'AttemptsTakenOver',
      'ExternalAttemptRecorded',
    ]);
  });

  it('goes on there by whichever name', async () => {
    const cards = new Cards();
    for (const [index, names] of [BOTH, PM, FP, BOTH].entries())
      await cards.give(names, failure(`t${index}`));
    expect(await cards.attempts(PM)).to.have.length(4);
    expect(await cards.types(PM)).to.deep.equal(['CredentialLinked']);
    expect((await cards.types(FP)).filter((type) => type === 'AttemptsTakenOver')).to.have.length(1);
  });

  it('costs no other read once it is known', async () => {
    const cards = new Cards();
    await cards.give(BOTH, failure('t1'));
    cards.read.length = 0;
    await cards.give(BOTH, failure('t2'));
    await attemptsOn(cards.store, BOTH);
    expect(cards.read).to.deep.equal([credentialStream(FP.id), credentialStream(FP.id)]);
  });

  it('counts an attempt once that is told under both', async () => {
    const cards = new Cards();
    await cards.give(PM, failure('t1'));
    await cards.give(BOTH, failure('t1'));
    await cards.give(PM, failure('t1'));
    expect(await cards.attempts(FP)).to.deep.equal(['t1']);
  });

  for (const [how, first, second] of [
    ['told by the id, charged by both', PM, BOTH],
    ['told by the fingerprint, charged by both', FP, BOTH],
    ['told by both, charged by the id', BOTH, PM],
    ['told by both, charged by the fingerprint', BOTH, FP],
  ] as const)
    it(`is banned by a decline ${how}`, async () => {
      const cards = new Cards();
      await cards.give(first, failure('t1', NEVER));
      expect(await cards.takes(second, 1)).to.equal(false);
    });

  it('keeps the wait that a network wants', async () => {
    const cards = new Cards();
    await cards.give(PM, failure('t1', { retry: 'allowed', earliest_at: plus(T0, DAY) }));
    expect(await cards.takes(BOTH, 1)).to.equal(false);
  });

  it('is settled where it is now, though its slot was taken before', async () => {
    const cards = new Cards();
    expect(await cards.takes(PM, 1)).to.equal(true);
    await cards.give(BOTH, failure('t1'));
    expect(await cards.takes(PM, 1)).to.equal(true);
    await cards.give(PM, settle(1, NEVER));
    expect((await cards.types(FP)).at(-1)).to.equal('AttemptSettled');
    expect(await cards.takes(FP, 2)).to.equal(false);
  });

  it('is found by its id once the link was written, and the process killed', async () => {
    const cards = new Cards();
    await cards.give(PM, failure('t1', NEVER));
    expect(await cards.takes(PM, 1)).to.equal(false);
    cards.dieAfter(1);
    await cards.give(BOTH, failure('t2')).catch(() => undefined);
    expect(await cards.types(FP)).to.deep.equal([]);
    expect(await cards.attempts(PM)).to.deep.equal(['t1']);
    expect(await cards.takes(PM, 1)).to.equal(false);
    expect(await cards.types(FP)).to.deep.equal(['AttemptsTakenOver']);
    expect(await cards.takes(FP, 2)).to.equal(false);
  });

  it('is read by both names without a trace', async () => {
    const cards = new Cards();
    await cards.give(PM, failure('t1', NEVER));
    const { ledger, other } = await attemptsOn(cards.store, BOTH);
    expect(ledger.state).to.include({ bannedBy: 't1' });
    expect([ledger.revision, other?.revision]).to.deep.equal(['no_stream', 0n]);
    expect(await cards.types(FP)).to.deep.equal([]);
    expect(await cards.types(PM)).to.deep.equal(['ExternalAttemptRecorded']);
  });

  it('gives its last slots once, by whichever names all ask for them', async () => {
    const cards = new Cards();
    for (let n = 1; n <= 12; n++) await cards.give(PM, failure(`t${n}`));
    const asked = [PM, BOTH, PM, BOTH, BOTH, PM].map((names, n) => cards.takes(names, n));
    expect((await Promise.all(asked)).filter(Boolean)).to.have.length(3);
  });
});

describe('an id that is told with two fingerprints', () => {
  const OTHER = named({ id: 'pm', fingerprint: 'other' });

  it('stays the name of the first, and the other counts for itself', async () => {
    const cards = new Cards();
    await cards.give(PM, failure('t1'));
    await cards.give(BOTH, failure('t2'));
    await cards.give(OTHER, failure('t3'));
    await cards.give(PM, failure('t4'));
    expect(await cards.attempts(BOTH)).to.have.members(['t1', 't2', 't4']);
    expect(await cards.attempts(OTHER)).to.deep.equal(['t3']);
    expect(await cards.types(PM)).to.deep.equal(['ExternalAttemptRecorded', 'CredentialLinked']);
  });
});

describe('a name of a thousand attempts that is taken over', () => {
  const full = async (cards: Cards, names: CardNames) => {
    for (let n = 1; n <= MAX_ENTRIES; n++) await cards.give(names, failure(`full-${n}`));
  };

  it('leaves the card as full', async () => {
    const cards = new Cards();
    await full(cards, PM);
    expect(await cards.takes(BOTH, 1)).to.equal(false);
    expect(await cards.attempts(FP)).to.have.length(MAX_ENTRIES);
  });

  it('is written of no further by names that bring nothing, and by those that bring a ban once', async () => {
    const cards = new Cards();
    await full(cards, FP);
    await cards.give(BOTH, failure('t1'));
    expect(await cards.types(FP)).to.have.length(MAX_ENTRIES);
    expect(await cards.takes(PM, 1)).to.equal(false);
    const third = named({ id: 'third', fingerprint: 'fp' });
    await cards.give(named({ id: 'third' }), failure('t2', NEVER));
    await cards.give(third, failure('t3'));
    await cards.give(third, failure('t4'));
    expect((await cards.types(FP)).slice(MAX_ENTRIES)).to.deep.equal(['AttemptsTakenOver']);
  });
});
