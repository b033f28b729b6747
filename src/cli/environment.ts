/** What --help says of each variable; .env.example explains them at length. */
export const environmentHelp = {
  PORT: 'port of the API (8000)',
  HOST: 'address the API listens on (127.0.0.1 in development, else 0.0.0.0)',
  HEALTH_PORT: 'port of /healthz and /readyz alone (8001 in a process without the API, which has its own)',
  PUBLIC_BASE_URL: 'base of the links in mails (http://localhost:PORT); required in production',
  ENVIRONMENT: 'development (default), staging or production',
  DATABASE_URL: 'Postgres 15 to 18; without it an embedded one under DATA_DIR',
  DATABASE_POOL_SIZE: 'connections of one process at most, 10 or more (20)',
  EVENTSTORE_URL: 'EventStoreDB or KurrentDB for the log; without it the log is in Postgres',
  DATA_DIR: 'where the embedded Postgres, development keys and caught mails live (./.data)',
  MIGRATE_ON_START: 'serve and demo bring the database up to date first (true)',
  JWT_SECRET: 'signs access tokens; required outside development',
  JWT_ALGORITHM: 'HS256',
  JWT_EXPIRY_MINUTES: 'how long an access token lives (1440)',
  MASTER_KEY: 'encrypts the vault; 32 bytes in base64, required outside development',
  PASSWORD_PEPPER: 'keys the password hashes; 32 bytes in base64, required outside development',
  SMTP_HOST: 'mail server; without it mails are kept under DATA_DIR; required in production',
  SMTP_PORT: 'its port (587)',
  SMTP_USER: 'login at the mail server',
  SMTP_PASSWORD: 'password at the mail server',
  SMTP_FROM: 'sender of every mail',
  STRIPE_API_BASE: "another address for Stripe's API (tests)",
  KAFKA_BROKERS: 'host:port,…; makes Kafka the bus, fed by the relay',
  KAFKA_TOPIC: 'stealth-recovery.payments.v1',
  KAFKA_TOPIC_PARTITIONS: 'of a topic that is created (12)',
  KAFKA_TOPIC_REPLICATION: 'of a topic that is created (1)',
  KAFKA_CREATE_TOPICS: 'create the topic when it is missing (true)',
  KAFKA_CLIENT_ID: 'stealth-recovery',
  KAFKA_SESSION_TIMEOUT_SECONDS: 'after so long a silent saga loses its share (30)',
  KAFKA_SSL: 'speak TLS to the brokers (false)',
  KAFKA_SSL_CA_FILE: 'PEM: the authority to trust',
  KAFKA_SSL_CERT_FILE: 'PEM: our certificate, where brokers ask for one',
  KAFKA_SSL_KEY_FILE: 'PEM: its key',
  KAFKA_SASL_MECHANISM: 'plain, scram-sha-256 or scram-sha-512; without it no login',
  KAFKA_SASL_USERNAME: 'login at the brokers',
  KAFKA_SASL_PASSWORD: 'password at the brokers',
  SENTRY_DSN: 'where errors are reported; nothing is sent without it',
  SENTRY_TRACES_SAMPLE_RATE: 'share of requests traced (0.1)',
  SENTRY_PROFILES_SAMPLE_RATE: 'share of traces profiled (0.1)',
  LOG_LEVEL: 'trace, debug, info (default), warn, error, fatal or silent',
} as const;

export type Variable = keyof typeof environmentHelp;

/** A section of --help. */
export const environmentSection = (variables: readonly Variable[]): string => {
  const width = Math.max(...variables.map((name) => name.length));
  const lines = variables.map((name) => `  ${name.padEnd(width)}  ${environmentHelp[name]}`);
  return `\nEnvironment (all of it: .env.example):\n${lines.join('\n')}\n`;
};

/** What every command that opens the database reads. */
export const databaseVariables = ['DATABASE_URL', 'EVENTSTORE_URL', 'DATA_DIR'] as const;
export const allVariables = Object.keys(environmentHelp) as Variable[];
