import { expect } from 'chai';
import type { Failure } from '../../../kernel/ports.js';
import { classify } from './classify.js';
import { meaningOf, meanings } from './meaning.js';

describe('what a failure means', () => {
  const meaning = (failure: Failure): string => meaningOf(classify(failure, '2026-12-01T10:00:00.000Z'));

  it('is what its category means', () => {
    expect(meaning({ decline_code: 'stolen_card' })).to.equal(meanings.lost_stolen_fraud);
    expect(meaning({ code: 'flux' })).to.equal(meanings.unknown);
  });

  const forbidden = 'The codes tell no reason; the network or the provider forbids another attempt.';
  const waiting =
    'The codes tell no reason; the network or the provider asks to wait before another attempt.';
  const vague = 'The codes tell no reason; few careful attempts are made.';
  const told: readonly [Failure, string][] = [
    [{ advice_code: '03' }, forbidden],
    [{ advice_code: 'do_not_try_again' }, forbidden],
    [{ advice_code: 'try_again_later' }, waiting],
    [{ advice_code: '02' }, waiting],
    [{ advice_code: '25' }, waiting],
    [{ code: 'BAD_REQUEST_ERROR' }, vague],
    [{ message: 'hm' }, vague],
    [{}, vague],
    [{ code: 'R99' }, 'The codes tell no reason; another attempt is of no use before something changes.'],
    [
      { advice_code: '03', code: 'flux' },
      'The code is not known to us; it is counted for review, and the network or the provider forbids another attempt.',
    ],
  ];
  for (const [failure, sentence] of told)
    it(`is true of ${JSON.stringify(failure)}`, () => expect(meaning(failure)).to.equal(sentence));
});
