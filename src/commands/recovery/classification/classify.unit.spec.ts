import { expect } from 'chai';
import fc from 'fast-check';
import { categories, type Category } from '../../../events/recovery.js';
import type { Failure } from '../../../kernel/ports.js';
import { cardBrandOf } from '../../../kernel/cardBrand.js';
import { classify } from './classify.js';
import { codeFields } from './tableFile.js';
import { allTables, tablesInForceOn } from './tables.js';
import { meanings } from './meaning.js';

const AT = '2026-12-01T10:00:00.000Z';
const tables = tablesInForceOn(AT);

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
      expect(result.evidence.table_version).to.equal('2026-11-29');
    });

  const messages: readonly [string, Category][] = [
    ['Network connection to the issuer was lost', 'network_error'],
    ['The fraud service is unavailable', 'network_error'],
    ['Request timed out', 'network_error'],
    ['Lost or stolen', 'lost_stolen_fraud'],
    ['This card was reported stolen', 'lost_stolen_fraud'],
    ['The card has been marked as lost', 'lost_stolen_fraud'],
    ['The card network says: reported lost', 'lost_stolen_fraud'],
    ['Declined: suspected fraud', 'issuer_risk'],
    ['Flagged as fraudulent by the network', 'issuer_risk'],
    ['Insufficient funds', 'insufficient_funds'],
    ['Declined', 'issuer_decline'],
    ['The bank returned the decline code `stolen_card`.', 'lost_stolen_fraud'],
    ['The bank returned the decline code `fraudulent`.', 'lost_stolen_fraud'],
    ['Decline code: fraudulent', 'lost_stolen_fraud'],
    ['The reason was "LOST_CARD"', 'lost_stolen_fraud'],
    ['card_declined: stolen_card', 'lost_stolen_fraud'],
    ['card_declined: insufficient_funds', 'insufficient_funds'],
    ['insufficient_funds (card_declined)', 'insufficient_funds'],
    ['card_declined', 'issuer_decline'],
    ['Card declined: stolen', 'lost_stolen_fraud'],
    ['Card declined - lost', 'lost_stolen_fraud'],
    ['STOLEN', 'lost_stolen_fraud'],
    ['41 LOST', 'lost_stolen_fraud'],
    ['card_stolen', 'lost_stolen_fraud'],
    ['Connection lost', 'network_error'],
    ['Your card number is incorrect.', 'card_data_invalid'],
    ["Your card's expiration month is invalid.", 'card_data_invalid'],
    ['insufficient permissions for this API key', 'merchant_config'],
    ['Insufficient access rights', 'unknown'],
    ['Not sufficient funds', 'insufficient_funds'],
    ['Stripe::CardError (card_declined): Your card was reported stolen', 'lost_stolen_fraud'],
    ['card_declined: stolen card', 'lost_stolen_fraud'],
    ['processing_error: stolen card', 'lost_stolen_fraud'],
    ['payment_failed: card expired', 'card_data_invalid'],
    ['`card_declined`: CVC incorrect', 'card_data_invalid'],
    ['payment_failed - authentication required', 'authentication_required'],
    ['card_declined: Your card has insufficient funds.', 'insufficient_funds'],
    ['Payment refused, decline_code: fraudulent', 'lost_stolen_fraud'],
    ['decline_code fraudulent from gateway', 'lost_stolen_fraud'],
    ['{"decline_code":"fraudulent"}', 'lost_stolen_fraud'],
    ['Gateway says "fraudulent"', 'lost_stolen_fraud'],
    ['Declined, `code`: fraudulent', 'lost_stolen_fraud'],
    ["Gateway: 'decline_code' fraudulent", 'lost_stolen_fraud'],
    ['{"fraudulent":false,"reason":"insufficient_funds"}', 'insufficient_funds'],
    ['the "rule" field is missing', 'unknown'],
    ["unknown parameters: 'rule'", 'unknown'],
    ['{"rule":"r_12"}', 'unknown'],
    ['Application access may have been revoked.', 'unknown'],
    ['OAuth token revoked', 'unknown'],
    ['Cardholder revoked the recurring payment authorization', 'revoked'],
    ['The authorization for this debit has been revoked', 'revoked'],
    ["Declined ('revocation_of_authorization': contact the cardholder)", 'revoked'],
    ['Preauthorization cancelled', 'unknown'],
    ['Declined by network: do_not_honor', 'issuer_decline'],
    ['generic_decline (network decline)', 'issuer_decline'],
    ['The card network declined: call_issuer', 'issuer_decline'],
    ['Stop payment order', 'revoked'],
    ['Revocation Of Auth', 'revoked'],
    ['Account closed', 'account_invalid'],
    ['Pick up card', 'lost_stolen_fraud'],
    ['Please pick up your order', 'unknown'],
    ['Restricted Card', 'not_permitted'],
    ['Blocked Card', 'not_permitted'],
    ['Transaction Not Permitted', 'not_permitted'],
    ['Your card does not support this type of purchase.', 'not_permitted'],
    ['DO_NOT_HONOUR', 'issuer_decline'],
    ['NOT_ENOUGH_BALANCE', 'insufficient_funds'],
    ["the field 'rule' is missing", 'unknown'],
    ['unknown parameter: `rule`', 'unknown'],
    ['permission_denied: insufficient_permissions', 'unknown'],
    ['customer_lost_card_insurance', 'unknown'],
    ["The card's `status` doesn't fit the 'card_brand'", 'unknown'],
  ];
  for (const [message, category] of messages)
    it(`reads the message "${message}" as ${category}`, () =>
      expect(classify({ message }, AT).category).to.equal(category));

  it('tells what was found in a text in words, and no pattern', () => {
    const found = (message: string) => {
      const { step, value } = classify({ message }, AT).evidence;
      return [step, value];
    };
    expect(found('A lost card.')).to.deep.equal(['message', 'lost or stolen']);
    expect(found('declined with `stolen_card`')).to.deep.equal(['message', 'stolen_card']);
    for (const { name } of tables.messages) expect(name).to.match(/^[A-Za-z ]+$/);
  });

  it('heeds all that a text cites, but no time: a text freezes no card', () => {
    const { category, retry } = classify({ message: 'do_not_try_again (expired_card)' }, AT);
    expect([category, retry]).to.deep.equal(['card_data_invalid', 'never']);
    const waiting = classify({ message: 'transaction_daily_limit_exceeded' }, AT);
    expect(waiting.category).to.equal('velocity_limit');
    expect(waiting).to.not.have.property('earliest_at');
  });

  const spellings: readonly [Failure, Failure][] = [
    [
      { network_code: 'r1', card_brand: 'visa' },
      { network_code: 'R1', card_brand: 'visa' },
    ],
    [{ network_code: ' 5c' }, { network_code: '5C' }],
    [{ network_code: '5' }, { network_code: '05' }],
    [{ network_code: 'r01', card_brand: 'ach' }, { network_code: 'R01' }],
    [{ code: 'r03', card_brand: 'ach' }, { code: 'R03' }],
    [{ advice_code: '3' }, { advice_code: '03' }],
    [{ advice_code: 'DO_NOT_TRY_AGAIN' }, { advice_code: 'do_not_try_again' }],
    [{ decline_code: 'Stolen_Card' }, { decline_code: 'stolen_card' }],
    [{ decline_code: 'rzp001_x' }, { decline_code: 'RZP001_x' }],
  ];
  for (const [given, meant] of spellings)
    it(`reads ${JSON.stringify(given)} like ${JSON.stringify(meant)}, and keeps it as it was given`, () => {
      const [seen, wanted] = [classify(given, AT), classify(meant, AT)];
      expect([seen.category, seen.retry]).to.deep.equal([wanted.category, wanted.retry]);
      expect(seen.evidence).to.deep.include({ raw: given }).and.not.have.property('unmapped');
      expect(seen.category === 'unknown' && seen.retry === 'allowed').to.equal(false);
    });

  it('takes the word as it is written where letter case makes two of it', () => {
    expect(classify({ code: 'server_error' }, AT).category).to.equal('network_error');
    expect(classify({ code: 'SERVER_ERROR' }, AT).category).to.equal('unknown');
    expect(classify({ decline_code: '5' }, AT).evidence.unmapped).to.deep.equal(['decline_code:5']);
  });

  it('is as strict about a return that no table lists where the brand is not told', () => {
    for (const card_brand of ['ach', 'unknown'])
      expect(classify({ network_code: 'R99', card_brand }, AT).retry).to.equal('after_change');
    expect(classify({ network_code: 'R99', card_brand: 'visa' }, AT).retry).to.equal('allowed');
  });

  it('waits as long as Mastercard says', () => {
    expect(classify({ advice_code: '25', network_code: '51' }, AT).earliest_at).to.equal(
      '2026-12-02T10:00:00.000Z',
    );
    expect(classify({ advice_code: '30' }, AT).earliest_at).to.equal('2026-12-11T10:00:00.000Z');
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

  it('keeps where Razorpay says it failed', () => {
    const failure = {
      code: 'BAD_REQUEST_ERROR',
      decline_code: 'payment_failed',
      source: 'bank',
      step: 'payment_debit',
    };
    expect(classify(failure, AT).evidence).to.deep.equal({
      step: 'decline_code',
      value: 'payment_failed',
      table_version: '2026-11-29',
      raw: failure,
    });
  });

  it('tells of every code that no table knows, also where another decided', () => {
    const failure = {
      advice_code: '99',
      network_code: 'ZZ',
      decline_code: 'stolen_card',
      code: 'flux',
      card_brand: 'visa',
    };
    const { category, evidence } = classify(failure, AT);
    expect(category).to.equal('lost_stolen_fraud');
    expect(evidence.unmapped).to.deep.equal(['advice_code:99', 'network_code:ZZ', 'code:flux']);
    expect(classify({ decline_code: 'constructor' }, AT).evidence.unmapped).to.deep.equal([
      'decline_code:constructor',
    ]);
  });

  it('reads the same two characters by the network of the card', () => {
    const of = (card_brand: string) => {
      const { category, retry } = classify({ network_code: '83', card_brand }, AT);
      return `${category} ${retry}`;
    };
    expect(of('Visa')).to.equal('issuer_risk allowed');
    expect(of('MasterCard')).to.equal('issuer_risk after_change');
    expect(of('american_express')).to.equal('unknown allowed');
  });

  it('puts the network before the advice of the PSP only where it will never approve', () => {
    const advised = (network_code: string, card_brand: string) => {
      const { category, evidence } = classify(
        { advice_code: 'confirm_card_data', network_code, card_brand },
        AT,
      );
      return [category, evidence.step];
    };
    expect(advised('41', 'visa')).to.deep.equal(['lost_stolen_fraud', 'network_code']);
    expect(advised('05', 'visa')).to.deep.equal(['card_data_invalid', 'advice_code']);
    expect(advised('41', 'mastercard')).to.deep.equal(['card_data_invalid', 'advice_code']);
  });

  it('freezes a card that Stripe blocks, and takes the longest of two waits', () => {
    const blocked = { code: 'card_decline_rate_limit_exceeded' };
    expect(classify(blocked, AT).earliest_at).to.equal('2026-12-02T10:00:00.000Z');
    expect(classify({ ...blocked, advice_code: '24' }, AT).earliest_at).to.equal('2026-12-02T10:00:00.000Z');
    expect(classify({ ...blocked, advice_code: '26' }, AT).earliest_at).to.equal('2026-12-03T10:00:00.000Z');
  });

  it('reads by the tables in force on the day', () => {
    const frozen = (at: string) => classify({ code: 'card_decline_rate_limit_exceeded' }, at);
    expect(frozen('2026-11-28T10:00:00.000Z').evidence.table_version).to.equal('2026-11-24');
    expect(frozen('2026-11-28T10:00:00.000Z').earliest_at).to.equal(undefined);
    expect(frozen('2026-11-29T10:00:00.000Z').evidence.table_version).to.equal('2026-11-29');
  });

  it('gives every category a default and a sentence', () => {
    for (const each of allTables) expect(Object.keys(each.categories)).to.have.members([...categories]);
    expect(Object.keys(meanings)).to.have.members([...categories]);
  });
});

