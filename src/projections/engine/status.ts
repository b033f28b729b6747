import type pg from 'pg';
import type { EventStore } from '../../events/eventStore.js';
import type { Instant } from '../../kernel/clock.js';
import { type Failure, inWords } from './errors.js';
import type { Model } from './fold.js';
import { type Standing, standingOf } from './generations.js';
import { lockedNames } from './lock.js';

/** A count of lag ends here: "100000" then means "at least". */
const LAG_CAP = 100_000;
/** Three missed heartbeats. */
const DEAD_AFTER_SECONDS = 15;

export interface ProjectionStatus {
  readonly name: string;
  readonly state: 'running' | 'paused' | 'failed' | 'rebuilding' | 'absent';
  readonly generation: number | null;
  /** The version of the fold that made the rows served, and the one this code has. */
  readonly fold_version: number | null;
  readonly code_version: number;
  readonly position: string;
  readonly head: string;
  readonly lag: { readonly events: number; readonly seconds: number };
  /** Since a worker last had it in hand; null for never. */
  readonly heartbeat_age_seconds: number | null;
  readonly last_event_at: Instant | null;
  readonly error: Failure | null;
  readonly rebuild: {
    readonly phase: string;
    readonly position: string;
    readonly fold_version: number;
  } | null;
  /** Whether `rollback` has a table to go back to, one that this code can fold on. */
  readonly can_roll_back: boolean;
  /** What keeps it from going on, in words; null when nothing does. */
  readonly blocker: string | null;
}

interface Found {
  name: string;
  generation: number;
  state: 'active' | 'building' | 'previous';
  fold_version: number;
  definition: string;
  position: string;
  paused: boolean;
  error: Failure | null;
  phase: string | null;
  age: number | null;
  heartbeat: string | null;
  recorded: string | null;
  now: string;
}

const ISO = `'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'`;

export const statusOf = async (
  store: EventStore,
  pool: pg.Pool,
  models: readonly Model[],
): Promise<ProjectionStatus[]> => {
  const names = models.map(({ name }) => name);
  const [{ rows }, locked, head] = await Promise.all([
    pool.query<Found>(
      `SELECT name, generation, state, fold_version, definition, position::text AS position, paused, error, phase,
              extract(epoch FROM clock_timestamp() - heartbeat_at)::float8 AS age,
              to_char(heartbeat_at AT TIME ZONE 'UTC', ${ISO}) AS heartbeat,
              to_char(recorded_at AT TIME ZONE 'UTC', ${ISO}) AS recorded,
              to_char(clock_timestamp() AT TIME ZONE 'UTC', ${ISO}) AS now
         FROM projection_generations WHERE name = ANY ($1)`,
      [names],
    ),
    lockedNames(pool, names),
    store.head(),
  ]);
  return Promise.all(
    models.map(async (model) => {
      const mine = rows.filter(({ name }) => name === model.name);
      const active = mine.find(({ state }) => state === 'active');
      const lag = await store.lag(BigInt(active?.position ?? 0), model.projection.events, LAG_CAP);
      return describe({ model, mine, active, lag, head, rebuilding: locked.has(model.name) });
    }),
  );
};

interface Facts {
  readonly model: Model;
  readonly mine: readonly Found[];
  readonly active: Found | undefined;
  readonly lag: { readonly events: number; readonly oldest?: string };
  readonly head: bigint;
  readonly rebuilding: boolean;
}

const describe = (facts: Facts): ProjectionStatus => {
  const { model, mine, active, lag, head, rebuilding } = facts;
  const building = rebuilding ? mine.find(({ state }) => state === 'building') : undefined;
  const behindMs = active && lag.oldest !== undefined ? Date.parse(active.now) - Date.parse(lag.oldest) : 0;
  return {
    name: model.name,
    state: stateOf(facts),
    generation: active?.generation ?? null,
    fold_version: active?.fold_version ?? null,
    code_version: model.projection.version,
    position: active?.position ?? '0',
    head: String(head),
    lag: { events: lag.events, seconds: Math.max(0, behindMs / 1000) },
    heartbeat_age_seconds: active?.age ?? null,
    last_event_at: active?.recorded ?? null,
    error: active?.error ?? null,
    rebuild: building
      ? {
          phase: building.phase ?? 'reading',
          position: building.position,
          fold_version: building.fold_version,
        }
      : null,
    can_roll_back: mine.some((one) => one.state === 'previous' && standing(model, one) === 'current'),
    blocker: blockerOf(facts),
  };
};

interface Condition {
  readonly active: Pick<Found, 'paused' | 'error'> | undefined;
  readonly rebuilding: boolean;
}

export const stateOf = ({ active, rebuilding }: Condition): ProjectionStatus['state'] => {
  if (rebuilding) return 'rebuilding';
  if (active === undefined) return 'absent';
  if (active.paused) return 'paused';
  return active.error ? 'failed' : 'running';
};

const standing = (model: Model, { fold_version: foldVersion, definition }: Found): Standing =>
  standingOf(model, { foldVersion, definition });

const prospects = {
  older: 'a worker with this code rebuilds it',
  changed: 'its table differs; the next worker that starts rebuilds it',
  newer: 'left to the workers of the newer release',
} as const;

const blockerOf = ({ model, mine, active, rebuilding }: Facts): string | null => {
  if (active === undefined)
    return 'its table was never made: no worker has been started since the last migration';
  if (rebuilding && mine.some(({ phase }) => phase === 'waiting for lock'))
    return 'the rebuild waits for a lock: some transaction keeps reading the old table';
  const failed = active.error && inWords(active.error);
  if (active.paused)
    return `paused by an operator${failed ? ` after it ${failed}` : ''}; \`projections resume\` lets it go on`;
  if (failed) return failed;
  const stands = standing(model, active);
  if (stands !== 'current') {
    const versions = `served from version ${active.fold_version}, the code has version ${model.projection.version}`;
    return `${versions}: ${rebuilding ? 'being rebuilt' : prospects[stands]}`;
  }
  if (rebuilding) return null;
  if (active.age === null) return 'no live worker: none has been started yet';
  if (active.age > DEAD_AFTER_SECONDS) return `no live worker since ${active.heartbeat}`;
  return null;
};
