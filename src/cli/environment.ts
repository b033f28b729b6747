/** What --help says of each variable; .env.example explains them at length. */
export const environmentHelp = {
  PORT: 'port of the API (8000)',
  HOST: 'address the API listens on (127.0.0.1 in development, else 0.0.0.0)',
  PUBLIC_BASE_URL: 'base of the links in mails (http://localhost:PORT); required in production',
  ENVIRONMENT: 'development (default), staging or production',
  DATABASE_URL: 'Postgres 15 to 18; without it an embedded one under DATA_DIR',
  DATABASE_POOL_SIZE: 'connections of one process at most, 10 or more (20)',
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
export const databaseVariables = ['DATABASE_URL', 'DATA_DIR'] as const;
export const allVariables = Object.keys(environmentHelp) as Variable[];
