import type { Check } from '../cli/services.js';
import type { Config } from '../config.js';
import type { EventStore } from '../events/eventStore.js';
import { PgEventStore } from '../infra/eventStore/pgEventStore.js';
import { EsdbEventStore } from '../infra/eventStoreDb/esdbEventStore.js';
import { isDomainError } from '../kernel/errors.js';
import type { Faults } from '../kernel/faults.js';
import type { Logger } from '../kernel/logger.js';
import type { Database } from './database.js';

export interface EventStoreOptions {
  readonly config: Config;
  readonly logger: Logger;
  readonly faults: Faults;
  readonly database: Database;
}

/** The log: at EVENTSTORE_URL, or in Postgres beside everything else. */
export const openEventStore = ({ config, logger, faults, database }: EventStoreOptions): EventStore =>
  config.eventStoreUrl === undefined
    ? new PgEventStore({ pool: database.pool, logger, faults })
    : new EsdbEventStore({ url: config.eventStoreUrl, logger, faults });

export interface LogParts {
  readonly config: Config;
  readonly database: Database;
  readonly store: EventStore;
}

const answers = async (store: EventStore): Promise<Check> => {
  const base = { name: 'event store', severity: 'error' } as const;
  try {
    await store.head();
    return { ...base, ok: true, detail: 'answers' };
  } catch (error) {
    const cause = isDomainError(error) ? error.cause : error;
    const detail = cause instanceof Error ? cause.message : String(cause);
    return { ...base, ok: false, detail, fix: 'See that the server runs, and that EVENTSTORE_URL is right.' };
  }
};

/** How far anything in this database has read a log. */
const READ_UP_TO = `
  SELECT greatest((SELECT max(position) FROM projection_generations),
                  (SELECT max(position) FROM bus_checkpoints))::text AS position`;

/**
 * Checkpoints are positions of one log: with another log they would skip events, or wait for ever.
 * It can be told by a log of Postgres's own that is not empty, and by positions that lie beyond the end.
 */
const isOneLog = async ({ config, database, store }: LogParts): Promise<Check> => {
  const base = { name: 'one log', severity: 'error' } as const;
  const fix =
    'Set EVENTSTORE_URL and DATABASE_URL to a pair that belongs together, or take an empty database.';
  const [own, read] = await Promise.all([
    database.pool.query<{ position: string }>('SELECT position FROM event_log_head'),
    database.pool.query<{ position: string | null }>(READ_UP_TO),
  ]);
  // After the readers' positions: others write and read on meanwhile.
  const head = await store.head();
  if (config.eventStoreUrl !== undefined && BigInt(own.rows[0]?.position ?? 0) > 0n)
    return { ...base, ok: false, detail: 'the database holds a log of its own beside EVENTSTORE_URL', fix };
  const position = BigInt(read.rows[0]?.position ?? 0);
  if (position > head)
    return { ...base, ok: false, detail: `read models stand at ${position}, the log ends at ${head}`, fix };
  return { ...base, ok: true, detail: 'the read models come from this log' };
};

/** What there is to check about a log; one that does not answer is one failed check. */
export const eventStoreChecks = async (parts: LogParts): Promise<readonly Check[]> => {
  const answer = await answers(parts.store);
  if (!answer.ok) return [answer];
  const checks = [await isOneLog(parts)];
  return parts.config.eventStoreUrl === undefined ? checks : [answer, ...checks];
};