/** Category 1. */
const VISA_NEVER = '04 07 41 43 14 15 46 12 57 R0 R1 R3'.split(' ');

describe('classify: properties', () => {
  const codesOf = (field: string): string[] =>
    tables.file.groups
      .filter(({ fields }) => (fields as readonly string[]).includes(field))
      .flatMap(({ rows }) => rows.flatMap(({ codes }) => codes));
  const word = (field: string) =>
    fc.option(fc.constantFrom(...codesOf(field), 'zz', '*'), { nil: undefined });
  const failures = fc
    .record({
      ...Object.fromEntries(codeFields.map((field) => [field, word(field)])),
      message: fc.option(fc.constantFrom('lost card', 'declined', 'timeout', 'hm'), { nil: undefined }),
      card_brand: fc.constantFrom(undefined, 'visa', 'MasterCard', 'mc', 'amex', 'elo'),
      source: fc.constantFrom(undefined, 'bank', 'business'),
    })
    .map(
      (fields) =>
        Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Failure,
    );
  const strictness = ['allowed', 'after_change', 'never'] as const;
  const given = (failure: Failure) => codeFields.filter((field) => failure[field] !== undefined);
  /** What one code says in the same surroundings. */
  const alone = (failure: Failure, field: (typeof codeFields)[number]) => {
    const { card_brand, source } = failure;
    const rest = { ...(card_brand !== undefined && { card_brand }), ...(source !== undefined && { source }) };
    return classify({ [field]: failure[field], ...rest }, AT);
  };

  it('the strictest evidence decides whether the method may be charged again, and nothing else lifts it', () => {
    fc.assert(
      fc.property(failures, (failure) => {
        const whole = strictness.indexOf(classify(failure, AT).retry);
        const said = given(failure).map((field) => strictness.indexOf(alone(failure, field).retry));
        for (const each of said) expect(whole).to.be.at.least(each);
        if (failure.message === undefined) expect(whole).to.equal(Math.max(0, ...said));
      }),
      { numRuns: 2_000 },
    );
  });

  it('no further evidence makes a failure milder', () => {
    fc.assert(
      fc.property(failures, failures, (failure, more) => {
        const { message: _, ...codes } = failure;
        const before = classify(codes, AT);
        const after = classify({ ...more, ...codes }, AT);
        if (cardBrandOf(codes) !== cardBrandOf({ ...more, ...codes }) || more.source !== codes.source) return;
        expect(strictness.indexOf(after.retry)).to.be.at.least(strictness.indexOf(before.retry));
        expect((after.earliest_at ?? '') >= (before.earliest_at ?? '')).to.equal(true);
      }),
      { numRuns: 2_000 },
    );
  });

  it('the first field that names a category names it, the network before all where it will never approve', () => {
    fc.assert(
      fc.property(failures, (failure) => {
        const { category, evidence } = classify(failure, AT);
        const said = given(failure).map((field) => [field, alone(failure, field)] as const);
        const naming = said.filter(([, each]) => each.category !== 'unknown');
        const network = naming.find(([field]) => field === 'network_code');
        const { network_code = '', advice_code = '' } = failure;
        const visa = ['visa', 'unknown'].includes(cardBrandOf(failure));
        const wins = visa && VISA_NEVER.includes(network_code) && !/^\d\d$/.test(advice_code);
        const [field, first] = (wins ? network : naming[0]) ?? [];
        if (field === undefined || first === undefined) expect(evidence.step).to.not.equal('network_code');
        else expect([evidence.step, category]).to.deep.equal([field, first.category]);
      }),
      { numRuns: 2_000 },
    );
  });

  it('the same failure at the same time is classified in the same bytes', () => {
    fc.assert(
      fc.property(failures, fc.constantFrom(...allTables), (failure, version) => {
        const first = JSON.stringify(classify(failure, AT, version));
        expect(JSON.stringify(classify({ ...failure }, AT, version))).to.equal(first);
      }),
    );
  });
});
