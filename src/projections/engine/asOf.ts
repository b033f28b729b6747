import type { Position } from '../../events/envelope.js';
import type { EventStore } from '../../events/eventStore.js';
import type { Instant } from '../../kernel/clock.js';
import { ProjectionError } from './errors.js';
import { type Cell, foldEvent, type Model, relevant } from './fold.js';
import type { Row } from './projection.js';

/** Up to and including what was recorded at an instant, or at a place in the log. */
export type Moment = { readonly instant: Instant } | { readonly position: Position };

/**
 * A row as it was known at a moment: the live fold over the row's own stream, up to what had been recorded.
 * Undefined when there was no such row then.
 * @throws ProjectionError `as_of_unsupported` when the row is folded from more than one stream
 */
export const asOf = async (
  store: EventStore,
  model: Model,
  key: string,
  moment: Moment,
): Promise<Row | undefined> => {
  const { streamOf } = model.projection;
  if (streamOf === undefined)
    throw new ProjectionError('as_of_unsupported', `rows of ${model.name} are folded from many streams`);
  const known = knownBy(moment);
  const cell: Cell = { row: null };
  const rows = { at: () => cell };
  for await (const page of store.readStream(streamOf(key))) {
    const events = page.filter(known);
    for (const event of relevant(model, events)) {
      if (model.projection.keysOf(event).includes(key)) foldEvent(model, rows, event, [key]);
    }
    if (events.length < page.length) break;
  }
  return cell.row === null ? undefined : inStoredOrder(model.finish(cell.row));
};

/** jsonb keeps the fields of an object by length, then by byte, whoever wrote them: the row reads like the live one. */
const inStoredOrder = <T>(value: T, depth = 0): T => {
  if (Array.isArray(value)) return value.map((item: unknown) => inStoredOrder(item, depth + 1)) as T;
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.entries(value).map(
    ([name, field]) => [name, inStoredOrder(field, depth + 1)] as const,
  );
  if (depth > 0)
    fields.sort(
      ([a], [b]) =>
        Buffer.byteLength(a) - Buffer.byteLength(b) || Buffer.compare(Buffer.from(a), Buffer.from(b)),
    );
  return Object.fromEntries(fields) as T;
};

const knownBy = (moment: Moment): ((event: { position: Position; recorded_at: Instant }) => boolean) => {
  if ('position' in moment) return ({ position }) => position <= moment.position;
  const limit = Date.parse(moment.instant);
  return ({ recorded_at }) => Date.parse(recorded_at) <= limit;
};
