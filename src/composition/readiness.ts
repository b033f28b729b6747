import type { ReadinessCheck } from '../api/dependencies.js';
import type { ServeRole } from '../cli/services.js';
import { migrationStatus } from '../infra/postgres/migrate.js';
import { isDomainError } from '../kernel/errors.js';
import { within } from '../kernel/timeBudget.js';
import type { ModelHealth } from '../projections/engine/health.js';
import { kafkaChecks } from './kafkaChecks.js';
import { busLag } from './lag.js';
import type { RoleState, RoleStates } from './roleStates.js';
import type { Runtime } from './runtime.js';

const MAX_LAG_SECONDS = 60;
const KEPT_MS = 1_000;
/** Who asks waits a few seconds at most, and a connection may have fallen silent. */
const ANSWER_MS = 4_000;

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

type Parts = Pick<Runtime, 'config' | 'database' | 'engine' | 'store' | 'states'>;

/** Without its bus or its log the API still serves read models; a process without the API can do nothing at all. */
const isVital = (states: RoleStates): boolean => !states.has('api');

const logCheck = ({ states }: Parts, ok: boolean): ReadinessCheck => {
  const detail = 'does not answer: commands are refused, reads go on';
  return { name: 'event store', ok, required: isVital(states), ...(!ok && { detail }) };
};

const busCheck = async ({ config, states }: Parts): Promise<ReadinessCheck[]> => {
  const uses = states.has('relay') || states.has('saga');
  if (config.kafkaBrokers === undefined || !uses) return [];
  const ok = (await kafkaChecks(config)).every((check) => check.ok || check.severity === 'warning');
  const detail = 'brokers or topic cannot be used: see recovery doctor';
  return [{ name: 'Kafka', ok, required: isVital(states), ...(!ok && { detail }) }];
};

/** Who serves read models, and who keeps them, is asked about them. */
const modelChecks = async ({ engine, states }: Parts, maxLagSeconds: number): Promise<ReadinessCheck[]> =>
  states.has('api') || states.has('projector')
    ? (await engine.health()).map((one) => modelCheck(one, maxLagSeconds))
    : [];

const roleCheck = async (parts: Parts, role: ServeRole, state: RoleState): Promise<ReadinessCheck> => {
  const ok = state !== 'starting' && state !== 'stopping';
  const lag = await busLag(parts, role);
  const detail = lag === undefined ? state : `${state}, ${lag} behind`;
  return { name: `role ${role}`, ok, required: isVital(parts.states), detail };
};

const roleChecks = (parts: Parts): Promise<ReadinessCheck[]> =>
  Promise.all(
    parts.states
      .all()
      .filter(([role]) => role !== 'api')
      .map(([role, state]) => roleCheck(parts, role, state)),
  );

/** How far anything is behind, only the log can tell. */
const behindLog = async (parts: Parts, maxLagSeconds: number): Promise<ReadinessCheck[]> => [
  ...(await modelChecks(parts, maxLagSeconds)),
  ...(await roleChecks(parts)),
];

interface LogFindings {
  readonly log: readonly ReadinessCheck[];
  readonly behind: readonly ReadinessCheck[];
}

/** A log outside of the database may fail by itself, also while it is asked how far anything is behind. */
const askLog = async (parts: Parts, maxLagSeconds: number): Promise<LogFindings> => {
  if (parts.config.eventStoreUrl === undefined)
    return { log: [], behind: await behindLog(parts, maxLagSeconds) };
  const silent = { log: [logCheck(parts, false)], behind: [] };
  const answers = await parts.store.head().then(
    () => true,
    () => false,
  );
  if (!answers) return silent;
  try {
    return { log: [logCheck(parts, true)], behind: await behindLog(parts, maxLagSeconds) };
  } catch (error) {
    if (isDomainError(error) && error.code === 'unavailable') return silent;
    throw error;
  }
};

const database = { name: 'database', required: true } as const;

const look = async (parts: Parts, maxLagSeconds: number): Promise<ReadinessCheck[]> => {
  const answers: ReadinessCheck = { ...database, ok: true };
  try {
    const { pending } = await migrationStatus(parts.database.pool);
    const migrations = { name: 'migrations', ok: pending.length === 0, required: true };
    if (!migrations.ok) return [answers, { ...migrations, detail: `${pending.length} pending` }];
    const { log, behind } = await askLog(parts, maxLagSeconds);
    return [answers, migrations, ...log, ...(await busCheck(parts)), ...behind];
  } catch {
    return [{ ...database, ok: false, detail: 'does not answer' }];
  }
};

const late = (): Error => new Error('the answer is late');

/** Looked up at most once a second, however many ask. */
export const readiness = (
  parts: Parts,
  { maxLagSeconds = MAX_LAG_SECONDS, keptMs = KEPT_MS, answerMs = ANSWER_MS } = {},
): (() => Promise<readonly ReadinessCheck[]>) => {
  const lookInTime = (): Promise<readonly ReadinessCheck[]> =>
    within(answerMs, look(parts, maxLagSeconds), late).catch(() => [
      { ...database, ok: false, detail: 'does not answer in time' },
    ]);
  let last: { readonly at: number; readonly checks: Promise<readonly ReadinessCheck[]> } | undefined;
  return () => {
    const now = performance.now();
    if (last === undefined || now - last.at >= keptMs) last = { at: now, checks: lookInTime() };
    return last.checks;
  };
};
