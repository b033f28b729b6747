import type { ServeRole } from '../cli/services.js';
import type { Config } from '../config.js';
import { startChecks } from '../infra/startChecks.js';
import { StartRefused } from '../kernel/errors.js';
import type { Logger } from '../kernel/logger.js';

/** The parts of the configuration that a role relies on. */
const needs: Readonly<Record<ServeRole, readonly string[]>> = {
  api: ['secrets', 'links'],
  scheduler: ['secrets', 'mail', 'links'],
  projector: [],
  saga: [],
  relay: [],
};

const NO_RELAY =
  'The relay feeds Kafka: set KAFKA_BROKERS, or leave --role relay out; without Kafka the saga reads the log itself.';

/**
 * Before anything is opened, made or changed: may these roles (all without any given) run with this configuration?
 * @throws StartRefused
 */
export const preflight = (config: Config, roles: readonly ServeRole[], logger: Logger): void => {
  if (roles.includes('relay') && config.kafkaBrokers === undefined) throw new StartRefused([NO_RELAY]);
  const chosen = roles.length === 0 ? (Object.keys(needs) as ServeRole[]) : roles;
  const needed = new Set(chosen.flatMap((role) => needs[role]));
  const failed = startChecks(config).filter(({ ok, name }) => !ok && needed.has(name));
  const errors = failed.filter(({ severity }) => severity === 'error');
  if (errors.length > 0) throw new StartRefused(errors.map(({ detail, fix }) => `${detail}. ${fix}`));
  for (const { name, detail, fix } of failed)
    logger.warn({ check: name, found: detail, fix }, 'configuration');
};
