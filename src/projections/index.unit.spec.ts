import { expect } from 'chai';
import { isDeepStrictEqual } from 'node:util';
import type { RecordedEvent } from '../events/envelope.js';
import { type EventType, eventSchemas } from '../events/registry.js';
import { paymentEvents } from '../events/payment.js';
import { recoveryEvents } from '../events/recovery.js';
import { ruleEvents } from '../events/rules.js';
import { recoveryHistories } from '../../test/support/recoveryHistories.js';
import type { AnyProjection } from './engine/fold.js';
import { projections } from './index.js';

const recovery = Object.keys(recoveryEvents) as EventType[];
/** Events in the stream of a recovery that no rollup counts. */
const uncounted = [
  'FurtherFailureRecorded',
  'RetryScheduled',
  'NotificationScheduled',
  'NotificationStarted',
  'NotificationFailed',
  'GracePeriodStarted',
  'CheckoutUndecided',
  'RetryUnresolved',
  'NotificationDropped',
  'DoublePaymentSuspected',
  'RetryDropped',
  'RecoveryEscalated',
  'MerchantAlertStarted',
  'MerchantAlertSent',
  'MerchantAlertFailed',
  'MerchantAlertSkipped',
  'PspRetriesFound',
  'PspRetriesStopped',
  'PspRetriesLeft',
  'PspRetriesEnded',
  'PspRetriesUndecided',
];

/** What each read model reads. An event type added to the catalogue must be placed here or left out knowingly. */
const reads: Readonly<Record<string, readonly string[]>> = {
  organizations: ['OrganizationRegistered', 'OrganizationReleased', 'PspConnected'],
  users: [
    'UserRegistered',
    'UserReleased',
    'UserRoleChanged',
    'UserDeactivated',
    'UserReactivated',
    'UserLoggedIn',
  ],
  payments: Object.keys(paymentEvents).filter((type) => type !== 'PspRetriesAnnounced'),
  recoveries: recovery,
  timers: recovery,
  retry_policies: ['RetryPolicySet'],
  rules: Object.keys(ruleEvents),
  unmapped_codes: ['RecoveryStarted', 'FurtherFailureRecorded', 'RetryDeclined'],
  analytics_daily: recovery.filter((type) => !uncounted.includes(type)),
};

/** Folds a log, and tells of which types some event changed a row. */
const effective = (projection: AnyProjection, events: readonly RecordedEvent[]): Set<string> => {
  const rows = new Map<string, ReturnType<AnyProjection['project']>>();
  const types = new Set<string>();
  for (const event of events)
    for (const key of projection.keysOf(event)) {
      const before = rows.get(key) ?? undefined;
      const after = projection.project(before && { ...before }, event, key);
      if (!isDeepStrictEqual(before ?? null, after)) types.add(event.type);
      rows.set(key, after);
    }
  return types;
};

describe('projections', () => {
  it('have names of their own', () =>
    expect(projections.map(({ table }) => table.name)).to.have.members(Object.keys(reads)));

  for (const { table, events } of projections)
    it(`${table.name} reads exactly the events it folds`, () => {
      expect([...events]).to.have.members([...(reads[table.name] ?? [])]);
      expect(new Set(events).size).to.equal(events.length);
      expect(events.every((type) => Object.hasOwn(eventSchemas, type))).to.equal(true);
    });

  const log = recoveryHistories({ seed: 4, recoveries: 300 });
  for (const projection of projections.filter(({ table }) =>
    /payments|recoveries|timers|analytics/.test(table.name),
  ))
    it(`${projection.table.name} changes by every type it reads`, () => {
      const streams = projection.table.name === 'payments' ? 'payment-' : 'recovery-';
      const read = new Set<string>(projection.events);
      const ours = log.filter(({ stream, type }) => stream.startsWith(streams) && read.has(type));
      expect([...effective(projection, ours)]).to.have.members([...projection.events]);
    });

  for (const { table } of projections)
    it(`${table.name} has a key, an organization, and indexes over columns it has`, () => {
      expect(table.columns).to.include.keys('key', 'org_id');
      expect(table.columns.org_id).to.equal('uuid');
      for (const column of table.indexes.flat()) expect(table.columns).to.have.property(column);
    });
});
