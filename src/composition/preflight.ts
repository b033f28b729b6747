import type { ServeRole } from '../cli/services.js';
import type { Config } from '../config.js';
import { startChecks } from '../infra/startChecks.js';
import { StartRefused } from '../kernel/errors.js';
import type { Logger } from '../kernel/logger.js';
import { kafkaConnection } from './kafkaConnection.js';
import { healthPortOf, servesApi } from './port.js';

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

/** What the settings contradict each other in. */
const contradictions = (config: Config, roles: readonly ServeRole[]): string[] => {
  const { port } = config;
  const shared = port !== 0 && port === healthPortOf(config, roles) && servesApi(roles);
  return [
    ...(roles.includes('relay') && config.kafkaBrokers === undefined ? [NO_RELAY] : []),
    ...(shared ? [`PORT and HEALTH_PORT are both ${port}. Set one of them to another port.`] : []),
  ];
};

/**
 * Before anything is opened, made or changed: may these roles (all without any given) run with this configuration?
 * @throws StartRefused; ConfigError for settings of Kafka that do not fit together
 */
export const preflight = (config: Config, roles: readonly ServeRole[], logger: Logger): void => {
  kafkaConnection(config);
  const contradicted = contradictions(config, roles);
  if (contradicted.length > 0) throw new StartRefused(contradicted);
  const chosen = roles.length === 0 ? (Object.keys(needs) as ServeRole[]) : roles;
  const needed = new Set(chosen.flatMap((role) => needs[role]));
  const failed = startChecks(config).filter(({ ok, name }) => !ok && needed.has(name));
  const errors = failed.filter(({ severity }) => severity === 'error');
  if (errors.length > 0) throw new StartRefused(errors.map(({ detail, fix }) => `${detail}. ${fix}`));
  for (const { name, detail, fix } of failed)
    logger.warn({ check: name, found: detail, fix }, 'configuration');
};
