import { expect } from 'chai';
import Stripe from 'stripe';
import { isDomainError } from '../../kernel/errors.js';
import { intentFailedEvent } from '../../../test/support/stripeEvents.js';
import { verifyStripeSignature } from './stripeSignature.js';

const secret = 'whsec_test';
const now = new Date('2026-11-23T10:00:00Z');
const body = JSON.stringify(intentFailedEvent());
const sign = (payload: string, at = now, by = secret) =>
  Stripe.webhooks.generateTestHeaderString({
    payload,
    secret: by,
    timestamp: Math.floor(at.getTime() / 1000),
  });

const codeOf = (act: () => unknown): string => {
  try {
    act();
  } catch (error) {
    if (isDomainError(error)) return error.code;
    throw error;
  }
  return 'none';
};

describe('verifyStripeSignature', () => {
  it('hands over the event that was signed', () => {
    expect(verifyStripeSignature(Buffer.from(body), sign(body), secret, now)).to.deep.equal(JSON.parse(body));
  });

  it('refuses another body, another secret, an old or missing header', () => {
    const header = sign(body);
    const cases: [string, string | undefined, string][] = [
      [`${body} `, header, secret],
      [body, header, 'whsec_other'],
      [body, header, ''],
      [body, undefined, secret],
      [body, '', secret],
      [body, 't=x,v1=', secret],
      [body, sign(body, new Date(now.getTime() - 301_000)), secret],
    ];
    for (const [payload, given, by] of cases)
      expect(codeOf(() => verifyStripeSignature(Buffer.from(payload), given, by, now))).to.equal(
        'signature_invalid',
      );
  });

  it('keeps the body out of the error', () => {
    try {
      verifyStripeSignature(Buffer.from(body), 't=1,v1=00', secret, now);
      expect.fail('accepted');
    } catch (error) {
      expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).to.not.contain('jane@example.com');
      expect(Object.keys((error as Error).cause as object)).to.deep.equal([]);
    }
  });

  it('refuses a signed body that is no JSON object', () => {
    for (const payload of ['{', '[]', '7', 'null'])
      expect(codeOf(() => verifyStripeSignature(payload, sign(payload), secret, now))).to.equal(
        'not_parsable',
      );
  });
});
