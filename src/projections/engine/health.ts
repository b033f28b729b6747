import type pg from 'pg';
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
  behind: number | null;
}

const healthSql = `
  SELECT g.name, g.paused, g.error,
         extract(epoch FROM clock_timestamp() - next.recorded_at)::float8 AS behind
    FROM projection_generations g
    LEFT JOIN LATERAL (SELECT recorded_at FROM events WHERE position > g.position ORDER BY position LIMIT 1) next ON true
   WHERE g.state = 'active' AND g.name = ANY ($1)`;

export const healthOf = async (pool: pg.Pool, models: readonly Model[]): Promise<ModelHealth[]> => {
  const names = models.map(({ name }) => name);
  const [{ rows }, locked] = await Promise.all([
    pool.query<Found>(healthSql, [names]),
    lockedNames(pool, names),
  ]);
  return names.map((name) => {
    const found = rows.find((row) => row.name === name);
    const { type, position } = found?.error ?? { type: null, position: null };
    return {
      name,
      state: stateOf({ active: found, rebuilding: locked.has(name) }),
      secondsBehind: Math.max(0, found?.behind ?? 0),
      stoppedAt: type !== null && position !== null ? { type, position } : null,
    };
  });
};
