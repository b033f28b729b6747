/** The only reader of process.env: a table of settings, each with its variable, parser and default. */

export const environments = ['development', 'staging', 'production'] as const;
export type Environment = (typeof environments)[number];
export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export const jwtAlgorithms = ['HS256'] as const;
export const saslMechanisms = ['plain', 'scram-sha-256', 'scram-sha-512'] as const;

type Parser<T> = (text: string) => T;
interface Setting<T> {
  readonly env: string;
  readonly parse: Parser<T>;
  readonly fallback: T;
}

const setting = <T>(env: string, parse: Parser<T>, fallback: NoInfer<T>): Setting<T> => ({
  env,
  parse,
  fallback,
});
const fail = (expected: string): never => {
  throw new Error(expected);
};

const text: Parser<string | undefined> = (value) => value;
const oneOf =
  <const V extends readonly string[]>(values: V): Parser<V[number]> =>
  (value) =>
    values.find((allowed) => allowed === value) ?? fail(`one of ${values.join(', ')}`);
const integer =
  (min: number, max: number): Parser<number> =>
  (value) =>
    /^\d+$/.test(value) && Number(value) >= min && Number(value) <= max
      ? Number(value)
      : fail(`an integer from ${min} to ${max}`);
const fraction: Parser<number> = (value) =>
  /^[\d.]+$/.test(value) && Number(value) >= 0 && Number(value) <= 1
    ? Number(value)
    : fail('a number from 0 to 1');
const flag: Parser<boolean> = (value) =>
  value === 'true' || value === '1'
    ? true
    : value === 'false' || value === '0'
      ? false
      : fail('true or false');
const url =
  (...protocols: readonly string[]): Parser<string | undefined> =>
  (value) =>
    URL.canParse(value) && protocols.includes(new URL(value).protocol)
      ? value.replace(/\/$/, '')
      : fail(`a URL starting with ${protocols.join(' or ')}`);
/** host:port, several with commas. */
const brokers: Parser<readonly string[] | undefined> = (value) => {
  const list = value.split(',').map((one) => one.trim());
  return list.every((one) => /^[^\s:/]+:\d{1,5}$/.test(one) || /^\[[0-9a-f:]+\]:\d{1,5}$/i.test(one))
    ? list
    : fail('host:port, several of them with commas');
};
const topic: Parser<string> = (value) =>
  /^[\w.-]{1,249}$/.test(value) ? value : fail('up to 249 letters, digits, dots, underscores and hyphens');
