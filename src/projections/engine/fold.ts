import type { RecordedEvent } from '../../events/envelope.js';
import { upcast } from '../../events/registry.js';
import { type Codec, codecOf } from './codec.js';
import { EventFailure } from './errors.js';
import type { Draft, Projection, Row } from './projection.js';
import { definitionOf } from './table.js';

/** Any projection, whatever its rows: the method lets a narrower row type pass. */
export interface AnyProjection extends Omit<Projection, 'project'> {
  project(row: Draft<Row> | undefined, event: RecordedEvent, key: string): Row | null;
}

/** A projection with what is derived from it once. */
export interface Model {
  readonly name: string;
  readonly projection: AnyProjection;
  readonly codec: Codec;
  readonly definition: string;
  readonly types: ReadonlySet<string>;
}

export const modelOf = (projection: AnyProjection): Model => ({
  name: projection.table.name,
  projection,
  codec: codecOf(projection.table),
  definition: definitionOf(projection.table),
  types: new Set(projection.events),
});

/** Where a fold finds a row and leaves what became of it; null while there is none. */
export interface Cell {
  row: Row | null;
}

export interface Rows {
  at(key: string): Cell;
}

/**
 * The one place where a projection's fold is called: live, rebuild, as-of and tests all come here.
 * @throws EventFailure
 */
export const foldEvent = (
  model: Model,
  rows: Rows,
  event: RecordedEvent,
  keys = keysOf(model, event),
): void => {
  try {
    for (const key of keys) foldInto(model, rows, event, key);
  } catch (cause) {
    throw new EventFailure(model.name, event, { cause });
  }
};

const foldInto = ({ projection }: Model, rows: Rows, event: RecordedEvent, key: string): void => {
  const cell = rows.at(key);
  const after = projection.project(cell.row ?? undefined, event, key);
  if (after !== null && after.key !== key)
    throw new Error(`the fold answered row ${after.key} for row ${key}`);
  cell.row = after;
};

export const keysOf = (model: Model, event: RecordedEvent): readonly string[] =>
  guarded(model, event, () => model.projection.keysOf(event));

/** The events the model reads, at the newest version of their formats. */
export const relevant = (model: Model, events: readonly RecordedEvent[]): RecordedEvent[] =>
  events
    .filter(({ type }) => model.types.has(type))
    .map((event) => guarded(model, event, () => upcast(event)));

const guarded = <T>(model: Model, event: RecordedEvent, fold: () => T): T => {
  try {
    return fold();
  } catch (cause) {
    throw new EventFailure(model.name, event, { cause });
  }
};
