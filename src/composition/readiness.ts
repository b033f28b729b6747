import type { ReadinessCheck } from '../api/dependencies.js';
import type { ServeRole } from '../cli/services.js';
import { migrationStatus } from '../infra/postgres/migrate.js';
import { DomainError, isDomainError } from '../kernel/errors.js';
import { within } from '../kernel/timeBudget.js';
import type { ModelHealth } from '../projections/engine/health.js';
import { kafkaChecks } from './kafkaChecks.js';
import { busLag } from './lag.js';
import type { RoleState, RoleStates } from './roleStates.js';
import type { Runtime } from './runtime.js';

const MAX_LAG_SECONDS = 60;
const KEPT_MS = 1_000;
/** For each part, side by side: who asks waits a few seconds at most, and a connection may have fallen silent. */
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

const kafkaCheck = ({ states }: Parts, ok: boolean): ReadinessCheck => {
  const detail = 'brokers or topic cannot be used: see recovery doctor';
  return { name: 'Kafka', ok, required: isVital(states), ...(!ok && { detail }) };
};

const askBus = async (parts: Parts): Promise<ReadinessCheck[]> => {
  const { config, states } = parts;
  const uses = states.has('relay') || states.has('saga');
  if (config.kafkaBrokers === undefined || !uses) return [];
  const checks = await kafkaChecks(config);
  return [
    kafkaCheck(
      parts,
      checks.every((check) => check.ok || check.severity === 'warning'),
    ),
  ];
};

/** Who serves read models, and who keeps them, is asked about them. */
const modelChecks = async ({ engine, states }: Parts, maxLagSeconds: number): Promise<ReadinessCheck[]> =>
  states.has('api') || states.has('projector')
    ? (await engine.health()).map((one) => modelCheck(one, maxLagSeconds))
    : [];

const roleCheck = async (parts: Parts, role: ServeRole, state: RoleState): Promise<ReadinessCheck> => {
  const ok = state === 'working' || state === 'standing by' || state === 'leading';
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

const silent = (): Error => new DomainError('unavailable', 'no answer, or none in time');
const isSilent = (error: unknown): boolean => isDomainError(error) && error.code === 'unavailable';

/** A log outside of the database may fail by itself, also while it is asked how far anything is behind. */
const askLog = async (parts: Parts, maxLagSeconds: number): Promise<ReadinessCheck[]> => {
  if (parts.config.eventStoreUrl === undefined) return behindLog(parts, maxLagSeconds);
  await parts.store.head().catch(() => Promise.reject(silent()));
  return [logCheck(parts, true), ...(await behindLog(parts, maxLagSeconds))];
};

const database = { name: 'database', required: true } as const;

const noDatabase = (error: unknown): ReadinessCheck[] => [
  { ...database, ok: false, detail: isSilent(error) ? 'does not answer in time' : 'does not answer' },
];

const askDatabase = async ({ database: { pool } }: Parts): Promise<ReadinessCheck[]> => {
  const { pending } = await migrationStatus(pool);
  const migrations = { name: 'migrations', ok: pending.length === 0, required: true };
  return [
    { ...database, ok: true },
    migrations.ok ? migrations : { ...migrations, detail: `${pending.length} pending` },
  ];
};

/** Each part fails by itself: the database alone can make the answer its own. */
const look = async (parts: Parts, maxLagSeconds: number, answerMs: number): Promise<ReadinessCheck[]> => {
  const isOutside = parts.config.eventStoreUrl !== undefined;
  const inTime = (checks: Promise<ReadinessCheck[]>): Promise<ReadinessCheck[]> =>
    within(answerMs, checks, silent);
  const [ofDatabase, ofBus, ofLog] = await Promise.all([
    inTime(askDatabase(parts)).catch(noDatabase),
    inTime(askBus(parts)).catch(() => [kafkaCheck(parts, false)]),
    inTime(askLog(parts, maxLagSeconds)).catch((error: unknown) =>
      isOutside && isSilent(error) ? [logCheck(parts, false)] : noDatabase(error),
    ),
  ]);
  if (!ofDatabase.every(({ ok }) => ok)) return ofDatabase;
  return ofLog.some(({ name }) => name === database.name) ? ofLog : [...ofDatabase, ...ofBus, ...ofLog];
};

/** Looked up at most once a second, however many ask. */
export const readiness = (
  parts: Parts,
  { maxLagSeconds = MAX_LAG_SECONDS, keptMs = KEPT_MS, answerMs = ANSWER_MS } = {},
): (() => Promise<readonly ReadinessCheck[]>) => {
  let last: { readonly at: number; readonly checks: Promise<readonly ReadinessCheck[]> } | undefined;
  return () => {
    const now = performance.now();
    if (last === undefined || now - last.at >= keptMs)
      last = { at: now, checks: look(parts, maxLagSeconds, answerMs) };
    return last.checks;
  };
};
