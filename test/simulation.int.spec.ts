import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { policyReader } from '../src/commands/organization/policyReader.js';
import { followFailure } from '../src/commands/recovery/followPayment.js';
import { rulesReader } from '../src/commands/rules/reader.js';
import { toPublicMessage } from '../src/events/integration/toPublicMessage.js';
import { paymentStream } from '../src/events/payment.js';
import { type Explanation, type RecoveryEvent, recoveryStream } from '../src/events/recovery.js';
import { DAY, HOUR, type Instant, plus } from '../src/kernel/clock.js';
import type { FieldError } from '../src/kernel/errors.js';
import type { OrgId } from '../src/kernel/ids.js';
import type { Answer } from './support/api.js';
import { PASSWORD, type PgApi, startPgApi } from './support/pgApi.js';
import { ruleId } from './support/ruleSamples.js';
import type { RecordedEvent } from '../src/events/envelope.js';

interface Step {
  readonly at: Instant;
  readonly explanation: Explanation;
}
interface Simulated {
  readonly classification: { readonly category: string; readonly meaning: string };
  readonly rules_version: number | null;
  readonly rules: readonly { readonly name: string; readonly matches: boolean; readonly unmet: string[] }[];
  readonly actions: readonly { readonly action: string; readonly rule: { readonly name: string } }[];
  readonly retry: (Step & { readonly attempt: number }) | null;
  readonly mail: (Step & { readonly template: string }) | null;
  readonly escalations: readonly { readonly reason: string }[];
  readonly end: { readonly reason: string; readonly explanation: Explanation } | null;
  readonly wait: { readonly explanation: Explanation } | null;
  readonly errors?: readonly FieldError[];
}

const NOW = new Date(Math.floor(Date.now() / DAY) * DAY - 15 * HOUR).toISOString();
const PAYMENT = {
  amount: 4_900,
  currency: 'EUR',
  customer: { email: 'ada@example.com', timezone: 'Europe/Berlin' },
  gateway: 'sandbox',
  failure: { decline_code: 'insufficient_funds', card_brand: 'visa' },
  payment_method: { fingerprint: 'fp_1' },
};

