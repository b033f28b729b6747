import type { Message } from './message.js';

/**
 * The pure heart of an aggregate.
 * - `evolve` folds one event into the state; it never throws and never rejects a fact.
 * - `decide` answers a command with the events it leads to, `[]` when there is nothing left to do
 *   (the same command twice), or throws a DomainError when a rule forbids it.
 * Time, randomness and new ids come in the command.
 */
export interface Decider<S, C, E extends Message> {
  readonly initialState: S;
  readonly evolve: (state: S, event: E) => S;
  readonly decide: (command: C, state: S) => readonly E[];
}
