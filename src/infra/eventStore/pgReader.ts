import type pg from 'pg';
import type {
  AttributedMetadata,
  EventMetadata,
  Fact,
  FactMetadata,
  Position,
  RecordedEvent,
  StreamId,
} from '../../events/envelope.js';
import { lineFrom } from '../../events/eventLine.js';
import type { EventFilter } from '../../events/eventStore.js';
import type { Actor } from '../../kernel/principal.js';
import type { Page, PageRequest } from './pages.js';

/*
 * Statements that read the log. Positions have no gaps and everything up to the head is visible, so a page may also
 * be bounded by a window of positions: with a filter that hardly anything passes, no statement runs long.
 *
 * Rows come as raw text columns; only data and metadata are parsed, once. Time zone and parsers of the pool play no
 * part.
 */

/** Log positions looked at per page when types are filtered and the page is smaller. */
const SCAN_WINDOW = 10_000n;

const FACT_COLUMNS =
  "position, stream_id, revision, event_id, type, (recorded_at AT TIME ZONE 'UTC')::text, data";
const EVENT_COLUMNS = `${FACT_COLUMNS}, metadata`;
type FactTexts = [string, string, string, string, string, string, string];
export type EventRow = [...FactTexts, metadata: string];

/** And, of some types, the actor: half the bytes of a whole event, and one document to parse instead of two. */
const FACT_METADATA = 'org_id, occurred_at, schema_version';
export type FactRow = [
  ...FactTexts,
  org_id: string,
  occurred_at: string,
  schema_version: string,
  actor: string | null,
];

const rawText = { getTypeParser: () => (text: string) => text } as unknown as pg.CustomTypesConfig;

const select = async <R extends unknown[]>(
  pool: pg.Pool,
  name: string,
  text: string,
  values: unknown[],
): Promise<R[]> => {
  const { rows } = await pool.query<R>({ name, text, values, rowMode: 'array', types: rawText });
  return rows;
};

/** '2026-11-23 18:54:23.12' as Postgres writes it, without trailing zeros. */
const instantOf = (text: string): string =>
  `${text.slice(0, 10)}T${text.slice(11, 19)}.${text.slice(20).padEnd(3, '0')}Z`;

/** Makes something of each row and the instant it was recorded at, which the events of one commit share. */
const mapRows = <R extends [...FactTexts, ...unknown[]], T>(
  rows: readonly R[],
  make: (row: R, recordedAt: string) => T,
): T[] => {
  let text = '';
  let recordedAt = '';
  return rows.map((row) => {
    if (row[5] !== text) {
      text = row[5];
      recordedAt = instantOf(text);
    }
    return make(row, recordedAt);
  });
};

/** By index: taking a tuple apart goes through its iterator. */
const eventFrom = <M>(row: readonly [...FactTexts, ...unknown[]], recorded_at: string, metadata: M) => ({
  id: row[3],
  stream: row[1],
  revision: BigInt(row[2]),
  position: BigInt(row[0]),
  type: row[4],
  data: JSON.parse(row[6]) as unknown,
  metadata,
  recorded_at,
});

export const eventsOf = (rows: readonly EventRow[]): RecordedEvent[] =>
  mapRows(rows, (row, recordedAt) => eventFrom(row, recordedAt, JSON.parse(row[7]) as EventMetadata));

const factMetadataOf = (row: FactRow): FactMetadata | AttributedMetadata => {
  const metadata = { org_id: row[7], occurred_at: row[8], schema_version: Number(row[9]) };
  return row[10] === null ? metadata : { ...metadata, actor: JSON.parse(row[10]) as Actor };
};

export const factsOf = (rows: readonly FactRow[]): Fact[] =>
  mapRows(rows, (row, recordedAt) => eventFrom(row, recordedAt, factMetadataOf(row)));

/** Data and metadata pass through as the text they are stored as. */
export const linesOf = (rows: readonly EventRow[]): string[] =>
  mapRows(rows, ([position, stream, revision, id, type, , data, metadata], recorded_at) =>
    lineFrom({ position, stream, revision, id, type, recorded_at, data, metadata }),
  );

const min = (a: bigint, b: bigint): bigint => (a < b ? a : b);

/** Rare streams and organizations are found by their index; everything else by walking a window of positions. */
const windowOf = ({ after, upTo, filter, limit }: PageRequest): Position => {
  if (filter.stream !== undefined || filter.orgId !== undefined) return upTo;
  const width = BigInt(limit);
  return min(upTo, after + (filter.types && width < SCAN_WINDOW ? SCAN_WINDOW : width));
};

/**
 * Prepared statements are planned without knowing the values, so that a tiny tenant looks as big as any other. The
 * conditions are therefore worded such that only the index meant can serve them (a test looks at the plans).
 */
