import { expect } from 'chai';
import { dueAction } from '../src/commands/recovery/due.js';
import { evolve } from '../src/commands/recovery/evolve.js';
import { initialState, type Recovery } from '../src/commands/recovery/state.js';
import type { RecoveryEvent } from '../src/events/recovery.js';
import { plus } from '../src/kernel/clock.js';
import { timers, type TimerRow } from '../src/projections/timers/projection.js';
import { recoveryHistories } from './support/recoveryHistories.js';

/** The write side and the timers projection fold the same events apart; neither may import the other. */
describe('timers and the recovery aggregate', () => {
  it('agree after every event on what is due next, and when to the millisecond', () => {
    const states = new Map<string, Recovery>();
    const rows = new Map<string, TimerRow | null>();
    for (const event of recoveryHistories({ seed: 11, recoveries: 500 })) {
      if (!event.stream.startsWith('recovery-')) continue;
      const [key] = timers.keysOf(event) as [string];
      const state = evolve(states.get(key) ?? initialState, event as unknown as RecoveryEvent);
      const row = timers.project(rows.get(key) ?? undefined, event, key);
      states.set(key, state);
      rows.set(key, row);
      const what = `${event.type} at ${event.position}`;
      if (row === null) {
        expect(dueAction(state, '2100-01-01T00:00:00.000Z'), what).to.equal(undefined);
        continue;
      }
      expect(dueAction(state, row.due_at)?.kind, what).to.equal(row.kind);
      expect(dueAction(state, plus(row.due_at, -1)), what).to.equal(undefined);
    }
  });
});
