import type pg from 'pg';
import type { EventStore } from '../../events/eventStore.js';
import { eventSchemas } from '../../events/registry.js';
import type { Failure } from './errors.js';
import type { Model } from './fold.js';
import { lockedNames } from './lock.js';
import { type ProjectionStatus, stateOf } from './status.js';

/** How a read model stands, at a cost that does not grow with what it is behind: no event is counted. */
export interface ModelHealth {
  readonly name: string;
  readonly state: ProjectionStatus['state'];
  /** Since when the oldest event that it has not looked at has been waiting. */
  readonly secondsBehind: number;
  /** The event at which it stopped; null also when a rebuild stopped it at none. */
  readonly stoppedAt: { readonly type: string; readonly position: string } | null;
}

interface Found {
  name: string;
  paused: boolean;
  error: Failure | null;
  position: string;
  now: string;
}

const healthSql = `
  SELECT name, paused, error, position::text AS position,
         to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS now
    FROM projection_generations
   WHERE state = 'active' AND name = ANY ($1)`;

/** Whatever its type: readers may wait for any position. */
const everyType = Object.keys(eventSchemas);

const secondsBehind = async (store: EventStore, { position, now }: Found): Promise<number> => {
  const { oldest } = await store.lag(BigInt(position), everyType, 1);
  return oldest === undefined ? 0 : Math.max(0, (Date.parse(now) - Date.parse(oldest)) / 1000);
};

export const healthOf = async (
  store: EventStore,
  pool: pg.Pool,
  models: readonly Model[],
): Promise<ModelHealth[]> => {
  const names = models.map(({ name }) => name);
  const [{ rows }, locked] = await Promise.all([
    pool.query<Found>(healthSql, [names]),
    lockedNames(pool, names),
  ]);
  return Promise.all(
    names.map(async (name) => {
      const found = rows.find((row) => row.name === name);
      const { type, position } = found?.error ?? { type: null, position: null };
      return {
        name,
        state: stateOf({ active: found, rebuilding: locked.has(name) }),
        secondsBehind: found ? await secondsBehind(store, found) : 0,
        stoppedAt: type !== null && position !== null ? { type, position } : null,
      };
    }),
  );
};