const rangeOf = ({ stream, orgId }: EventFilter) => {
  if (stream !== undefined)
    return {
      name: '_of_stream',
      keys: [stream],
      // Within a stream revisions are in log order.
      bounds:
        '(stream_id, revision) >= ($4, 0) AND stream_id <= $4 AND position + 0 > $1 AND position + 0 <= $2',
      order: 'stream_id, revision',
    };
  if (orgId !== undefined)
    return {
      name: '_of_org',
      keys: [orgId],
      bounds: '(org_id, position) > ($4, $1) AND (org_id, position) <= ($4, $2)',
      order: 'org_id, position',
    };
  return { name: '', keys: [], bounds: 'position > $1 AND position <= $2', order: 'position' };
};

/** @param attributed types to read the actor of; undefined to read whole events */
const statementOf = (
  { after, filter, limit }: PageRequest,
  upTo: Position,
  attributed?: readonly string[],
) => {
  const { name, keys, bounds, order } = rangeOf(filter);
  const values: unknown[] = [String(after), String(upTo), limit, ...keys];
  const org = filter.stream !== undefined && filter.orgId !== undefined;
  const byOrg = org ? ` AND org_id = $${values.push(filter.orgId)}` : '';
  const byType = filter.types ? ` AND type = ANY ($${values.push(filter.types)})` : '';
  const columns = attributed
    ? `${FACT_COLUMNS}, ${FACT_METADATA}, CASE WHEN type = ANY ($${values.push(attributed)}) THEN metadata -> 'actor' END`
    : EVENT_COLUMNS;
  return {
    name: `${attributed ? 'facts' : 'events'}${name}${org ? '_and_org' : ''}${filter.types ? '_and_types' : ''}`,
    text: `SELECT ${columns} FROM events WHERE ${bounds}${byOrg}${byType} ORDER BY ${order} LIMIT $3`,
    values,
  };
};

/** A page as it came, for who reads ahead: it is smaller than its events, and they live shorter. */
export const readRows = (pool: pg.Pool, request: PageRequest): Promise<Page<EventRow>> =>
  readPage<EventRow>(pool, request);

/** @param attributed types to read the actor of */
export const readFactRows = (
  pool: pg.Pool,
  request: PageRequest,
  attributed: readonly string[],
): Promise<Page<FactRow>> => readPage<FactRow>(pool, request, attributed);

const readPage = async <R extends [string, ...unknown[]]>(
  pool: pg.Pool,
  request: PageRequest,
  attributed?: readonly string[],
): Promise<Page<R>> => {
  const upTo = windowOf(request);
  const { name, text, values } = statementOf(request, upTo, attributed);
  const rows = await select<R>(pool, name, text, values);
  const last = rows.length === request.limit ? rows.at(-1)?.[0] : undefined;
  return { items: rows, position: last === undefined ? upTo : BigInt(last) };
};

export const readEvents = async (pool: pg.Pool, request: PageRequest): Promise<Page<RecordedEvent>> => {
  const { items, position } = await readRows(pool, request);
  return { items: eventsOf(items), position };
};

/** Everything after a position, as it stands when the statement starts, with the length of its JSON. */
export const readNewest = async (pool: pg.Pool, after: Position, limit: number) => {
  const text = `SELECT ${EVENT_COLUMNS} FROM events WHERE position > $1 ORDER BY position LIMIT $2`;
  const rows = await select<EventRow>(pool, 'events_newest', text, [String(after), limit]);
  return { events: eventsOf(rows), sizes: rows.map((row) => row[6].length + row[7].length) };
};

export const readStreamPage = async (
  pool: pg.Pool,
  stream: StreamId,
  after: bigint,
  limit: number,
): Promise<RecordedEvent[]> => {
  const text = `SELECT ${EVENT_COLUMNS} FROM events WHERE stream_id = $1 AND revision > $2 ORDER BY revision LIMIT $3`;
  return eventsOf(await select<EventRow>(pool, 'events_stream', text, [stream, String(after), limit]));
};

export const readHead = async (pool: pg.Pool): Promise<Position> => {
  const rows = await select<[string]>(pool, 'events_head', 'SELECT position FROM event_log_head', []);
  return BigInt(rows[0]?.[0] ?? 0);
};

export const readLag = async (
  pool: pg.Pool,
  after: Position,
  types: readonly string[],
  cap: number,
): Promise<{ events: number; oldest?: string }> => {
  const text = `
    SELECT count(*), (min(recorded_at) AT TIME ZONE 'UTC')::text
      FROM (SELECT recorded_at FROM events WHERE position > $1 AND type = ANY ($2) ORDER BY position LIMIT $3) behind`;
  const rows = await select<[string, string | null]>(pool, 'events_lag', text, [String(after), types, cap]);
  const [count, oldest] = rows[0] ?? ['0', null];
  return { events: Number(count), ...(oldest !== null && { oldest: instantOf(oldest) }) };
};
