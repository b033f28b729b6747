import { expect } from 'chai';
import fc from 'fast-check';
import { categories, type Category } from '../../../events/recovery.js';
import type { Failure } from '../../../kernel/ports.js';
import { classify } from './classify.js';
import * as tables from './tables.js';

const AT = '2026-03-01T10:00:00.000Z';

describe('classify', () => {
  const cases: readonly [string, Failure, Category, string, string][] = [
    [
      'a decline code',
      { decline_code: 'insufficient_funds' },
      'insufficient_funds',
      'allowed',
      'decline_code',
    ],
    [
      'a generic code beside a decline code',
      { code: 'card_declined', decline_code: 'stolen_card' },
      'lost_stolen_fraud',
      'never',
      'decline_code',
    ],
    [
      'a network code',
      { network_code: '51', card_brand: 'visa' },
      'insufficient_funds',
      'allowed',
      'network_code',
    ],
    [
      'the network before the PSP',
      { network_code: '54', decline_code: 'generic_decline' },
      'card_data_invalid',
      'after_change',
      'network_code',
    ],
    [
      'advice over everything',
      { advice_code: '21', decline_code: 'insufficient_funds' },
      'revoked',
      'never',
      'advice_code',
    ],
    [
      'advice that only forbids',
      { advice_code: '03', decline_code: 'insufficient_funds' },
      'insufficient_funds',
      'never',
      'decline_code',
    ],
    [
      'a decline code that forbids',
      { code: 'card_declined', decline_code: 'do_not_try_again' },
      'issuer_decline',
      'never',
      'decline_code',
    ],
    ['our own key refused', { code: 'psp_not_authorized' }, 'merchant_config', 'after_change', 'code'],
    ['an invoice that is void', { code: 'invoice_void' }, 'merchant_config', 'after_change', 'code'],
    ['an error code', { code: 'expired_card' }, 'card_data_invalid', 'after_change', 'code'],
    [
      'the message, last',
      { message: 'Your card has insufficient funds.' },
      'insufficient_funds',
      'allowed',
      'message',
    ],
    [
      'a message beside a code',
      { code: 'expired_card', message: 'insufficient funds' },
      'card_data_invalid',
      'after_change',
      'code',
    ],
    ['nothing known', { code: 'flux_capacitor' }, 'unknown', 'allowed', 'none'],
    ['nothing at all', {}, 'unknown', 'allowed', 'none'],
  ];
  for (const [name, failure, category, retry, step] of cases)
    it(`reads ${name}`, () => {
      const result = classify(failure, AT);
      expect([result.category, result.retry, result.evidence.step]).to.deep.equal([category, retry, step]);
      expect(result.evidence.table_version).to.equal(tables.TABLE_VERSION);
    });

  it('waits as long as Mastercard says', () => {
    expect(classify({ advice_code: '25', network_code: '51' }, AT).earliest_at).to.equal(
      '2026-03-02T10:00:00.000Z',
    );
    expect(classify({ advice_code: '30' }, AT).earliest_at).to.equal('2026-03-11T10:00:00.000Z');
  });

  it('keeps the raw codes and drops the message', () => {
    const failure = {
      code: 'card_declined',
      decline_code: 'do_not_honor',
      message: 'Ada, no.',
      card_brand: 'visa',
    };
    expect(classify(failure, AT).evidence.raw).to.deep.equal({
      code: 'card_declined',
      decline_code: 'do_not_honor',
      card_brand: 'visa',
    });
  });

  it('gives every category a default', () =>
    expect(Object.keys(tables.categoryDefaults)).to.have.members([...categories]));

  const word = (table: ReadonlyMap<string, unknown>) =>
    fc.option(fc.constantFrom(...table.keys(), 'zz'), { nil: undefined });
  it('property: the strictest evidence decides whether the method may be charged again', () => {
    const arbitrary = fc.record({
      advice_code: word(tables.adviceCodes),
      network_code: word(tables.networkCodes),
      decline_code: word(tables.declineCodes),
      code: word(tables.errorCodes),
    });
    fc.assert(
      fc.property(arbitrary, (codes) => {
        const present = Object.fromEntries(
          Object.entries(codes).filter(([, value]) => value !== undefined),
        ) as Failure;
        const whole = classify(present, AT);
        for (const [field, value] of Object.entries(present)) {
          const alone = classify({ [field]: value }, AT);
          if (alone.retry === 'never') expect(whole.retry).to.equal('never');
          if (alone.retry === 'after_change') expect(whole.retry).to.not.equal('allowed');
        }
        expect(classify(present, AT)).to.deep.equal(whole);
      }),
    );
  });
});