const eventStoreUrl: Parser<string | undefined> = (value) =>
  /^(esdb|kurrentdb|kurrent|kdb)(\+discover)?:\/\/[^\s/?#]+/.test(value)
    ? value
    : fail('a connection string starting with esdb:// or esdb+discover:// that names a host');
const key32: Parser<Buffer | undefined> = (value) => {
  const bytes = Buffer.from(value, 'base64');
  return bytes.length === 32 && bytes.toString('base64') === value
    ? bytes
    : fail('32 bytes in base64 (openssl rand -base64 32)');
};

/** Key → variable, parser, default. .env.example explains each (a test keeps the two equal). */
export const settings = {
  port: setting('PORT', integer(0, 65_535), 8000),
  host: setting('HOST', text, undefined),
  healthPort: setting('HEALTH_PORT', integer(0, 65_535) as Parser<number | undefined>, undefined),
  publicBaseUrl: setting('PUBLIC_BASE_URL', url('http:', 'https:'), undefined),
  environment: setting('ENVIRONMENT', oneOf(environments), 'development'),
  databaseUrl: setting('DATABASE_URL', url('postgres:', 'postgresql:'), undefined),
  databasePoolSize: setting('DATABASE_POOL_SIZE', integer(10, 200), 20),
  eventStoreUrl: setting('EVENTSTORE_URL', eventStoreUrl, undefined),
  dataDir: setting('DATA_DIR', (value: string) => value, './.data'),
  migrateOnStart: setting('MIGRATE_ON_START', flag, true),
  jwtSecret: setting('JWT_SECRET', text, undefined),
  jwtAlgorithm: setting('JWT_ALGORITHM', oneOf(jwtAlgorithms), 'HS256'),
  jwtExpiryMinutes: setting('JWT_EXPIRY_MINUTES', integer(1, 43_200), 1440),
  masterKey: setting('MASTER_KEY', key32, undefined),
  passwordPepper: setting('PASSWORD_PEPPER', key32, undefined),
  smtpHost: setting('SMTP_HOST', text, undefined),
  smtpPort: setting('SMTP_PORT', integer(1, 65_535), 587),
  smtpUser: setting('SMTP_USER', text, undefined),
  smtpPassword: setting('SMTP_PASSWORD', text, undefined),
  smtpFrom: setting('SMTP_FROM', (value: string) => value, 'Payments <payments@localhost>'),
  stripeApiBase: setting('STRIPE_API_BASE', url('http:', 'https:'), undefined),
  kafkaBrokers: setting('KAFKA_BROKERS', brokers, undefined),
  kafkaTopic: setting('KAFKA_TOPIC', topic, 'stealth-recovery.payments.v1'),
  kafkaTopicPartitions: setting('KAFKA_TOPIC_PARTITIONS', integer(1, 1000), 12),
  kafkaTopicReplication: setting('KAFKA_TOPIC_REPLICATION', integer(1, 7), 1),
  kafkaCreateTopics: setting('KAFKA_CREATE_TOPICS', flag, true),
  kafkaClientId: setting('KAFKA_CLIENT_ID', (value: string) => value, 'stealth-recovery'),
  kafkaSessionTimeoutSeconds: setting('KAFKA_SESSION_TIMEOUT_SECONDS', integer(6, 300), 30),
  kafkaSsl: setting('KAFKA_SSL', flag, false),
  kafkaSslCaFile: setting('KAFKA_SSL_CA_FILE', text, undefined),
  kafkaSslCertFile: setting('KAFKA_SSL_CERT_FILE', text, undefined),
  kafkaSslKeyFile: setting('KAFKA_SSL_KEY_FILE', text, undefined),
  kafkaSaslMechanism: setting(
    'KAFKA_SASL_MECHANISM',
    oneOf(saslMechanisms) as Parser<(typeof saslMechanisms)[number] | undefined>,
    undefined,
  ),
  kafkaSaslUsername: setting('KAFKA_SASL_USERNAME', text, undefined),
  kafkaSaslPassword: setting('KAFKA_SASL_PASSWORD', text, undefined),
  sentryDsn: setting('SENTRY_DSN', url('http:', 'https:'), undefined),
  sentryTracesSampleRate: setting('SENTRY_TRACES_SAMPLE_RATE', fraction, 0.1),
  sentryProfilesSampleRate: setting('SENTRY_PROFILES_SAMPLE_RATE', fraction, 0.1),
  logLevel: setting('LOG_LEVEL', oneOf(logLevels), 'info'),
} as const;

export type Config = { readonly [K in keyof typeof settings]: (typeof settings)[K]['fallback'] };

/** Thrown with every problem at once, each saying which variable, what it needs, and never its value. */
export class ConfigError extends Error {
  constructor(readonly problems: readonly string[]) {
    super(`The configuration cannot be used:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
    this.name = 'ConfigError';
  }
}

/** Reads the environment; an empty variable counts as absent. @throws ConfigError */
export const readConfig = (env: NodeJS.ProcessEnv = process.env): Config => {
  const problems: string[] = [];
  const read = ({ env: name, parse, fallback }: Setting<unknown>): unknown => {
    const value = env[name]?.trim();
    if (value === undefined || value === '') return fallback;
    try {
      return parse(value);
    } catch (error) {
      problems.push(`${name} must be ${(error as Error).message}`);
      return fallback;
    }
  };
  const config = Object.fromEntries(
    Object.entries<Setting<unknown>>(settings).map(([key, one]) => [key, read(one)]),
  ) as Config;
  if (problems.length > 0) throw new ConfigError(problems);
  return Object.freeze(config);
};
