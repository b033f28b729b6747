import { expect } from 'chai';
import { given, rowsOf } from '../../../test/support/projectionSpec.js';
import { recoveryHistories } from '../../../test/support/recoveryHistories.js';
import {
  classified,
  day,
  EXPIRES,
  OPENED,
  ORG,
  RECOVERY,
  told,
} from '../../../test/support/recoveryEvents.js';
import { recoveries } from '../recoveries/projection.js';
import type { RecoveryRow } from '../recoveries/row.js';
import { timers } from './projection.js';

const after = (...events: Parameters<typeof given>[1][]) => {
  const spec = given(timers, told.started(), ...events);
  return {
    due: (kind: string, due_at: string) =>
      spec.thenRow(RECOVERY, { kind, due_at, org_id: ORG, position: events.length + 1 }),
    nothing: () => spec.thenNoRow(RECOVERY),
  };
};

const retry = told.retryScheduled(OPENED, 1, day(2));
const begun = told.retryStarted(day(2), 1);
const mail = told.mailScheduled(OPENED, 1, day(3));
const mailing = told.mailStarted(day(3), 1);

describe('timers', () => {
  it('start with the expiry', () => after().due('close', EXPIRES));
  it('tell a scheduled retry', () => after(retry).due('retry', day(2)));
  it('look at a begun retry a minute later', () => after(retry, begun).due('settle', day(2, 10, 1)));
  it('ask again when the PSP did not say', () =>
    after(retry, begun, told.retryUnknown(day(2), 1, 1, day(5))).due('settle', day(5)));
  it('wait for a charge under way and for nothing else', () =>
    after(mail, retry, begun, told.retryUnknown(day(2), 1, 1, day(5))).due('settle', day(5)));
  it('go on to the mail after a decline', () =>
    after(retry, mail, begun, told.retryDeclined(day(2), 1, classified.soft)).due('notify', day(3)));
  it('go on to the expiry after a success', () =>
    after(retry, begun, told.retrySucceeded(day(2), 1)).due('close', EXPIRES));

  it('drop a scheduled retry that a further failure forbids', () => {
    after(retry, told.failedAgain(day(1, 12), classified.hard)).due('close', EXPIRES);
    after(retry, told.failedAgain(day(1, 12), classified.soft)).due('retry', day(2));
    after(retry, begun, told.failedAgain(day(2), classified.hard)).due('settle', day(2, 10, 1));
    const older = { older: true } as const;
    after(retry, told.failedAgain(day(1, 12), { ...classified.hard, ...older })).due('retry', day(2));
    after(retry, told.failedAgain(day(1, 12), { ...classified.banned, ...older })).due('close', EXPIRES);
  });

  it('tell the earlier of retry and mail, the retry at the same instant', () => {
    after(mail, retry).due('retry', day(2));
    after(retry, told.mailScheduled(OPENED, 1, day(1, 12))).due('notify', day(1, 12));
    after(told.mailScheduled(OPENED, 1, day(2)), retry).due('retry', day(2));
  });

  it('tell what the merchant is to be told: due, begun, to be tried again, left to another', () => {
    const escalated = told.escalated(day(1, 12), 'psp_blocked', day(1, 12));
    const begun = told.alertStarted(day(1, 12), 'psp_blocked');
    after(escalated).due('alert', day(1, 12));
    after(told.escalated(day(1, 12), 'psp_blocked')).due('alert', OPENED); // of an older log
    after(escalated, begun).due('alert', day(1, 12, 1));
    after(escalated, begun, told.alertFailed(day(1, 12), 'psp_blocked', day(2))).due('alert', day(2));
    for (const over of [told.alertSent, told.alertSkipped, told.alertFailed])
      after(escalated, begun, over(day(1, 12), 'psp_blocked')).due('close', EXPIRES);
  });

  it('tell the merchant after the customer, at no checkout, and also when it is over', () => {
    const escalated = told.escalated(day(1, 12), 'psp_blocked', day(2));
    after(told.retryScheduled(OPENED, 1, day(2)), escalated).due('retry', day(2));
    after(told.checkoutOpened(day(1, 23), 1), escalated).due('alert', day(2));
    after(escalated, told.exhausted(day(2))).due('alert', day(2));
    after(escalated, told.exhausted(day(2)), told.alertSent(day(2), 'psp_blocked')).nothing();
  });

  it('tell mails: scheduled, begun, sent, to be tried again, failed for good', () => {
    after(mail).due('notify', day(3));
    after(mail, mailing).due('notify', day(3, 10, 1));
    after(mail, mailing, told.mailSent(day(3), 1)).due('close', EXPIRES);
    after(mail, mailing, told.mailFailed(day(3), 1, day(4))).due('notify', day(4));
    after(mail, mailing, told.mailFailed(day(3), 1)).due('close', EXPIRES);
  });

  it('hold everything back while the customer stands at a checkout, or may have paid', () => {
    after(retry, told.linkOpened(day(2, 9)), told.checkoutOpened(day(2, 9, 50), 1)).due(
      'retry',
      day(2, 10, 35),
    );
    after(told.checkoutOpened(day(2, 9, 50), 1), retry).due('retry', day(2, 10, 35));
    after(mail, told.checkoutOpened(day(3, 9, 50), 1)).due('notify', day(3, 10, 35));
    after(
      retry,
      told.checkoutOpened(day(2, 9, 50), 1),
      told.checkoutUndecided(day(2, 11), 1, day(2, 17)),
    ).due('retry', day(2, 17));
    after(retry, told.checkoutOpened(OPENED, 1)).due('retry', day(2));
  });

  it('close at the end of the grace period, never after the expiry', () => {
    after(told.graceStarted(day(10), day(17))).due('close', day(17));
    after(told.graceStarted(day(30), '2026-04-06T10:00:00.000Z')).due('close', EXPIRES);
  });

  for (const [name, ending] of Object.entries({
    succeeded: told.succeeded(day(2), 'link'),
    exhausted: told.exhausted(day(2)),
    expired: told.expired(day(2)),
    cancelled: told.cancelled(day(2)),
  }))
    it(`are gone when the recovery is ${name}, but for a charge or mail under way`, () => {
      after(retry, mail, ending).nothing();
      after(mail, mailing, ending).due('abandon', day(3, 10, 1));
      after(mail, mailing, told.mailFailed(day(3), 1, day(4)), ending).nothing();
      after(mail, mailing, ending, told.mailFailed(day(4), 1)).nothing();
      after(mail, mailing, ending, told.mailFailed(day(3), 1, day(4))).nothing();
      after(retry, begun, mail, ending).due('settle', day(2, 10, 1));
      after(retry, begun, ending, told.retryDeclined(day(2), 1, classified.soft)).nothing();
    });

  it('are what the recovery shows as its next action, over random histories', () => {
    for (let seed = 1; seed <= 3; seed++) {
      const events = recoveryHistories({ seed, recoveries: 80 });
      const due = rowsOf(timers, events);
      for (const [key, row] of rowsOf(recoveries, events)) {
        const timer = due.get(key);
        const next = timer === undefined ? null : { kind: timer.kind, at: timer.due_at };
        expect((row as unknown as RecoveryRow).next_action, key).to.deep.equal(next);
        if (timer) expect(timer.position).to.equal(row.position);
      }
    }
  });
});
