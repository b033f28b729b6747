import type { Kafka, KafkaConfig, logCreator, logLevel as LogLevel, SASLOptions } from 'kafkajs';
import type { Logger } from '../../kernel/logger.js';

export interface KafkaTls {
  /** PEM: the authorities to trust instead of the usual ones. */
  readonly ca?: string;
  /** PEM: our own certificate with its key, where the brokers ask for one. */
  readonly cert?: string;
  readonly key?: string;
}

export interface KafkaSasl {
  readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512';
  readonly username: string;
  readonly password: string;
}

export interface KafkaConnection {
  readonly brokers: readonly string[];
  readonly clientId: string;
  readonly tls?: KafkaTls;
  readonly sasl?: KafkaSasl;
}

/** kafkajs's own levels; its enum cannot be loaded before it is needed. */
const [WARN, INFO, DEBUG] = [2, 4, 5] as const;
/** How long is waited for an answer, and how often asked again. */
export type Patience = Pick<KafkaConfig, 'connectionTimeout' | 'requestTimeout' | 'retry'>;
/** Four tries within some three seconds; the loops around it go on for ever. */
const PATIENCE: Patience = {
  connectionTimeout: 5_000,
  retry: { initialRetryTime: 200, maxRetryTime: 2_000, retries: 4 },
};

const logsTo =
  (logger: Logger): logCreator =>
  () =>
  ({ level, namespace, log: { message, timestamp: _time, logger: _name, ...fields } }) => {
    const told = { ...fields, namespace };
    if (level >= DEBUG) logger.debug(told, message);
    else if (level >= INFO) logger.info(told, message);
    else logger.warn(told, message); // its errors are retried, by it or by us
  };

const saslOf = ({ mechanism, username, password }: KafkaSasl): SASLOptions => ({
  mechanism,
  username,
  password,
});

/** Loads kafkajs, which a process without Kafka never does. */
export const createKafka = async (
  { brokers, clientId, tls, sasl }: KafkaConnection,
  logger: Logger,
  patience = PATIENCE,
): Promise<Kafka> => {
  const { Kafka } = await import('kafkajs');
  const config: KafkaConfig = {
    brokers: [...brokers],
    clientId,
    ...patience,
    logLevel: WARN as LogLevel,
    logCreator: logsTo(logger),
    ...(tls !== undefined && { ssl: { ...tls } }),
    ...(sasl !== undefined && { sasl: saslOf(sasl) }),
  };
  return new Kafka(config);
};
