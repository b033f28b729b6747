import type pg from 'pg';
import type { EventStore } from '../../src/events/eventStore.js';
import type { ProjectionEngine } from '../../src/projections/engine/engine.js';
import type { AnyProjection } from '../../src/projections/engine/fold.js';
import type { ColumnType } from '../../src/projections/engine/projection.js';
import { projections } from '../../src/projections/index.js';

/** Row count and hash of what readers see of each model: equal exactly when every byte is. */
export const digests = async (
  pool: pg.Pool,
  engine: Pick<ProjectionEngine, 'list'>,
): Promise<Record<string, string>> => {
  const found: Record<string, string> = {};
  for (const { name } of engine.list()) found[name] = await digest(pool, name);
  return found;
};

export const digest = async (pool: pg.Pool, relation: string): Promise<string> => {
  const { rows } = await pool.query<{ digest: string }>(
    `SELECT count(*) || ' ' || coalesce(md5(string_agg(t::text, E'\\n' ORDER BY key)), '') AS digest
       FROM ${relation} t`,
  );
  return rows[0]?.digest ?? '';
};

/** Runs the live projector beside `work`. */
export const withLive = async <T>(
  engine: Pick<ProjectionEngine, 'run'>,
  work: () => Promise<T>,
): Promise<T> => {
  const stop = new AbortController();
  const running = engine.run(stop.signal);
  try {
    return await work();
  } finally {
    stop.abort();
    await running;
  }
};

/** Waits until every projection stands at the head of the log. */
export const untilCaughtUp = async (
  engine: Pick<ProjectionEngine, 'status' | 'waitFor'>,
  timeoutMs = 30_000,
): Promise<void> => {
  for (const { name, head } of await engine.status()) {
    if (!(await engine.waitFor(name, BigInt(head), timeoutMs)))
      throw new Error(`${name} did not reach ${head}`);
  }
};

/** Polls until `check` answers something true. */
export const eventually = async <T>(
  check: () => Promise<T | false | undefined>,
  timeoutMs = 15_000,
): Promise<T> => {
  const end = Date.now() + timeoutMs;
  for (;;) {
    const found = await check();
    if (found !== false && found !== undefined) return found;
    if (Date.now() > end) throw new Error(`not within ${timeoutMs} ms: ${check.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
};

/** The head, once nobody has had anything to append for a second. */
export const atRest = async (store: Pick<EventStore, 'head'>): Promise<bigint> => {
  let head = -1n;
  await eventually(async () => {
    const before = head;
    head = await store.head();
    await new Promise((resolve) => setTimeout(resolve, 1100));
    return head === before;
  });
  return head;
};

export const named = (name: string): AnyProjection => {
  const found = projections.find(({ table }) => table.name === name);
  if (!found) throw new Error(`no projection ${name}`);
  return found;
};

/** The projection as a later release has it: a higher version and one more column, which says `value`. */
export const upgraded = (
  old: AnyProjection,
  value: unknown = 'new',
  type: ColumnType = 'text',
): AnyProjection => ({
  ...old,
  version: old.version + 1,
  table: { ...old.table, columns: { ...old.table.columns, note: type } },
  project: (row, event, key) => {
    const after = old.project(row, event, key);
    return after && { ...after, note: value };
  },
});

export const caught = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  );
