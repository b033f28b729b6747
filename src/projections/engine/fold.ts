import type { Fact } from '../../events/envelope.js';
import { upcast } from '../../events/registry.js';
import { type Codec, codecOf } from './codec.js';
import { EventFailure } from './errors.js';
import type { Draft, Projection, Row } from './projection.js';
import { definitionOf } from './table.js';

/** Any projection, whatever its rows: the method lets a narrower row type pass. */
export interface AnyProjection extends Omit<Projection, 'project' | 'derive'> {
  project(row: Draft<Row> | undefined, event: Fact, key: string): Row | null;
  derive?(row: Draft<Row>): void;
}

/** A projection with what is derived from it once. */
export interface Model {
  readonly name: string;
  readonly projection: AnyProjection;
  readonly codec: Codec;
  readonly definition: string;
  readonly types: ReadonlySet<string>;
  /** A folded row as it is stored: with what is derived, and exactly as it would come back from the table. */
  readonly finish: (row: Row) => Row;
}

export const modelOf = (projection: AnyProjection): Model => {
  const codec = codecOf(projection.table);
  return {
    name: projection.table.name,
    projection,
    codec,
    definition: definitionOf(projection.table),
    types: new Set(projection.events),
    finish: (row) => {
      projection.derive?.(row);
      return codec.normalize(row);
    },
  };
};

/** Where a fold finds a row and leaves what became of it; null while there is none. */
export interface Cell {
  row: Row | null;
}

export interface Rows {
  /** Undefined for a row that is not at hand: it must be loaded first. */
  at(key: string): Cell | undefined;
}

/**
 * The one place where a projection's fold is called: live, rebuild, as-of and tests all come here.
 * @returns false, and nothing is folded, when a row is not at hand
 * @throws EventFailure
 */
export const foldEvent = (model: Model, rows: Rows, event: Fact, keys?: readonly string[]): boolean => {
  try {
    const touched = keys ?? model.projection.keysOf(event);
    const cells = touched.map((key) => rows.at(key));
    if (cells.includes(undefined)) return false;
    for (const [i, key] of touched.entries()) foldInto(model, cells[i] as Cell, event, key);
    return true;
  } catch (cause) {
    throw new EventFailure(model.name, event, { cause });
  }
};

const foldInto = ({ projection }: Model, cell: Cell, event: Fact, key: string): void => {
  const after = projection.project(cell.row ?? undefined, event, key);
  if (after !== null && after.key !== key)
    throw new Error(`the fold answered row ${after.key} for row ${key}`);
  cell.row = after;
};

export const keysOf = (model: Model, event: Fact): readonly string[] =>
  guarded(model, event, () => model.projection.keysOf(event));

/** The events the model reads, at the newest version of their formats. */
export const relevant = (model: Model, events: readonly Fact[]): Fact[] =>
  events
    .filter(({ type }) => model.types.has(type))
    .map((event) => guarded(model, event, () => upcast(event)));

const guarded = <T>(model: Model, event: Fact, fold: () => T): T => {
  try {
    return fold();
  } catch (cause) {
    throw new EventFailure(model.name, event, { cause });
  }
};
