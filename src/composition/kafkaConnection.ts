import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { type Config, ConfigError } from '../config.js';
import type { KafkaConnection, KafkaTls } from '../infra/kafka/client.js';

const problemsOf = (config: Config): string[] => {
  const { kafkaSaslMechanism, kafkaSaslUsername, kafkaSaslPassword, kafkaSsl } = config;
  const { kafkaSslCaFile, kafkaSslCertFile, kafkaSslKeyFile } = config;
  const login = kafkaSaslUsername !== undefined && kafkaSaslPassword !== undefined;
  const files = [kafkaSslCaFile, kafkaSslCertFile, kafkaSslKeyFile].some((file) => file !== undefined);
  return [
    ...(kafkaSaslMechanism !== undefined && !login
      ? ['KAFKA_SASL_MECHANISM needs KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD']
      : []),
    ...(kafkaSaslMechanism === undefined && (kafkaSaslUsername ?? kafkaSaslPassword) !== undefined
      ? ['KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD need KAFKA_SASL_MECHANISM']
      : []),
    ...(files && !kafkaSsl ? ['KAFKA_SSL_CA_FILE, _CERT_FILE and _KEY_FILE need KAFKA_SSL=true'] : []),
    ...((kafkaSslCertFile === undefined) !== (kafkaSslKeyFile === undefined)
      ? ['KAFKA_SSL_CERT_FILE and KAFKA_SSL_KEY_FILE need each other']
      : []),
  ];
};

/** What the check makes of the text; a failure names the variable. */
const checked = (name: string, expected: string, check: () => unknown): void => {
  try {
    check();
  } catch (error) {
    throw new ConfigError([`${name} must be ${expected}: ${(error as Error).message}`]);
  }
};

const pem = (name: string, file: string | undefined): string | undefined => {
  if (file === undefined) return undefined;
  let text = '';
  checked(name, 'a readable file', () => (text = readFileSync(file, 'utf8')));
  return text;
};

const tlsOf = ({ kafkaSslCaFile, kafkaSslCertFile, kafkaSslKeyFile }: Config): KafkaTls => {
  const ca = pem('KAFKA_SSL_CA_FILE', kafkaSslCaFile);
  const cert = pem('KAFKA_SSL_CERT_FILE', kafkaSslCertFile);
  const key = pem('KAFKA_SSL_KEY_FILE', kafkaSslKeyFile);
  if (ca !== undefined) checked('KAFKA_SSL_CA_FILE', 'certificates in PEM', () => new X509Certificate(ca));
  if (cert !== undefined && key !== undefined)
    checked('KAFKA_SSL_CERT_FILE and KAFKA_SSL_KEY_FILE', 'a certificate and its key in PEM', () =>
      createSecureContext({ cert, key }),
    );
  return {
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
  };
};

/**
 * How to reach the brokers; undefined without KAFKA_BROKERS.
 * @throws ConfigError for settings that do not fit together, and for files that cannot be used
 */
export const kafkaConnection = (config: Config): KafkaConnection | undefined => {
  const { kafkaBrokers: brokers, kafkaClientId: clientId, kafkaSaslMechanism: mechanism } = config;
  if (brokers === undefined) return undefined;
  const problems = problemsOf(config);
  if (problems.length > 0) throw new ConfigError(problems);
  const { kafkaSaslUsername: username = '', kafkaSaslPassword: password = '' } = config;
  return {
    brokers,
    clientId,
    ...(config.kafkaSsl && { tls: tlsOf(config) }),
    ...(mechanism !== undefined && { sasl: { mechanism, username, password } }),
  };
};
