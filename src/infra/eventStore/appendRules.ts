import type { NewEvent, RecordedEvent, StreamId } from '../../events/envelope.js';
import type { EventFilter, ReadAllOptions } from '../../events/eventStore.js';
import { isUuid } from '../../kernel/ids.js';

const DEFAULT_PAGE_SIZE = 1000;
const MAX_PAGE_SIZE = 50_000;
const MAX_SCHEMA_VERSION = 32_767;

/**
 * What every adapter refuses before it touches the log: such an append is a defect of the caller, not a conflict.
 * @throws RangeError
 */
export const assertAppendable = (stream: StreamId, events: readonly NewEvent[]): void => {
  if (stream === '' || stream.includes('\0')) throw new RangeError('a stream needs a name');
  if (events.length === 0) throw new RangeError(`an append to ${stream} holds no event`);
  for (const event of events) {
    if (event.type === '' || event.type.includes('\0')) throw new RangeError('an event needs a type');
    if (!isUuid(event.id)) throw new RangeError(`event id ${event.id} is not a lower-case UUID`);
    assertMetadata(event);
  }
};

/** What a log is read by. */
const assertMetadata = ({ id, metadata }: NewEvent): void => {
  const { org_id, occurred_at, schema_version } = metadata;
  if (!isUuid(org_id)) throw new RangeError(`org_id of event ${id} is not a UUID`);
  if (typeof occurred_at !== 'string') throw new RangeError(`event ${id} does not say when it happened`);
  if (!Number.isInteger(schema_version) || schema_version < 1 || schema_version > MAX_SCHEMA_VERSION)
    throw new RangeError(`schema_version of event ${id} is none`);
};

/** @throws RangeError */
export const pageSizeOf = ({ pageSize = DEFAULT_PAGE_SIZE }: Pick<ReadAllOptions, 'pageSize'>): number => {
  if (!Number.isInteger(pageSize) || pageSize < 1 || pageSize > MAX_PAGE_SIZE)
    throw new RangeError(`pageSize must be an integer from 1 to ${MAX_PAGE_SIZE}`);
  return pageSize;
};

/** The filter as a predicate, undefined when everything passes. */
export const predicateOf = (filter: EventFilter = {}): ((event: RecordedEvent) => boolean) | undefined => {
  const { orgId, stream } = filter;
  const types = filter.types && new Set(filter.types);
  if (types === undefined && orgId === undefined && stream === undefined) return undefined;
  return (event) =>
    (types === undefined || types.has(event.type)) &&
    (orgId === undefined || event.metadata.org_id === orgId) &&
    (stream === undefined || event.stream === stream);
};