describe('simulation over HTTP', () => {
  let api: PgApi;
  let token: string;
  let orgId: OrgId;
  before(async () => {
    api = await startPgApi();
  });
  after(() => api.close());
  beforeEach(async () => {
    ({ token, orgId } = await api.founder());
  });

  const send = <B = Simulated>(method: string, path: string, json: object): Promise<Answer<B>> =>
    api.call<B>(path, { method, token, json });
  const ask = (over: object = {}) => send('POST', '/v1/rules/simulate', { ...PAYMENT, now: NOW, ...over });
  const simulate = async (over: object = {}): Promise<Simulated> => {
    const answer = await ask(over);
    expect(answer.status, answer.text).to.equal(200);
    return answer.body;
  };
  const addRule = (name: string, conditions: object, actions: object) =>
    send('POST', '/v1/rules', { name, conditions, actions });
  const head = () => api.store.head();
  const eventsOf = async (stream: string): Promise<RecordedEvent[]> => {
    const events: RecordedEvent[] = [];
    for await (const page of api.store.readStream(stream)) events.push(...page);
    return events;
  };

  /** Reports the failure, and does what the saga does with it at NOW. */
  const report = async (over: object): Promise<readonly RecoveryEvent[]> => {
    const json = { ...PAYMENT, occurred_at: NOW, ...over };
    const { status, body, text } = await send<{ payment_id: string; recovery_id: string }>(
      'POST',
      '/v1/events/payment_failed',
      json,
    );
    expect(status, text).to.equal(202);
    const event = (await eventsOf(paymentStream(body.payment_id))).at(-1);
    const message = event && toPublicMessage(event);
    if (message?.type !== 'payment.failed') throw new Error('no message tells of the failure');
    const { store } = api;
    const principal = { actor: { type: 'system', id: 'test' }, orgId } as const;
    await followFailure(
      {
        store,
        rulesOf: rulesReader(store),
        policyOf: policyReader(store),
        meansOf: () => Promise.resolve({ chargeable: true, payable: true }),
      },
      message,
      { principal, correlationId: 'c', causationId: 'c', now: NOW },
    );
    return (await eventsOf(recoveryStream(body.recovery_id))) as unknown as RecoveryEvent[];
  };

  const retryOf = (events: readonly RecoveryEvent[]) =>
    events.flatMap(({ type, data }) => (type === 'RetryScheduled' ? [data] : []))[0];
  const mailOf = (events: readonly RecoveryEvent[]) =>
    events.flatMap(({ type, data }) => (type === 'NotificationScheduled' ? [data] : []))[0];
  const endOf = (events: readonly RecoveryEvent[]) =>
    events.flatMap(({ type, data }) => (type === 'RecoveryExhausted' ? [data] : []))[0];
  /** Which revisions were read is told of real decisions only. */
  const reasons = (explanation: Explanation | undefined) => {
    if (explanation === undefined) return undefined;
    const { read_at: _, ...rest } = explanation;
    return rest;
  };

  const failures: readonly (readonly [string, object])[] = [
    ['no funds', {}],
    ['a bank that gives no reason', { failure: { decline_code: 'do_not_honor', card_brand: 'mastercard' } }],
    ['a lost line', { failure: { decline_code: 'processing_error' } }],
    ['a wait that the network asks for', { failure: { advice_code: '30', card_brand: 'mastercard' } }],
    ['an expired card', { failure: { decline_code: 'expired_card' } }],
    ['a stolen card', { failure: { decline_code: 'stolen_card' } }],
    ['a revoked mandate', { failure: { network_code: 'R0', card_brand: 'visa' } }],
    ['an undecided payment', { failure: { decline_code: 'upi_pending' } }],
    ['a small debt, which a rule gives up', { amount: 99 }],
    ['a customer who is called', { customer: { ...PAYMENT.customer, segment: 'business' } }],
    ['a provider that retries by itself', { psp_retries: { next_at: plus(NOW, DAY) } }],
    ['one that gave up', { psp_retries: {} }],
    ['a card of India', { payment_method: { fingerprint: 'fp_in', country: 'IN' } }],
  ];
  it('says what is then done when the failure is really reported', async () => {
    await addRule(
      'Give up',
      { currency: ['EUR'], amount: { at_most: 100 } },
      { stop: { reason: 'too small' } },
    );
    await addRule('Call', { segment: ['business'] }, { channel: 'none', escalate: { reason: 'call them' } });
    await addRule('Later', { category: ['issuer_decline'] }, { delay_minutes: 6_000 });
    for (const [index, [name, over]] of failures.entries()) {
      const about = { ...over, transaction_ref: `inv_${index}` };
      const said = await simulate(about);
      const done = await report(about);
      const [retry, mail, end] = [retryOf(done), mailOf(done), endOf(done)];
      expect([said.retry?.attempt, said.retry?.at], name).to.deep.equal([retry?.attempt, retry?.at]);
      expect(reasons(said.retry?.explanation), name).to.deep.equal(reasons(retry?.explanation));
      expect([said.mail?.template, said.mail?.at], name).to.deep.equal([mail?.template, mail?.at]);
      expect(reasons(said.mail?.explanation), name).to.deep.equal(reasons(mail?.explanation));
      expect([said.end?.reason, reasons(said.end?.explanation)], name).to.deep.equal([
        end?.reason,
        reasons(end?.explanation),
      ]);
      const escalated = done.filter(({ type }) => type === 'RecoveryEscalated').map(({ data }) => data);
      expect(said.escalations.length, name).to.equal(escalated.length);
    }
  });

  it('leaves the retries to a provider that makes them', async () => {
    const { retry, mail } = await simulate({ psp_retries: { next_at: plus(NOW, DAY) } });
    expect([retry, mail?.explanation.rejected.map(({ candidate }) => candidate)]).to.deep.equal([
      null,
      ['retry'],
    ]);
  });

  it('counts the attempts that the payment method has had already', async () => {
    const before = await simulate();
    expect(before.retry?.explanation.counters['visa_30d']).to.equal(1);
    for (let n = 0; n < 15; n++)
      await report({ transaction_ref: `used_${n}`, occurred_at: plus(NOW, -10 * DAY) });
    const after = await simulate();
    expect(after.retry?.explanation.because?.join()).to.contain('the limit of 15 attempts in 30 days');
    expect(after.retry?.explanation.counters['visa_30d']).to.equal(16);
    expect((await simulate({ payment_method: { fingerprint: 'fp_2' } })).retry?.at).to.equal(
      before.retry?.at,
    );
  });

  it('appends nothing', async () => {
    await addRule('Later', {}, { delay_minutes: 60 });
    const was = await head();
    await simulate();
    await simulate({ rules: [{ name: 'stop', actions: { stop: { reason: 'enough' } } }], attempt: 3 });
    expect(await head()).to.equal(was);
    expect((await ask()).headers.get('x-event-position')).to.equal(null);
  });

  it('tells of each rule whether it matches, and what it misses', async () => {
    await addRule('Only France', { country: ['FR'], attempt: { at_least: 2 } }, { skip_retries: true });
    await addRule('Later', {}, { delay_minutes: 30_000 });
    const { rules, rules_version, actions, retry } = await simulate();
    expect(rules.map(({ name, matches, unmet }) => [name, matches, unmet])).to.deep.equal([
      ['Only France', false, ['/conditions/country', '/conditions/attempt']],
      ['Later', true, []],
    ]);
    expect(rules_version).to.equal(2);
    expect(actions.map(({ action, rule }) => [action, rule.name])).to.deep.equal([
      ['delay_minutes', 'Later'],
    ]);
    expect(retry?.explanation.because?.join()).to.contain('the rule "Later" delays it');
  });

  it('tries other rules in place of the stored ones', async () => {
    await addRule('Stop all', {}, { stop: { reason: 'enough' } });
    expect((await simulate()).end?.reason).to.equal('stopped_by_rule');
    const none = await simulate({ rules: [] });
    expect([none.end, none.rules, none.rules_version]).to.deep.equal([null, [], null]);
    expect(none.retry?.attempt).to.equal(1);
    const rules = [{ name: 'Mail only', actions: { skip_retries: true } }];
    const tried = await simulate({ rules });
    expect(tried.retry).to.equal(null);
    expect([tried.rules_version, tried.mail?.explanation.rules_version]).to.deep.equal([null, null]);
    expect(tried.mail?.explanation.rejected.map(({ reason }) => reason)).to.deep.equal([
      'the rule "Mail only" skips retries',
    ]);
  });

  it('tries rules on brands in any usual word', async () => {
    const rule = (card_brand: string) => ({ conditions: { card_brand: [card_brand] }, name: card_brand });
    const rules = ['American_Express', 'visa'].map((word) => ({
      ...rule(word),
      actions: { skip_retries: true },
    }));
    const failure = { ...PAYMENT.failure, card_brand: 'american_express' };
    const tried = await simulate({ failure, rules });
    expect(tried.rules.map(({ matches }) => matches)).to.deep.equal([true, false]);
    expect(tried.retry).to.equal(null);
  });

  it('supposes a recovery that is under way', async () => {
    await addRule('After a week', { hours_since_failure: { at_least: 168 } }, { channel: 'none' });
    const opened_at = plus(NOW, -8 * DAY);
    const third = await simulate({ attempt: 3, opened_at });
    expect(third.retry?.attempt).to.equal(3);
    expect(third.rules[0]?.matches).to.equal(true);
    expect(third.mail).to.equal(null);
    expect((await simulate({ attempt: 5, opened_at })).retry, 'the policy allows four').to.equal(null);
    expect((await simulate({ opened_at: plus(NOW, -31 * DAY) })).end?.reason).to.equal('insufficient_funds');
  });

  it('counts the retries that it supposes', async () => {
    const opened_at = plus(NOW, -8 * DAY);
    const countersAt = async (attempt: number, over: object = {}) =>
      (await simulate({ attempt, opened_at, ...over })).retry?.explanation.counters;
    expect((await countersAt(3))?.['visa_30d']).to.equal(3);
    const mastercard = { failure: { ...PAYMENT.failure, card_brand: 'mastercard' } };
    expect(await countersAt(4, mastercard), 'spread over the days').to.deep.include({
      mastercard_24h: 1,
      mastercard_30d: 4,
    });
    const debit = {
      failure: { ...PAYMENT.failure, card_brand: 'ach' },
      payment_method: { fingerprint: 'ba' },
    };
    expect((await countersAt(2, debit))?.['ach_180d']).to.equal(2);
    const spent = await simulate({ attempt: 3, opened_at, ...debit });
    expect(spent.retry, 'an entry is presented twice more').to.equal(null);
    expect(JSON.stringify(spent.mail)).to.contain('the recovery ends before the next attempt');
  });

  it('counts the attempts of the payment itself once, as it supposes them', async () => {
    const about = { transaction_ref: 'inv_known' };
    await report(about);
    await report({ ...about, occurred_at: plus(NOW, -DAY) });
    await report({ transaction_ref: 'inv_other' });
    const { retry } = await simulate(about);
    expect(retry?.explanation.counters['visa_30d']).to.equal(2);
    const third = await simulate({ ...about, attempt: 3 });
    expect(third.retry?.explanation.counters['visa_30d']).to.equal(4);
  });

  it('is of the own organization only', async () => {
    for (let n = 0; n < 15; n++) await report({ transaction_ref: `used_${n}` });
    await addRule('Stop all', {}, { stop: { reason: 'enough' } });
    ({ token } = await api.founder());
    const { rules, retry } = await simulate();
    expect(rules).to.deep.equal([]);
    expect(retry?.explanation.counters['visa_30d']).to.equal(1);
  });

  it('is refused with the place of what is wrong', async () => {
    const pointersOf = async (over: object) => {
      const { status, body } = await ask(over);
      expect(status).to.equal(422);
      return body.errors?.map(({ pointer }) => pointer);
    };
    const rule = { name: 'x', conditions: { amount: { at_least: 1 } }, actions: { delay_minutes: 5 } };
    expect(await pointersOf({ rules: [{ name: 'y', actions: {} }] })).to.deep.equal(['/rules/0/actions']);
    expect(await pointersOf({ rules: [{ name: 'y', actions: { skip_retries: true } }, rule] })).to.deep.equal(
      ['/rules/1/conditions/currency'],
    );
    const one = { id: ruleId(1), name: 'z', actions: { skip_retries: true } };
    expect(await pointersOf({ rules: [one, { ...one, name: 'other' }] })).to.deep.equal(['/rules/1/id']);
    expect(await pointersOf({ now: '1999-01-01T00:00:00Z' })).to.deep.equal(['/now']);
    expect(await pointersOf({ now: '9999-12-31T23:59:59Z' })).to.deep.equal(['/now']);
    expect(await pointersOf({ opened_at: plus(NOW, HOUR) })).to.deep.equal(['/opened_at']);
    expect(await pointersOf({ occurred_at: plus(NOW, 3 * DAY) })).to.deep.equal(['/occurred_at']);
    expect(await pointersOf({ attempt: 0 })).to.deep.equal(['/attempt']);
    expect(await pointersOf({ amount: -1, colour: 'red' })).to.have.members(['/amount', '/colour']);
    expect(await pointersOf({ metadata: { note: '4242 4242 4242 4242' } })).to.have.length(1);
  });

  it('answers as docs/rules.md shows', async () => {
    const doc = readFileSync(fileURLToPath(new URL('../docs/rules.md', import.meta.url)), 'utf8');
    const bodies = [...doc.matchAll(/-d '(\{[^']*\})'/g)].map(([, body]) => JSON.parse(body ?? '') as object);
    const [large, business, ...questions] = bodies.filter(
      (body) => !('rule_ids' in body || 'enabled' in body),
    );
    await send('POST', '/v1/rules', large ?? {});
    await send('POST', '/v1/rules', business ?? {});
    const [scheduled, ended] = await Promise.all(questions.map((json) => ask({ now: undefined, ...json })));
    const { retry, mail, rules } = scheduled?.body ?? expect.fail('no question');
    const blank = (text: string) => text.replaceAll(/\s+/g, ' ');
    const shows = (value: unknown) =>
      expect(blank(doc)).to.contain(
        blank(JSON.stringify(value, undefined, 1))
          .slice(1, -1)
          .trim(),
      );
    shows(retry?.explanation.because);
    for (const at of [retry?.at, mail?.at, rules[0]?.unmet[0]]) shows([at]);
    expect(doc).to.contain(ended?.body.end?.explanation.rejected[0]?.reason.replaceAll('"', '\\"'));
  });

  it('needs a login, of any role', async () => {
    const json = PAYMENT;
    expect((await api.call('/v1/rules/simulate', { json })).status).to.equal(401);
    const email = 'vic@example.com';
    await send('POST', '/v1/users', { email, password: PASSWORD, role: 'auditor' });
    const login = await api.call<{ access_token: string }>('/v1/auth/login', {
      json: { email, password: PASSWORD },
    });
    token = login.body.access_token;
    expect((await ask()).status).to.equal(200);
  });
});
