import type streams from '@eventstore/db-client/generated/streams_pb.js';
import type { EventMetadata, Position, RecordedEvent, StreamId } from '../../events/envelope.js';
import type { EventFilter } from '../../events/eventStore.js';
import type { Instant } from '../../kernel/clock.js';

/*
 * A position is the commit position in $all. Every event that is appended as we append (not in an explicit
 * transaction, which this protocol cannot even write) is its own commit record: commit and prepare position are the
 * same number, different for each event and rising along the log. So one bigint names a place exactly.
 */

/** An event as the server sent it. Data and metadata stay text: parsing them would cost numbers beyond 2^53 their digits. */
export interface StoredEvent {
  readonly id: string;
  readonly stream: StreamId;
  readonly revision: bigint;
  readonly position: Position;
  readonly type: string;
  readonly recordedAt: Instant;
  readonly isJson: boolean;
  readonly data: string;
  readonly metadata: string;
}

/** What servers before 22.6 put in the place of a position that they do not tell. */
const NO_POSITION = 2n ** 64n - 1n;
const TICKS_PER_MS = 10_000n;

const text = (value: Uint8Array): string => Buffer.from(value).toString('utf8');

const instantOf = (ticks: string | undefined): Instant =>
  new Date(Number(BigInt(ticks ?? 0) / TICKS_PER_MS)).toISOString();

/** Undefined for an answer that holds no event: a confirmation, a checkpoint, caughtUp. */
export const storedEvent = (response: streams.ReadResp): StoredEvent | undefined => {
  const event = response.getEvent()?.getEvent();
  if (event === undefined) return undefined;
  const position = BigInt(event.getCommitPosition());
  if (position === NO_POSITION)
    throw new RangeError('the server does not tell positions: EventStoreDB 22.6 or later is needed');
  const headers = event.getMetadataMap();
  return {
    id: event.getId()?.getString() ?? '',
    stream: text(event.getStreamIdentifier()?.getStreamName_asU8() ?? new Uint8Array()),
    revision: BigInt(event.getStreamRevision()),
    position,
    type: headers.get('type') ?? '',
    recordedAt: instantOf(headers.get('created')),
    isJson: headers.get('content-type') === 'application/json',
    data: text(event.getData_asU8()),
    metadata: text(event.getCustomMetadata_asU8()),
  };
};

/** System events, links ($>) and stream metadata ($metadata) are the server's own business. */
const isOrdinary = ({ type, stream, isJson }: StoredEvent): boolean =>
  isJson && !type.startsWith('$') && !stream.startsWith('$');

/** Undefined for what is not JSON: then it is not ours. */
const parse = (json: string): unknown => {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
};

const metadataOf = ({ metadata }: StoredEvent): EventMetadata | undefined => {
  const parsed = parse(metadata) as EventMetadata | null | undefined;
  return typeof parsed?.org_id === 'string' ? parsed : undefined;
};

/** The event when it is one of ours (others may share the server) and passes the filter. */
export const recordedEvent = (stored: StoredEvent, filter: EventFilter = {}): RecordedEvent | undefined => {
  if (!isOrdinary(stored)) return undefined;
  if (filter.types && !filter.types.includes(stored.type)) return undefined;
  if (filter.stream !== undefined && filter.stream !== stored.stream) return undefined;
  const metadata = metadataOf(stored);
  if (metadata === undefined || (filter.orgId !== undefined && metadata.org_id !== filter.orgId))
    return undefined;
  const data = parse(stored.data);
  if (data === undefined) return undefined;
  const { id, stream, revision, position, type, recordedAt } = stored;
  return { id, stream, revision, position, type, data, metadata, recorded_at: recordedAt };
};

/** Line feeds in JSON text are space between its parts. */
const oneLine = (json: string): string => json.replace(/[\r\n]+/g, ' ');

/** The event as a line of the audit export, with the text of data and metadata as it was written. */
export const lineOfStored = (stored: StoredEvent): string =>
  `{"position":"${stored.position}","stream":${JSON.stringify(stored.stream)},"revision":${stored.revision}` +
  `,"id":"${stored.id}","type":${JSON.stringify(stored.type)},"recorded_at":"${stored.recordedAt}"` +
  `,"data":${oneLine(stored.data)},"metadata":${oneLine(stored.metadata)}}`;
