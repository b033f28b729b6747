import { expect } from 'chai';
import type { EventMetadata, Fact, RecordedEvent } from '../../src/events/envelope.js';
import { assertValid } from '../../src/events/registry.js';
import type { AnyProjection } from '../../src/projections/engine/fold.js';
import type { Row, Table } from '../../src/projections/engine/projection.js';

/** An event of a stream as the log would hold it, valid by its schema; position and revision are given by `given`. */
export const recorded = (
  stream: string,
  type: string,
  data: object,
  metadata: Partial<EventMetadata> & Pick<EventMetadata, 'org_id' | 'occurred_at'>,
): RecordedEvent => {
  assertValid(type, data);
  const id = '00000000-0000-4000-8000-000000000000';
  const whole: EventMetadata = {
    actor: { type: 'system', id: 'test' },
    correlation_id: id,
    causation_id: id,
    command_id: id,
    schema_version: 1,
    ...metadata,
  };
  return {
    id,
    stream,
    revision: 0n,
    position: 1n,
    type,
    data,
    metadata: whole,
    recorded_at: whole.occurred_at,
  };
};

/** Numbered in the order given. */
export const numbered = (events: readonly RecordedEvent[]): RecordedEvent[] => {
  const revisions = new Map<string, bigint>();
  return events.map((event, index) => {
    const revision = (revisions.get(event.stream) ?? -1n) + 1n;
    revisions.set(event.stream, revision);
    return { ...event, revision, position: BigInt(index + 1) };
  });
};

const deepFreeze = <T>(value: T): T => {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(deepFreeze);
  }
  return value;
};

/** A row must be what the table would hand back: exactly its columns, plain JSON, instants in UTC with milliseconds. */
const checked = (table: Table, row: Row): Row => {
  expect(Object.keys(row)).to.have.members(Object.keys(table.columns));
  expect(JSON.parse(JSON.stringify(row))).to.deep.equal(row);
  for (const [column, type] of Object.entries(table.columns))
    if (type === 'timestamptz' && row[column] !== null)
      expect(new Date(row[column] as string).toISOString(), column).to.equal(row[column]);
  Object.values(row).forEach(deepFreeze);
  return row;
};

/** The least that a store hands over for a fold: see EventStore.readFacts. */
const factOf = ({ attributed = [] }: AnyProjection, event: RecordedEvent): Fact => {
  const { org_id, occurred_at, schema_version, actor } = event.metadata;
  const isAttributed = (attributed as readonly string[]).includes(event.type);
  return { ...event, metadata: { org_id, occurred_at, schema_version, ...(isAttributed && { actor }) } };
};

/** Folds events as the engine does. `check` looks at every row on the way, which takes most of the time. */
export const rowsOf = (
  projection: AnyProjection,
  events: readonly RecordedEvent[],
  { check = true }: { check?: boolean } = {},
): Map<string, Row> => {
  const types = new Set<string>(projection.events);
  const rows = new Map<string, Row>();
  for (const event of check ? events.map(deepFreeze) : events) {
    if (!types.has(event.type)) continue;
    const fact = factOf(projection, event);
    for (const key of projection.keysOf(fact)) {
      const before = rows.get(key);
      const after = projection.project(before, fact, key);
      if (after === null) {
        rows.delete(key);
        continue;
      }
      projection.derive?.(after);
      rows.set(key, check ? checked(projection.table, after) : after);
    }
  }
  return rows;
};

/** `given(projection, ...events).thenRow(key, fields)`, `.thenNoRow(key)`, `.thenRows(count)` */
export const given = (projection: AnyProjection, ...events: readonly RecordedEvent[]) => {
  const rows = rowsOf(projection, numbered(events));
  return {
    row: (key: string) => rows.get(key),
    /** The row has at least these fields. */
    thenRow: (key: string, fields: object) => {
      const row = rows.get(key);
      expect(row, `row ${key}`).not.to.equal(undefined);
      const seen = Object.fromEntries(Object.keys(fields).map((field) => [field, row?.[field]]));
      expect(seen).to.deep.equal(fields);
    },
    thenNoRow: (key: string) => expect(rows.get(key)).to.equal(undefined),
    thenRows: (count: number) => expect(rows.size).to.equal(count),
  };
};
