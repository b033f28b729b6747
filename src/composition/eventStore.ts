import type { EventStore } from '../events/eventStore.js';
import { PgEventStore } from '../infra/eventStore/pgEventStore.js';
import { EsdbEventStore } from '../infra/eventStoreDb/esdbEventStore.js';
import type { EsdbOwnership } from '../infra/eventStoreDb/esdbOwnership.js';
import { DomainError } from '../kernel/errors.js';
import type { Faults } from '../kernel/faults.js';
import type { Logger } from '../kernel/logger.js';
import { type LogPair, mismatchOf } from './logPair.js';

export interface EventStoreOptions extends Pick<LogPair, 'config' | 'database' | 'claims'> {
  readonly logger: Logger;
  readonly faults: Faults;
}

export interface Log {
  readonly store: EventStore;
  /** What tells whether the database belongs to it. */
  readonly logPair: LogPair;
}

/**
 * The log: at EVENTSTORE_URL, or in Postgres beside everything else. One that does not belong to the database is as
 * good as unavailable, also when that comes out only after the start.
 */
export const openLog = ({ logger, faults, ...options }: EventStoreOptions): Log => {
  const { eventStoreUrl: url } = options.config;
  if (url === undefined) {
    const store = new PgEventStore({ pool: options.database.pool, logger, faults });
    return { store, logPair: { ...options, log: store } };
  }
  const admit = async (log: EsdbOwnership): Promise<void> => {
    const mismatch = await mismatchOf({ ...options, log });
    if (mismatch) throw new DomainError('unavailable', `The log cannot be used: ${mismatch.detail}`);
  };
  const store = new EsdbEventStore({ url, logger, faults, admit });
  return { store, logPair: { ...options, log: store.ownership } };
};
