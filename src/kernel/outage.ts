/**
 * Whose fault a failure is. An outage (database, event store or broker away, a lock lost to somebody else) passes by
 * itself and says nothing about the message; whatever else is thrown may come back with each try.
 */
const NETWORK = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
]);
/** Connection, transaction rollback, insufficient resources, lock not available, operator intervention, system error. */
const SQL_CLASSES = new Set(['08', '40', '53', '55', '57', '58']);
/** In that class, but the statement's own doing. */
const STATEMENT_TIMEOUT = '57014';
const READ_ONLY = '25006';
/** A refusal of ours, and the words of the EventStoreDB client. */
const WORDS = new Set(['unavailable', 'too_busy', 'deadline-exceeded', 'cancelled']);
/** What the client of Postgres throws without a code. */
const CONNECTION_LOST = /connection (terminated|error|timeout)|timeout exceeded|read timeout|not queryable/i;
const DEPTH = 5;

const isSqlOutage = (code: string): boolean =>
  code === READ_ONLY ||
  (/^[0-9A-Z]{5}$/.test(code) && SQL_CLASSES.has(code.slice(0, 2)) && code !== STATEMENT_TIMEOUT);

const isOne = (error: Error): boolean => {
  const { code, type } = error as { code?: unknown; type?: unknown };
  if (typeof code === 'string') return NETWORK.has(code) || WORDS.has(code) || isSqlOutage(code);
  if (typeof type === 'string' && WORDS.has(type)) return true;
  return CONNECTION_LOST.test(error.message);
};

/** True when the failure, or what caused it, is an outage. */
export const isOutage = (error: unknown): boolean => {
  let cause = error;
  for (let depth = 0; depth < DEPTH && cause instanceof Error; depth++, cause = cause.cause) {
    if (isOne(cause)) return true;
    if (cause instanceof AggregateError && cause.errors.some((one) => one instanceof Error && isOne(one)))
      return true;
  }
  return false;
};

/** True when whoever asked may ask again: in an outage, or when the server had no time for the statement. */
export const mayPass = (error: unknown): boolean =>
  isOutage(error) || (error as { code?: unknown } | null)?.code === STATEMENT_TIMEOUT;
