import { expect } from 'chai';
import fc from 'fast-check';
import { aCharge, recoveryNo } from '../../../test/support/credentialSamples.js';
import { T0 } from '../../../test/support/recoverySamples.js';
import { MemoryEventStore } from '../../infra/eventStore/memoryEventStore.js';
import { DAY, type Instant, plus } from '../../kernel/clock.js';
import { deriveId, type OrgId } from '../../kernel/ids.js';
import { namesOf, onCredential } from './attempts.js';
import { type CredentialCommand, isReserved } from './decide.js';
import { limitsOn } from './networkLimits.js';

/** Of the one card: none of either is another's. */
interface Told {
  readonly id?: string;
  readonly fingerprint?: string;
}
interface Step {
  readonly told: Told;
  readonly what: 'declined' | 'banned' | 'charge';
  readonly wait: number;
  /** Killed after so many appends of this step. */
  readonly dies: number;
}

const told: fc.Arbitrary<Told> = fc.constantFrom(
  ...['a', 'b', 'c'].flatMap((id): Told[] => [{ id }, { id }, { id, fingerprint: 'F' }]),
  { fingerprint: 'F' },
);
const steps = (deadly: boolean): fc.Arbitrary<Step[]> =>
  fc.array(
    fc.record({
      told,
      what: fc.constantFrom<Step['what'][]>(
        ...Array.from({ length: 40 }, (_, n) => (n === 0 ? 'banned' : n < 15 ? 'declined' : 'charge')),
      ),
      wait: fc.constantFrom(0, 0, 1, 40),
      dies: deadly ? fc.constantFrom(0, 1, 2, 9, 9, 9) : fc.constant(9),
    }),
    { minLength: 20, maxLength: 60, size: 'max' },
  );

/** What anybody could know who was told all of this: names that were told together are one card. */
class Judge {
  readonly #same = new Map<string, string>();
  readonly #attempts: { readonly name: string; readonly at: number; readonly bans: boolean }[] = [];

  readonly #cardOf = (name: string): string => this.#same.get(name) ?? name;
  readonly #nameOf = ({ id, fingerprint }: Told): string => fingerprint ?? id ?? '';

  readonly link = ({ id, fingerprint }: Told): void => {
    if (id !== undefined && fingerprint !== undefined) this.#same.set(id, fingerprint);
  };
  readonly attempt = (by: Told, at: Instant, bans = false): void =>
    void this.#attempts.push({ name: this.#nameOf(by), at: Date.parse(at), bans });
  /** Amex: ten in thirty days. */
  readonly allows = (by: Told, at: Instant): boolean => {
    const card = this.#cardOf(this.#nameOf(by));
    const all = this.#attempts.filter(({ name }) => this.#cardOf(name) === card);
    const since = Date.parse(at) - 30 * DAY;
    return !all.some(({ bans }) => bans) && all.filter((each) => each.at > since).length < 10;
  };
}

const commandOf = ({ what }: Step, n: number, now: Instant): CredentialCommand => {
  const charge = aCharge({ brand: 'amex', amount: 1 + (n % 3) });
  if (what === 'charge')
    return {
      type: 'ReserveAttempt',
      data: { recoveryId: recoveryNo(n), attempt: 1, charge, limits: limitsOn(now), now },
    };
  const verdict = { retry: what === 'banned' ? ('never' as const) : ('allowed' as const) };
  return { type: 'RecordExternalAttempt', data: { triggerId: `t${n}`, charge, verdict, at: now } };
};

class Killed extends Error {}
/** A process that is killed after so many appends. */
const mortal = (store: MemoryEventStore, appends: number): MemoryEventStore => {
  let left = appends;
  return new Proxy(store, {
    get: (target, key) => {
      if (key === 'append')
        return async (...all: Parameters<MemoryEventStore['append']>) => {
          if (left === 0) throw new Killed();
          const done = await target.append(...all);
          if (--left === 0) throw new Killed();
          return done;
        };
      const value: unknown = Reflect.get(target, key);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
};

/** @param judged asked of every charge: whether it was allowed, and whether the judge allows it */
const live = async (story: readonly Step[], judged: (made: boolean, allowed: boolean) => void) => {
  const orgId = deriveId('org') as OrgId;
  const store = new MemoryEventStore();
  const judge = new Judge();
  let now: Instant = T0;
  for (const [n, step] of story.entries()) {
    now = plus(now, step.wait * DAY + 1);
    const names = namesOf(orgId, { gateway: 'g', transaction_ref: `inv_${n}`, payment_method: step.told });
    const command = commandOf(step, n, now);
    const about = { commandId: deriveId('test', String(n)), correlationId: 'c', causationId: 'c', now };
    const context = { ...about, principal: { actor: { type: 'system', id: 'test' }, orgId } } as const;
    const counted = await onCredential(mortal(store, step.dies), names, command, context).catch((error) => {
      if (error instanceof Killed) return undefined;
      throw error;
    });
    if (counted === undefined) continue;
    judge.link(step.told);
    if (command.type === 'ReserveAttempt') {
      const made = isReserved(counted.ledger.state, command.data);
      judged(made, judge.allows(step.told, now));
      if (made) judge.attempt(step.told, now);
    } else judge.attempt(step.told, now, step.what === 'banned');
  }
};

describe('property: the attempts on a card that is told by several names', () => {
  it('are as many as the limit allows over all of them, and none after a ban', () =>
    fc.assert(
      fc.asyncProperty(steps(false), (story) =>
        live(story, (made, allowed) => expect(made).to.equal(allowed)),
      ),
      { numRuns: 300 },
    ));

  it('are never more, wherever a process is killed', () =>
    fc.assert(
      fc.asyncProperty(steps(true), (story) =>
        live(story, (made, allowed) => expect(made && !allowed).to.equal(false)),
      ),
      { numRuns: 300 },
    ));
});
