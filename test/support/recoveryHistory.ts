import { AlertHistory, type Bare } from './alertHistory.js';
import { PspHistory, type PspTeller } from './pspHistory.js';
import { type PaymentEvent, paymentStream, type SuccessSource } from '../../src/events/payment.js';
import { type Classification, type RecoveryEvent, recoveryStream } from '../../src/events/recovery.js';
import { DAY, HOUR, type Instant, MINUTE, plus } from '../../src/kernel/clock.js';
import { type OrgId, paymentIdOf, recoveryIdOf } from '../../src/kernel/ids.js';

const kinds: readonly Pick<Classification, 'category' | 'hardness' | 'retry'>[] = [
  { category: 'insufficient_funds', hardness: 'soft', retry: 'allowed' },
  { category: 'issuer_decline', hardness: 'soft', retry: 'allowed' },
  { category: 'network_error', hardness: 'soft', retry: 'allowed' },
  { category: 'authentication_required', hardness: 'needs_customer', retry: 'after_change' },
  { category: 'card_data_invalid', hardness: 'hard', retry: 'after_change' },
  { category: 'lost_stolen_fraud', hardness: 'hard', retry: 'never' },
];

type AnyEvent = PaymentEvent | RecoveryEvent;
/** An event that has no place in the log yet. */
export type Draft = AnyEvent & { readonly at: Instant; readonly stream: string; readonly org: OrgId };
type Status = 'active' | 'succeeded' | 'exhausted' | 'expired' | 'cancelled';

const LIFETIME = 30 * DAY;

/** One payment's failure and recovery, told step by step; every method keeps to what the system itself would do. */
export class History implements PspTeller {
  readonly drafts: Draft[] = [];
  status: Status = 'active';
  private attempt = 0;
  private scheduled: Instant | undefined;
  private underWay = false;
  private checks = 0;
  private grace = false;
  private banned = false;
  private step = 0;
  private mail: Instant | undefined;
  private mailBegun = false;
  private sent = 0;
  private checkouts = 0;
  private linkOpened = false;
  private readonly psp: PspHistory;
  private readonly alerts: AlertHistory;
  private readonly openedAt: Instant;
  private readonly debt: { readonly amount: number; readonly currency: string };
  private readonly paymentId;

  constructor(
    private readonly random: () => number,
    private readonly org: OrgId,
    private readonly ref: string,
    public now: Instant,
  ) {
    this.openedAt = now;
    this.debt = { amount: 100 + this.below(50_000), currency: this.oneOf(['EUR', 'USD', 'INR']) };
    this.paymentId = paymentIdOf(org, ref);
    this.alerts = new AlertHistory(ref, recoveryIdOf(this.paymentId), this);
    this.psp = new PspHistory(ref, this);
    this.open();
  }

