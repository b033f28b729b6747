import type { AttributedMetadata, Fact, FactMetadata, FactOf, StreamId } from '../events/envelope.js';
import type { EventType } from '../events/registry.js';
import { FIRST_INSTANT, type Instant, LAST_INSTANT } from '../kernel/clock.js';
import type { Message } from '../kernel/message.js';
import type { Draft, Projection, Row } from './engine/projection.js';

type Of<E extends Message, T extends string, M extends FactMetadata = FactMetadata> = FactOf<
  Extract<E, { readonly type: T }>,
  M
>;

/** Events that may make a row (or meet one that is there already). */
export type Opens<R extends Row, E extends Message, M extends FactMetadata = FactMetadata> = {
  readonly [T in E['type']]?: (event: Of<E, T, M>, key: string, row: Draft<R> | undefined) => R | null;
};

/** Events that only change or delete a row that is there. */
export type Changes<R extends Row, E extends Message> = {
  readonly [T in E['type']]?: (row: Draft<R>, event: Of<E, T>) => R | null;
};

/**
 * A fold from one function per event type, so that the types it reads are exactly the types it handles.
 * @param attributed like `opens`, for events of which the fold reads who made them so
 */
export const foldOf = <R extends Row, E extends Message>(
  opens: Opens<R, E>,
  changes: Changes<R, E>,
  attributed: Opens<R, E, AttributedMetadata> = {},
): Pick<Projection<R>, 'events' | 'project' | 'attributed'> => {
  type Opener = (event: Fact, key: string, row: Draft<R> | undefined) => R | null;
  type Changer = (row: Draft<R>, event: Fact) => R | null;
  const folds = new Map(Object.entries({ ...opens, ...attributed }) as [string, Opener][]);
  for (const [type, change] of Object.entries(changes) as [string, Changer][])
    folds.set(type, (event, _key, row) => (row === undefined ? null : change(row, event)));
  return {
    events: [...folds.keys()] as EventType[],
    attributed: Object.keys(attributed) as EventType[],
    project: (row, event, key) => folds.get(event.type)?.(event, key, row) ?? null,
  };
};

/** The id in a stream's name, `payment-<id>`. */
export const idIn = (stream: StreamId): string => stream.slice(stream.indexOf('-') + 1);

/** The one row of the stream's own aggregate. */
export const keyOfStream = (event: Fact): readonly string[] => [idIn(event.stream)];

/** A fact of an impossible instant is a fact all the same: it is shown at the nearest one that a table can hold. */
const nearest = (time: string): Instant => {
  const clamped = Math.min(Math.max(Date.parse(time), Date.parse(FIRST_INSTANT)), Date.parse(LAST_INSTANT));
  return Number.isNaN(clamped) ? FIRST_INSTANT : new Date(clamped).toISOString();
};

/**
 * UTC with milliseconds, the form in which Postgres hands an instant back: a row that went through the table
 * and one that stayed in memory must be the same.
 */
export const instant = (time: string): Instant =>
  time.length === 24 && time.endsWith('Z') && time >= FIRST_INSTANT ? time : nearest(time);

/** The UTC day of an instant, `YYYY-MM-DD`. */
export const dayOf = (time: string): string => instant(time).slice(0, 10);

/** When the event happened. */
export const occurredAt = (event: Fact): Instant => instant(event.metadata.occurred_at);
