import type { Config } from '../config.js';
import type { EventStore } from '../events/eventStore.js';
import { PgEventStore } from '../infra/eventStore/pgEventStore.js';
import { EsdbEventStore } from '../infra/eventStoreDb/esdbEventStore.js';
import { createLogger } from '../infra/logging/logger.js';
import { createPool } from '../infra/postgres/pool.js';

const CONNECTIONS = 4;

/** A log by its address alone, without the system around it. */
export const openLogAt = (url: string, config: Config): EventStore => {
  const logger = createLogger({ ...config, logLevel: 'warn' }, process.stderr);
  if (!/^postgres(ql)?:/.test(url)) return new EsdbEventStore({ url, logger });
  const pool = createPool({ url, max: CONNECTIONS, applicationName: 'stealth-recovery copy', logger });
  const store = new PgEventStore({ pool, logger });
  const close = store.close.bind(store);
  return Object.assign(store, { close: () => close().finally(() => pool.end()) });
};
