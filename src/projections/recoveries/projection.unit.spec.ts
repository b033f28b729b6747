import { expect } from 'chai';
import { given } from '../../../test/support/projectionSpec.js';
import {
  classified,
  day,
  EXPIRES,
  OPENED,
  ORG,
  PAYMENT,
  RECOVERY,
  told,
} from '../../../test/support/recoveryEvents.js';
import { recoveries } from './projection.js';
import type { RecoveryRow } from './row.js';

const rowOf = (...events: Parameters<typeof given>[1][]): RecoveryRow =>
  given(recoveries, told.started(), ...events).row(RECOVERY) as RecoveryRow;

describe('recoveries', () => {
  it('shows an opened one, which is closed at its expiry if nothing happens', () => {
    expect(rowOf()).to.deep.equal({
      key: RECOVERY,
      org_id: ORG,
      payment_id: PAYMENT,
      transaction_ref: 'order-1',
      gateway: 'stripe',
      status: 'active',
      category: 'insufficient_funds',
      hardness: 'soft',
      retry: 'allowed',
      amount: 5_000,
      currency: 'EUR',
      recovered_amount: null,
      source: null,
      psp_retries: null,
      psp_retries_since: null,
      psp_retries_check_at: null,
      escalations: [],
      escalated: false,
      double_payment: false,
      opened_at: OPENED,
      closed_at: null,
      expires_at: EXPIRES,
      close_reason: null,
      policy_version: 0,
      attempts: [],
      notifications: [],
      next_action: { kind: 'close', at: EXPIRES },
      link_opened_at: null,
      checkouts: 0,
      checkout_opened_at: null,
      quiet_until: null,
      grace_until: null,
      last_event_at: OPENED,
      revision: 0,
      position: 1,
    });
  });

  describe('shows what the merchant is told', () => {
    const escalated = told.escalated(day(1, 12), 'psp_blocked', day(1, 12));
    const begun = told.alertStarted(day(1, 12), 'psp_blocked');
    const pending = {
      cause: 'psp_blocked',
      reason: 'review it',
      at: day(1, 12),
      status: 'pending',
      alert_at: day(1, 12),
      told_at: null,
      told_by: null,
    };
    const shown = (...events: Parameters<typeof given>[1][]) => {
      const { escalations, escalated: flag, next_action } = rowOf(escalated, ...events);
      expect(flag).to.equal(true);
      return { escalation: escalations[0], next_action };
    };

    it('while it is due, begun and to be tried again', () => {
      const alert = (at: string) => ({
        escalation: { ...pending, alert_at: at },
        next_action: { kind: 'alert', at },
      });
      expect(shown()).to.deep.equal(alert(day(1, 12)));
      expect(shown(begun)).to.deep.equal(alert(day(1, 12, 1)));
      expect(shown(begun, told.alertFailed(day(2), 'psp_blocked', day(3)))).to.deep.equal(alert(day(3)));
    });

    it('once it is over, also after the recovery is', () => {
      const over = { ...pending, alert_at: null };
      const end = told.exhausted(day(1, 12));
      const [sent, skipped, failed] = [told.alertSent, told.alertSkipped, told.alertFailed].map((how) =>
        shown(end, begun, how(day(2), 'psp_blocked')),
      );
      expect(sent?.escalation).to.deep.equal({ ...over, status: 'told', told_at: day(2) });
      expect(skipped?.escalation).to.deep.equal({
        ...over,
        status: 'told',
        told_at: day(2),
        told_by: PAYMENT,
      });
      expect(failed?.escalation).to.deep.equal({ ...over, status: 'failed' });
      for (const one of [sent, skipped, failed]) expect(one?.next_action).to.equal(null);
    });

    it('each cause by itself', () => {
      const other = told.escalated(day(1, 13), 'merchant_config', day(1, 13));
      const { escalations, next_action } = rowOf(escalated, other, told.alertSent(day(2), 'psp_blocked'));
      expect(escalations.map(({ status }) => status)).to.deep.equal(['told', 'pending']);
      expect(next_action).to.deep.equal({ kind: 'alert', at: day(1, 13) });
    });
  });

  it('ignores what comes before the start', () =>
    given(recoveries, told.linkOpened(day(2))).thenNoRow(RECOVERY));

  describe('attempts', () => {
    const scheduled = told.retryScheduled(OPENED, 1, day(2));
    const begun = told.retryStarted(day(2), 1);

    it('shows a scheduled one', () => {
      const row = rowOf(scheduled);
      expect(row.attempts).to.deep.equal([
        {
          attempt: 1,
          status: 'scheduled',
          scheduled_at: day(2),
          started_at: null,
          settled_at: null,
          unknown_outcomes: 0,
          check_at: null,
          failure: null,
          category: null,
          reference: null,
        },
      ]);
      expect(row.next_action).to.deep.equal({ kind: 'retry', at: day(2) });
    });

    it('asks for the outcome of a begun one a minute later', () => {
      const row = rowOf(scheduled, begun);
      expect(row.attempts[0]).to.include({ status: 'started', started_at: day(2) });
      expect(row.next_action).to.deep.equal({ kind: 'settle', at: day(2, 10, 1) });
    });

    it('shows a success', () => {
      const row = rowOf(scheduled, begun, told.retrySucceeded(day(3), 1));
      expect(row.attempts[0]).to.include({ status: 'succeeded', settled_at: day(3), reference: 'ch_1' });
    });

    it('shows a decline without the free text, and its category', () => {
      const row = rowOf(scheduled, begun, told.retryDeclined(day(3), 1, classified.hard));
      expect(row.attempts[0]).to.deep.include({
        status: 'declined',
        settled_at: day(3),
        failure: { decline_code: 'x' },
        category: 'card_data_invalid',
      });
      expect(row).to.include({ category: 'card_data_invalid', hardness: 'hard', retry: 'after_change' });
    });

    it('counts unknown outcomes until one is known', () => {
      const unknown = [told.retryUnknown(day(3), 1, 1, day(4)), told.retryUnknown(day(4), 1, 2, day(5))];
      const row = rowOf(scheduled, begun, ...unknown);
      expect(row.attempts[0]).to.include({ status: 'unknown', unknown_outcomes: 2, check_at: day(5) });
      expect(row.next_action).to.deep.equal({ kind: 'settle', at: day(5) });
      const settled = rowOf(scheduled, begun, ...unknown, told.retryDeclined(day(5), 1, classified.soft));
      expect(settled.attempts[0]).to.include({ status: 'declined', unknown_outcomes: 2, check_at: null });
    });

    it('drops a scheduled one when a further failure forbids it, and starts it anew when scheduled again', () => {
      const dropped = rowOf(scheduled, told.failedAgain(day(1, 12), classified.hard));
      expect(dropped.attempts[0]?.status).to.equal('dropped');
      expect(dropped.next_action?.kind).to.equal('close');
      expect(rowOf(scheduled, told.failedAgain(day(1, 12), classified.soft)).attempts[0]?.status).to.equal(
        'scheduled',
      );
      const again = told.retryScheduled(day(2), 1, day(3));
      const anew = rowOf(scheduled, told.failedAgain(day(1, 12), classified.hard), again);
      expect(anew.attempts).to.have.length(1);
      expect(anew.attempts[0]).to.include({ status: 'scheduled', scheduled_at: day(3) });
    });

    it('keeps what is newer when an older failure is told, unless that bans', () => {
      const older = (classification: object) =>
        told.failedAgain(day(1, 12), { ...classification, older: true as const });
      const planned = rowOf(scheduled, older(classified.hard));
      expect(planned).to.include({ category: 'insufficient_funds', retry: 'allowed' });
      expect(planned.attempts[0]?.status).to.equal('scheduled');
      const banned = rowOf(scheduled, older(classified.banned));
      expect(banned).to.include({ category: 'lost_stolen_fraud', retry: 'never' });
      expect(banned.attempts[0]?.status).to.equal('dropped');
    });

    it('keeps a ban when a milder failure follows', () => {
      const banned = told.failedAgain(day(2), classified.banned);
      expect(rowOf(banned, told.failedAgain(day(3), classified.soft)).category).to.equal('lost_stolen_fraud');
    });
  });

  describe('notifications', () => {
    const scheduled = told.mailScheduled(OPENED, 1, day(2));
    const begun = told.mailStarted(day(2), 1);

    it('shows a scheduled, a begun and a sent one', () => {
      expect(rowOf(scheduled).notifications).to.deep.equal([
        {
          step: 1,
          channel: 'email',
          template: 'payment_failed',
          status: 'scheduled',
          at: day(2),
          started_at: null,
          sent_at: null,
          message_id: null,
        },
      ]);
      expect(rowOf(scheduled).next_action).to.deep.equal({ kind: 'notify', at: day(2) });
      expect(rowOf(scheduled, begun).next_action).to.deep.equal({ kind: 'notify', at: day(2, 10, 1) });
      expect(rowOf(scheduled, begun).notifications[0]).to.include({ status: 'started', started_at: day(2) });
      const sent = rowOf(scheduled, begun, told.mailSent(day(2, 11), 1));
      expect(sent.notifications[0]).to.include({ status: 'sent', sent_at: day(2, 11), message_id: '<1@x>' });
      expect(sent.next_action?.kind).to.equal('close');
    });

    it('tries a failed one again unless it failed for good', () => {
      const again = rowOf(scheduled, begun, told.mailFailed(day(2), 1, day(2, 12)));
      expect(again.notifications[0]).to.include({ status: 'scheduled', at: day(2, 12) });
      expect(again.next_action).to.deep.equal({ kind: 'notify', at: day(2, 12) });
      const gone = rowOf(scheduled, begun, told.mailFailed(day(2), 1));
      expect(gone.notifications[0]?.status).to.equal('failed');
      expect(gone.next_action?.kind).to.equal('close');
    });
  });

  it('tells when the link was opened first, and the checkouts', () => {
    const row = rowOf(
      told.linkOpened(day(3)),
      told.checkoutOpened(day(3), 1),
      told.checkoutOpened(day(4), 2),
    );
    expect(row).to.include({ link_opened_at: day(3), checkouts: 2, checkout_opened_at: day(4) });
  });

  it('holds a retry back while the customer stands at a checkout', () => {
    const row = rowOf(told.retryScheduled(OPENED, 1, day(2)), told.checkoutOpened(day(2, 9, 50), 1));
    expect(row.next_action).to.deep.equal({ kind: 'retry', at: day(2, 10, 35) });
  });

  it('is closed when the grace period is over', () => {
    const row = rowOf(told.graceStarted(day(10), day(17)));
    expect(row.grace_until).to.equal(day(17));
    expect(row.next_action).to.deep.equal({ kind: 'close', at: day(17) });
  });

  describe('endings', () => {
    const steps = [told.retryScheduled(OPENED, 1, day(2)), told.mailScheduled(OPENED, 1, day(2))];

    it('drop what was scheduled', () => {
      const row = rowOf(...steps, told.cancelled(day(1, 12)));
      expect(row.attempts[0]?.status).to.equal('dropped');
      expect(row.notifications[0]?.status).to.equal('dropped');
      expect(row.next_action).to.equal(null);
      expect(row).to.include({ status: 'cancelled', closed_at: day(1, 12), close_reason: 'asked to' });
    });

    it('still want the outcome of a charge under way', () => {
      const row = rowOf(...steps, told.retryStarted(day(2), 1), told.cancelled(day(2)));
      expect(row.next_action).to.deep.equal({ kind: 'settle', at: day(2, 10, 1) });
    });

    it('tell success, exhaustion and expiry', () => {
      expect(rowOf(told.succeeded(day(3), 'link'))).to.include({
        status: 'succeeded',
        closed_at: day(3),
        source: 'link',
        recovered_amount: 5_000,
        close_reason: null,
      });
      expect(rowOf(told.exhausted(day(4)))).to.include({
        status: 'exhausted',
        closed_at: day(4),
        close_reason: 'retries_used_up',
      });
      expect(rowOf(told.expired(EXPIRES))).to.include({
        status: 'expired',
        closed_at: EXPIRES,
        close_reason: null,
      });
    });

    it('turn into success when the money comes in after all', () => {
      const row = rowOf(told.exhausted(day(4)), told.succeeded(day(5), 'external', 'exhausted'));
      expect(row).to.include({ status: 'succeeded', closed_at: day(5), close_reason: null });
    });
  });
});
