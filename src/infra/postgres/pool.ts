import pg from 'pg';
import type { Logger } from '../../kernel/logger.js';

export interface PoolOptions {
  readonly url: string;
  readonly max?: number;
  readonly applicationName?: string;
  readonly logger: Logger;
  /** Ends a statement that runs longer; 0: never. */
  readonly statementTimeoutMs?: number;
}

type Parse = (text: string) => unknown;
const builtin = (oid: number): Parse => pg.types.getTypeParser(oid) as Parse;

const { DATE, TIMESTAMPTZ } = pg.types.builtins;
const DATE_ARRAY = 1182;
const TIMESTAMPTZ_ARRAY = 1185;
const TEXT_ARRAY = 1009;
const UTC = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?\+00$/;

/** timestamptz as the code writes instants: RFC 3339, UTC, milliseconds (further digits are cut off). */
const instant = (text: string): string => {
  const parts = UTC.exec(text); // how a session in UTC writes it
  if (parts !== null) return `${parts[1]}T${parts[2]}.${(parts[3] ?? '').padEnd(3, '0').slice(0, 3)}Z`;
  const date = builtin(TIMESTAMPTZ)(text);
  return date instanceof Date ? date.toISOString() : text; // 'infinity' stays as it is
};

const texts = (text: string): (string | null)[] => builtin(TEXT_ARRAY)(text) as (string | null)[];

const parsers = new Map<number, Parse>([
  [DATE, (text) => text],
  [TIMESTAMPTZ, instant],
  [DATE_ARRAY, texts],
  [TIMESTAMPTZ_ARRAY, (text) => texts(text).map((one) => (one === null ? null : instant(one)))],
]);

/**
 * How column values reach the code: timestamptz as an ISO 8601 text in UTC with milliseconds, date as
 * 'YYYY-MM-DD', int8 and numeric as text, json parsed.
 */
export const types: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
    format === 'binary'
      ? pg.types.getTypeParser(oid, 'binary')
      : (parsers.get(oid) ?? builtin(oid))) as pg.CustomTypesConfig['getTypeParser'],
};

const STATEMENT_TIMEOUT_MS = 60_000;
/** The server has ended a statement by then and said so; otherwise nobody is there any more. */
const ANSWER_MS = 5_000;

/** The pool of the process. A connection that breaks or falls silent is replaced; it never ends the process. */
export const createPool = ({ url, max = 20, applicationName, logger, ...rest }: PoolOptions): pg.Pool => {
  const { statementTimeoutMs = STATEMENT_TIMEOUT_MS } = rest;
  const log = logger.child({ component: 'postgres' });
  const pool = new pg.Pool({
    connectionString: url,
    max,
    application_name: applicationName ?? 'stealth-recovery',
    types,
    keepAlive: true,
    connectionTimeoutMillis: 10_000,
    // Shorter than a stand-by takes to find its own connection silent: elected then, it meets none of that age.
    idleTimeoutMillis: 5_000,
    statement_timeout: statementTimeoutMs,
    query_timeout: statementTimeoutMs && statementTimeoutMs + ANSWER_MS,
    idle_in_transaction_session_timeout: 60_000, // a forgotten transaction would hold back vacuum for ever
    options: '-c TimeZone=UTC -c DateStyle=ISO',
  });
  pool.on('error', (err) => log.warn({ err }, 'idle database connection lost'));
  // The pool listens to idle clients only. One that breaks while it is checked out, between two statements,
  // would end the process; its next statement fails anyway, which is where the caller learns of it.
  pool.on('connect', (client) => client.on('error', (err) => log.debug({ err }, 'database connection lost')));
  return pool;
};