  private below(n: number): number {
    return Math.floor(this.random() * n);
  }
  private oneOf<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T;
  }
  chance(p: number): boolean {
    return this.random() < p;
  }
  wait(ms: number): void {
    this.now = plus(this.now, ms);
  }
  until(at: Instant): void {
    if (at > this.now) this.now = at;
  }

  pay(event: PaymentEvent): void {
    const stream = paymentStream(this.paymentId);
    this.drafts.push({ ...event, at: this.now, stream, org: this.org });
  }

  emit(event: Bare<RecoveryEvent>): void {
    const data = { ...event.data, cohort: { opened_at: this.openedAt, ...this.debt } };
    const stream = recoveryStream(recoveryIdOf(this.paymentId));
    this.drafts.push({ type: event.type, data, at: this.now, stream, org: this.org } as Draft);
  }

  private classification(): Classification {
    const kind = this.oneOf(kinds);
    const raw = { decline_code: kind.category };
    const evidence = { step: 'decline_code', value: kind.category, table_version: 'test', raw };
    return { ...kind, evidence };
  }

  private fail(classification: Classification, trigger_id: string, failed_at = this.now): void {
    const data = {
      transaction_ref: this.ref,
      ...this.debt,
      customer: { email: `${this.ref}@example.com` },
      gateway: 'sandbox',
      failure: { decline_code: classification.category, message: 'declined' },
      payment_method: { id: `pm_${this.ref}`, last4: '4242' },
      trigger_id,
      late: this.status === 'succeeded',
      failed_at,
    };
    this.pay({ type: 'PaymentFailed', data });
  }

  private open(): void {
    const classification = this.classification();
    this.fail(classification, 'first');
    this.banned = classification.retry !== 'allowed';
    const backoff = { initial_delay_minutes: 60, backoff_multiplier: 2, max_delay_minutes: 1_440 };
    this.emit({
      type: 'RecoveryStarted',
      data: {
        payment_id: this.paymentId,
        transaction_ref: this.ref,
        gateway: 'sandbox',
        trigger_id: 'first',
        ...classification,
        policy_version: 0,
        policy: { version: 0, max_retries: 4, ...backoff, enabled_channels: ['email'] },
        channels: ['email'],
        expires_at: plus(this.openedAt, LIFETIME),
        ...this.psp.begin(),
      },
    });
    if (this.chance(0.1)) this.alerts.escalate(this.openedAt);
    this.psp.stop();
    this.plan();
  }

  /** Its charge is not made beside that of the PSP. */
  private findPsp(): void {
    this.scheduled = undefined;
    this.psp.find();
  }

  /** No slot is free for it: planned anew. */
  private forgo(): void {
    const attempt = this.attempt + 1;
    this.emit({ type: 'RetryDropped', data: { attempt, reason: 'a limit is reached' } });
    this.scheduleRetry();
  }

  private plan(): void {
    if (!this.banned && this.psp.retries === undefined && this.attempt < 4) this.scheduleRetry();
    if (this.mail === undefined && this.step < 3) this.scheduleMail();
  }

  private scheduleRetry(): void {
    this.scheduled = plus(this.now, HOUR * (1 + this.below(48)));
    const explanation = {
      chosen: 'retry',
      candidates: ['retry', 'notify', 'close'],
      rejected: [],
      evidence: this.classification().evidence,
      policy_version: 0,
      rules_version: 0,
      limits_version: 0,
      counters: { attempts: this.attempt },
    };
    this.emit({
      type: 'RetryScheduled',
      data: { attempt: this.attempt + 1, at: this.scheduled, explanation },
    });
  }

  private scheduleMail(): void {
    this.mail = plus(this.now, HOUR * this.below(72));
    const data = {
      step: this.step + 1,
      channel: 'email',
      at: this.mail,
      template: 'payment_failed',
    } as const;
    this.emit({ type: 'NotificationScheduled', data });
  }

  retry(): void {
    if (this.scheduled === undefined) return;
    this.until(this.scheduled);
    if (this.chance(0.1)) return this.forgo();
    if (this.psp.retries === undefined && this.chance(0.05)) return this.findPsp();
    this.scheduled = undefined;
    this.attempt += 1;
    this.underWay = true;
    this.checks = 0;
    const idempotency_key = `${this.org}:${recoveryIdOf(this.paymentId)}:${this.attempt}`;
    this.emit({
      type: 'RetryStarted',
      data: { attempt: this.attempt, idempotency_key, started_at: this.now },
    });
    // Closed from elsewhere while the charge is under way: its outcome is recorded all the same.
    if (this.chance(0.05)) this.cancel(0);
    if (this.chance(0.05)) return;
    this.settle();
  }

  private settle(): void {
    while (this.checks < 3 && this.chance(0.2)) {
      this.checks += 1;
      const check = this.checks;
      const check_at = plus(this.now, 10 * MINUTE);
      this.emit({
        type: 'RetryOutcomeUnknown',
        data: { attempt: this.attempt, reason: 'timeout', check, check_at },
      });
      if (this.chance(0.1)) return;
      if (this.psp.retries === undefined && this.status === 'active' && this.chance(0.1)) this.psp.find();
      this.until(check_at);
    }
    if (this.checks > 0 && this.chance(0.2)) return this.giveUp();
    this.wait(1_500);
    this.underWay = false;
    const { attempt } = this;
    if (this.chance(0.3)) {
      this.emit({ type: 'RetrySucceeded', data: { attempt, reference: `ch_${this.ref}_${attempt}` } });
      this.succeed('our_retry');
      return;
    }
    const classification = this.classification();
    const failure = { decline_code: classification.category, message: 'declined again' };
    this.emit({ type: 'RetryDeclined', data: { attempt, failure, ...classification } });
    this.banned = classification.retry !== 'allowed';
    if (this.status === 'active') this.plan();
  }

  /** The PSP never told the outcome. */
  private giveUp(): void {
    this.wait(14 * DAY);
    this.underWay = false;
    this.emit({ type: 'RetryUnresolved', data: { attempt: this.attempt, reason: 'timeout' } });
    if (this.status !== 'active') return;
    this.close('exhausted');
    this.emit({ type: 'RecoveryExhausted', data: { reason: 'outcome_unknown' } });
  }

  notify(): void {
    if (this.mail === undefined || this.underWay) return;
    this.until(this.mail);
    const step = this.step + 1;
    const message_id = `<${this.ref}.${step}@example.com>`;
    this.emit({ type: 'NotificationStarted', data: { step, message_id, started_at: this.now } });
    this.mailBegun = true;
    if (this.chance(0.05)) return;
    this.wait(700);
    const outcome = this.random();
    if (outcome < 0.1) {
      this.mail = plus(this.now, HOUR);
      const data = { step, permanent: false, reason: '451 try later', retry_at: this.mail };
      this.emit({ type: 'NotificationFailed', data });
      return;
    }
    this.mail = undefined;
    this.mailBegun = false;
    this.step = step;
    if (outcome < 0.15) {
      this.step = 3;
      this.emit({ type: 'NotificationFailed', data: { step, permanent: true, reason: '550 no such user' } });
      return;
    }
    this.sent += 1;
    this.emit({ type: 'NotificationSent', data: { step, message_id, sent_at: this.now } });
  }

  visit(): void {
    if (this.sent === 0) return;
    this.wait(this.below(12 * HOUR));
    if (!this.linkOpened) this.emit({ type: 'RecoveryLinkOpened', data: { link_opened_at: this.now } });
    this.linkOpened = true;
    if (this.chance(0.5)) return;
    this.checkouts += 1;
    const reference = `cs_${this.ref}_${this.checkouts}`;
    this.emit({
      type: 'CheckoutOpened',
      data: { reference, checkout: this.checkouts, checkout_opened_at: this.now },
    });
    if (this.chance(0.2)) {
      const check_at = plus(this.now, 6 * HOUR);
      this.emit({ type: 'CheckoutUndecided', data: { reference, reason: 'processing', check_at } });
    }
    if (this.chance(0.5)) this.succeed('link');
  }

  failAgain(): void {
    this.wait(this.below(DAY));
    const classification = this.classification();
    const trigger_id = `again-${this.drafts.length}`;
    const older = this.chance(0.2) ? ({ older: true } as const) : {};
    this.fail(classification, trigger_id, older.older ? plus(this.openedAt, -HOUR) : this.now);
    if (this.status === 'succeeded') return;
    const over = this.psp.mayGiveUp();
    const data = { trigger_id, ...classification, ...older, ...over };
    this.emit({ type: 'FurtherFailureRecorded', data });
    this.dropMail();
    if (classification.retry === 'allowed' || (older.older && classification.retry !== 'never')) return;
    this.banned = true;
    this.scheduled = undefined;
  }

  private dropMail(): void {
    if (this.mail === undefined || this.mailBegun || !this.chance(0.3)) return;
    this.mail = undefined;
    const data = { step: this.step + 1, reason: 'another mail is called for' };
    this.emit({ type: 'NotificationDropped', data });
  }

  succeed(source: SuccessSource): void {
    if (this.status === 'succeeded') return;
    const { amount, currency } = this.debt;
    const paid = { amount, currency, source, succeeded_at: this.now };
    const previous_status = this.status;
    this.close('succeeded');
    this.emit({ type: 'RecoverySucceeded', data: { payment_id: this.paymentId, ...paid, previous_status } });
    this.pay({
      type: 'PaymentSucceeded',
      data: { transaction_ref: this.ref, ...paid, trigger_id: `paid-${source}` },
    });
  }

  succeedElsewhere(): void {
    this.wait(this.below(10 * DAY));
    this.succeed(this.oneOf(['external', 'psp_retry'] as const));
  }

  exhaust(): void {
    if (this.scheduled !== undefined || this.mail !== undefined || this.underWay || this.status !== 'active')
      return;
    if (this.sent > 0 && !this.grace) {
      this.grace = true;
      const until = plus(this.now, 7 * DAY);
      this.emit({ type: 'GracePeriodStarted', data: { until } });
      if (this.chance(0.3)) return;
      this.until(until);
    }
    this.close('exhausted');
    this.emit({ type: 'RecoveryExhausted', data: { reason: 'retries_used_up' } });
  }

  expire(): void {
    if (this.status !== 'active' || this.underWay) return;
    this.until(plus(this.openedAt, LIFETIME));
    this.close('expired');
    this.emit({ type: 'RecoveryExpired', data: { expired_at: this.now } });
  }

  cancel(within = HOUR): void {
    if (this.status !== 'active') return;
    this.wait(this.below(within));
    this.close('cancelled');
    this.emit({ type: 'RecoveryCancelled', data: { reason: 'asked to', by: 'merchant' } });
  }

  private close(status: Status): void {
    this.status = status;
    this.scheduled = undefined;
    this.mail = undefined;
  }

  /** One thing that may happen next while the recovery is open. */
  live(): void {
    if (this.chance(0.2)) this.alerts.tell();
    const dice = this.random();
    if (dice < 0.4) this.retry();
    else if (dice < 0.7) this.notify();
    else if (dice < 0.82) this.visit();
    else if (dice < 0.88) this.failAgain();
    else if (dice < 0.92) this.succeedElsewhere();
    else if (dice < 0.95) this.exhaust();
    else if (dice < 0.97) this.expire();
    else if (dice < 0.98) this.cancel();
    else if (dice < 0.99) this.psp.goOn();
    else this.wait(DAY);
    if (this.underWay && this.status === 'active' && this.chance(0.9)) this.settle();
  }

  /** What comes after the end: money after giving up, a failure reported late. */
  afterlife(): void {
    if (this.chance(0.5)) this.alerts.tell();
    if (this.status !== 'active' && this.chance(0.15)) this.succeedElsewhere();
    if (this.status === 'succeeded' && this.chance(0.05)) this.failAgain();
    if (this.status === 'succeeded' && this.chance(0.3)) {
      const sources: SuccessSource[] = ['link', 'our_retry'];
      this.emit({ type: 'DoublePaymentSuspected', data: { references: ['a', 'b'], sources, ...this.debt } });
    }
  }
}
