import { stripVTControlCharacters } from 'node:util';
import { expect } from 'chai';
import { categories } from '../events/recovery.js';
import { type Decided, stepsOf } from './decided.js';
import { showDecided } from './decidedScreen.js';
import { kinds } from './kinds.js';
import { createScreen } from './screen.js';

const decided = (outcome: Decided['outcome'], title: string, ...steps: string[]): Decided => ({
  title,
  recovery_id: 'r',
  category: 'unknown',
  meaning: 'The code is not known to us; it is counted for review, and few careful attempts are made.',
  steps,
  outcome,
});
const rejected = (candidate: string, reason: string) => ({ candidate, reason });
const explanation = (...all: ReturnType<typeof rejected>[]) => ({ rejected: all });

describe('what the demo says of decisions', () => {
  it('is of a failure of every category', () =>
    expect(kinds.map(({ category }) => category)).to.have.members([...categories]));

  it('is what is done, when and why, and what is not', () => {
    const steps = stepsOf([
      { event: 'RecoveryStarted', explanation: null, details: {} },
      {
        event: 'RetryScheduled',
        explanation: { ...explanation(rejected('notify', 'retries come first')), because: ['a', 'b_c'] },
        details: { at: '2026-12-01T09:00:00.000Z' },
      },
    ]);
    expect(steps).to.deep.equal([
      'charged again 2026-12-01T09:00:00.000Z: a; b c',
      'no mail yet: retries come first',
    ]);
  });

  it('is why nothing is done, and who is told', () => {
    const end = explanation(rejected('retry', 'forbidden'), rejected('notify', 'none'));
    const steps = stepsOf([
      { event: 'RecoveryEscalated', explanation: null, details: { reason: 'look into it' } },
      { event: 'RecoveryExhausted', explanation: end, details: {} },
    ]);
    expect(steps).to.deep.equal([
      'not charged again: forbidden',
      'you are told: look into it',
      'the recovery ends here',
    ]);
    expect(stepsOf([])).to.have.length(1);
  });

  it('fits into 100 columns, whatever the terminal has', () => {
    const long = decided(
      'charged',
      'a kind',
      `charged again 2026-12-01T09:00:00.000Z: ${'because '.repeat(40)}`,
    );
    const shared = [long, decided('mailed', 'another', 'not charged again: forbidden')] as const;
    const show = {
      payday: 23,
      kinds: [...shared],
      rule: { name: 'r', without: long, with: long },
      shared_card: shared,
    };
    for (const interactive of [false, true]) {
      const lines: string[] = [];
      const write = (line: string): void => void lines.push(stripVTControlCharacters(line));
      showDecided(createScreen({ write, columns: () => 140, interactive }), show);
      expect(lines.filter(({ length }) => length > 100)).to.deep.equal([]);
      expect(lines.join('\n')).to.contain('charged again 2026-12-01 09:00: because');
    }
  });
});
