import type { ReadinessCheck } from '../api/dependencies.js';
import { migrationStatus } from '../infra/postgres/migrate.js';
import type { ModelHealth } from '../projections/engine/health.js';
import type { Runtime } from './runtime.js';

const MAX_LAG_SECONDS = 60;
const KEPT_MS = 1_000;

/** What anybody may know of a read model: never the words of the database, which quote data. */
const detailOf = ({ state, secondsBehind, stoppedAt }: ModelHealth): string =>
  stoppedAt
    ? `${state} at ${stoppedAt.type}, position ${stoppedAt.position}`
    : `${state}, ${Math.round(secondsBehind)} s behind`;

/**
 * A read model that one event or an operator has stopped fails in every process alike: to take them all out of
 * service would make an outage of it, and the others are served. It is told, but not required.
 */
const modelCheck = (health: ModelHealth, maxLagSeconds: number): ReadinessCheck => {
  const { name, state, secondsBehind } = health;
  const required = state === 'running' || state === 'absent';
  const ok = state === 'rebuilding' || (state === 'running' && secondsBehind <= maxLagSeconds);
  return { name: `projection ${name}`, ok, required, ...(!ok && { detail: detailOf(health) }) };
};

type Parts = Pick<Runtime, 'config' | 'database' | 'engine' | 'store'>;

/** Without its log a process refuses commands and still serves its read models: told, but not required. */
const logCheck = async ({ store }: Parts): Promise<ReadinessCheck> => {
  const ok = await store.head().then(
    () => true,
    () => false,
  );
  const detail = 'does not answer: commands are refused, reads go on';
  return { name: 'event store', ok, required: false, ...(!ok && { detail }) };
};

const modelChecks = async ({ engine }: Parts, maxLagSeconds: number): Promise<ReadinessCheck[]> =>
  (await engine.health()).map((one) => modelCheck(one, maxLagSeconds));

const look = async (parts: Parts, maxLagSeconds: number): Promise<ReadinessCheck[]> => {
  const { config, database } = parts;
  const answers: ReadinessCheck = { name: 'database', ok: true, required: true };
  try {
    const { pending } = await migrationStatus(database.pool);
    const migrations = { name: 'migrations', ok: pending.length === 0, required: true };
    if (!migrations.ok) return [answers, { ...migrations, detail: `${pending.length} pending` }];
    const log = config.eventStoreUrl === undefined ? [] : [await logCheck(parts)];
    // How far the read models are behind, only the log can tell.
    const models = log.every(({ ok }) => ok) ? await modelChecks(parts, maxLagSeconds) : [];
    return [answers, migrations, ...log, ...models];
  } catch {
    return [{ ...answers, ok: false, detail: 'does not answer' }];
  }
};

/** Looked up at most once a second, however many ask. */
export const readiness = (
  parts: Parts,
  { maxLagSeconds = MAX_LAG_SECONDS, keptMs = KEPT_MS } = {},
): (() => Promise<readonly ReadinessCheck[]>) => {
  let last: { readonly at: number; readonly checks: Promise<readonly ReadinessCheck[]> } | undefined;
  return () => {
    const now = performance.now();
    if (last === undefined || now - last.at >= keptMs) last = { at: now, checks: look(parts, maxLagSeconds) };
    return last.checks;
  };
};
