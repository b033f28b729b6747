import { isDeepStrictEqual } from 'node:util';
import type { Position, Recorded, RecordedEvent } from '../../../events/envelope.js';
import type { EventStore } from '../../../events/eventStore.js';
import type { LogRange } from '../../../events/logRange.js';
import { paymentStream } from '../../../events/payment.js';
import type { Category, Classification, RecoveryEvent, RetryPermission } from '../../../events/recovery.js';
import { upcast } from '../../../events/registry.js';
import { type Instant, MINUTE } from '../../../kernel/clock.js';
import type { Failure } from '../../../kernel/ports.js';
import { load } from '../../handle.js';
import { paymentDecider } from '../../payment/decide.js';
import { failureBy } from '../../payment/state.js';
import { classify } from './classify.js';
import type { Tables } from './compileTables.js';
import { tablesOfVersion } from './tables.js';

/*
 * What other tables would have made of the past. The recorded classification of each failure is held against the one
 * that the tables give for the same words. Only the first difference of a recovery counts: what came after it would
 * have been another story. Nothing is kept from one page of the log to the next.
 */

const failureTypes = ['RecoveryStarted', 'FurtherFailureRecorded', 'RetryDeclined'] as const;
type Failed = Extract<Recorded<RecoveryEvent>, { readonly type: (typeof failureTypes)[number] }>;

export interface Judgement {
  readonly category: Category;
  readonly retry: RetryPermission;
  /** Not before this long after the failure. */
  readonly wait_minutes?: number;
}

/** A recovery that would have gone elsewhere, and where it would have parted. */
export interface Change {
  readonly recovery_id: string;
  readonly org_id: string;
  readonly event: Failed['type'];
  readonly occurred_at: Instant;
  /** The debt. */
  readonly amount: number;
  readonly currency: string;
  readonly before: Judgement & { readonly table_version: string };
  readonly after: Judgement & { readonly table_version: string };
  /** The word that decided, then and under the other tables. */
  readonly evidence: { readonly before: string; readonly after: string };
}

/** Every failure of a page, and the changes among them. */
export interface Reclassified {
  readonly failures: number;
  readonly changes: readonly Change[];
}

const isFailed = (event: RecordedEvent): boolean => (failureTypes as readonly string[]).includes(event.type);

const firstOf = async (store: EventStore, stream: string): Promise<RecordedEvent | undefined> => {
  for await (const [event] of store.readStream(stream, { pageSize: 1 })) return event && upcast(event);
  return undefined;
};

/** The words of a failure are personal data and are kept with the payment only. */
const messageOf = async (store: EventStore, event: Failed): Promise<string | undefined> => {
  if (event.type === 'RetryDeclined') return event.data.failure.message;
  const first = event.type === 'RecoveryStarted' ? event : await firstOf(store, event.stream);
  const paymentId = (first?.data as { payment_id?: string } | undefined)?.payment_id;
  if (paymentId === undefined) return undefined;
  const { state } = await load(store, paymentDecider, paymentStream(paymentId));
  return failureBy(state, event.data.trigger_id)?.failure.message;
};

const judged = async (store: EventStore, event: Failed, tables: Tables) => {
  const raw: Failure = event.data.evidence.raw;
  const seen = classify(raw, event.metadata.occurred_at, tables);
  if (seen.category !== 'unknown') return seen;
  const message = await messageOf(store, event);
  return message === undefined ? seen : classify({ ...raw, message }, event.metadata.occurred_at, tables);
};

/** Counted from one instant for both: when the failure happened is kept with the payment. */
const judgementOf = (
  { category, retry, earliest_at }: Pick<Classification, 'category' | 'retry' | 'earliest_at'>,
  from: Instant,
): Judgement => ({
  category,
  retry,
  ...(earliest_at !== undefined && {
    wait_minutes: (Date.parse(earliest_at) - Date.parse(from)) / MINUTE,
  }),
});

/** A wait is a word of the codes alone: the tables of then tell how long it was. */
const recordedJudgement = ({ data, metadata: { occurred_at } }: Failed): Judgement => {
  const { category, retry, evidence } = data;
  const tables = tablesOfVersion(evidence.table_version);
  const { earliest_at } = tables === undefined ? data : classify(evidence.raw, occurred_at, tables);
  return judgementOf({ category, retry, ...(earliest_at !== undefined && { earliest_at }) }, occurred_at);
};

const said = ({ step, value }: { readonly step: string; readonly value?: string }): string =>
  value === undefined ? step : `${step} ${value}`;

const changeOf = async (store: EventStore, event: Failed, tables: Tables): Promise<Change | undefined> => {
  const { evidence, cohort } = event.data;
  const seen = await judged(store, event, tables);
  const before = recordedJudgement(event);
  const after = judgementOf(seen, event.metadata.occurred_at);
  if (isDeepStrictEqual(before, after)) return undefined;
  return {
    recovery_id: event.stream.slice('recovery-'.length),
    org_id: event.metadata.org_id,
    event: event.type,
    occurred_at: event.metadata.occurred_at,
    amount: cohort.amount,
    currency: cohort.currency,
    before: { ...before, table_version: evidence.table_version },
    after: { ...after, table_version: tables.version },
    evidence: { before: said(evidence), after: said(seen.evidence) },
  };
};

/** Whether the recovery had parted before, within the range. */
const partedBefore = async (
  store: EventStore,
  event: Failed,
  tables: Tables,
  after: Position,
): Promise<boolean> => {
  for await (const page of store.readStream(event.stream))
    for (const earlier of page) {
      if (earlier.revision >= event.revision) return false;
      if (earlier.position <= after || !isFailed(earlier)) continue;
      if ((await changeOf(store, upcast(earlier) as Failed, tables)) !== undefined) return true;
    }
  return false;
};

export interface ReclassifyOptions extends LogRange {
  readonly orgId?: string | undefined;
  readonly signal?: AbortSignal;
  readonly pageSize?: number;
}

/** Page by page of the log, in its order. */
export async function* reclassify(
  store: EventStore,
  tables: Tables,
  { orgId, after, until, ...reading }: ReclassifyOptions,
): AsyncGenerator<Reclassified> {
  if (after >= until) return;
  const filter = { types: failureTypes, ...(orgId !== undefined && { orgId }) };
  for await (const delivery of store.readAll({ after, until, filter, ...reading })) {
    if (delivery.kind !== 'events') continue;
    const changes: Change[] = [];
    for (const recorded of delivery.events) {
      const event = upcast(recorded) as Failed;
      const change = await changeOf(store, event, tables);
      if (change === undefined) continue;
      const first = event.type === 'RecoveryStarted' || !(await partedBefore(store, event, tables, after));
      if (first) changes.push(change);
    }
    yield { failures: delivery.events.length, changes };
  }
}
