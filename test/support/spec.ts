import { expect } from 'chai';
import type { Decider } from '../../src/kernel/decider.js';
import { type ErrorCode, isDomainError } from '../../src/kernel/errors.js';
import type { Message } from '../../src/kernel/message.js';

/** What a decider answered to a command. */
interface Outcome<E> {
  /** Exactly these events, in this order. */
  then(...expected: readonly E[]): void;
  /** A DomainError of this code. */
  thenThrows(code: ErrorCode): void;
  /** No event: there was nothing left to do. */
  thenNothing(): void;
}

const outcomeOf = <E>(decide: () => readonly E[]): Outcome<E> => ({
  then: (...expected) => expect(decide()).to.deep.equal(expected),
  thenNothing: () => expect(decide()).to.deep.equal([]),
  thenThrows: (code) => {
    let decided: readonly E[];
    try {
      decided = decide();
    } catch (error) {
      if (!isDomainError(error)) throw error;
      expect(error.code).to.equal(code);
      return;
    }
    expect.fail(`expected ${code}, decided ${JSON.stringify(decided)}`);
  },
});

/** The state that a history leads to. */
export const stateOf = <S, E extends Message>(
  decider: Pick<Decider<S, never, E>, 'initialState' | 'evolve'>,
  ...events: readonly NoInfer<E>[]
): S => events.reduce(decider.evolve, decider.initialState);

/** `given(decider, ...history).when(command).then(...events) / .thenThrows(code) / .thenNothing()` */
export const given = <S, C, E extends Message>(
  decider: Decider<S, C, E>,
  ...history: readonly NoInfer<E>[]
) => ({
  when: (command: NoInfer<C>): Outcome<E> =>
    outcomeOf(() => decider.decide(command, stateOf(decider, ...history))),
});
