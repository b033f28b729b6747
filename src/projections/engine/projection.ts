import type { EventType } from '../../events/registry.js';
import type { Fact, StreamId } from '../../events/envelope.js';

/** Postgres types a read-model column may have; `jsonb` holds plain JSON values. */
export type ColumnType =
  'uuid' | 'text' | 'bigint' | 'integer' | 'boolean' | 'timestamptz' | 'date' | 'jsonb';

/** A row as the fold sees it: JSON-compatible; bigint columns are numbers below 2^53, instants ISO text in UTC with milliseconds. */
export type Row = Readonly<Record<string, unknown>> & { readonly key: string; readonly org_id: string };

/** A row in the hands of its fold, which may set its columns; what they hold is never changed. */
export type Draft<R> = { -readonly [K in keyof R]: R[K] };

export interface Table {
  /** Also the name of the view that readers query. Every table has `key` (text or uuid, primary key) and `org_id` (uuid). */
  readonly name: string;
  readonly columns: Readonly<Record<string, ColumnType>>;
  /** Column lists of secondary indexes, e.g. `['org_id', 'opened_at', 'key']`. */
  readonly indexes: readonly (readonly string[])[];
}

/**
 * A read model: data plus one pure fold, used live, for rebuild, as-of and in tests.
 * - `keysOf` names the rows an event touches, from the event alone;
 * - `project` answers a row and an event with the row as it is now, `null` to delete it. The row is its own: it may set
 *   the columns and answer the same object. It never throws for a valid fact, has no other effect and reads no clock.
 * Raise `version` with every change of the fold or the table: the engine rebuilds side by side.
 */
export interface Projection<R extends Row = Row> {
  readonly version: number;
  readonly table: Table;
  readonly events: readonly EventType[];
  /** Those of which the fold reads who did it. */
  readonly attributed?: readonly EventType[];
  readonly keysOf: (event: Fact) => readonly string[];
  readonly project: (row: Draft<R> | undefined, event: Fact, key: string) => R | null;
  /** Sets the columns that follow from the others, once a row is to be stored or shown: no fold reads them. */
  readonly derive?: (row: Draft<R>) => void;
  /** The one stream a row is folded from, where there is just one: what as-of reads. */
  readonly streamOf?: (key: string) => StreamId;
}
