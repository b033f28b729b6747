import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { environmentHelp } from './cli/environment.js';
import { type Config, ConfigError, readConfig, settings } from './config.js';

type Key = keyof Config;

const KEY = Buffer.alloc(32, 7);
const key = KEY.toString('base64');

interface Row {
  readonly fallback: unknown;
  /** Text → what it is read as. */
  readonly reads: readonly (readonly [string, unknown])[];
  readonly refuses: readonly string[];
}

const text = (fallback?: string): Row => ({ fallback, reads: [['some text', 'some text']], refuses: [] });
const share: Row = {
  fallback: 0.1,
  reads: [
    ['0', 0],
    ['1', 1],
    ['0.25', 0.25],
  ],
  refuses: ['-0.1', '1.01', 'half', '0x1', '.'],
};
const secret: Row = {
  fallback: undefined,
  reads: [[key, KEY]],
  refuses: ['short', key.slice(4), Buffer.alloc(33).toString('base64')],
};
const web: Row = {
  fallback: undefined,
  reads: [
    ['https://pay.example.com', 'https://pay.example.com'],
    ['http://localhost:8000/', 'http://localhost:8000'],
  ],
  refuses: ['pay.example.com', 'ftp://pay.example.com', 'https://'],
};
const flags = (fallback: boolean): Row => ({
  fallback,
  reads: [
    ['true', true],
    ['1', true],
    ['false', false],
    ['0', false],
  ],
  refuses: ['yes', 'FALSE', '2'],
});
const numbers = (fallback: number, min: number, max: number): Row => ({
  fallback,
  reads: [
    [String(min), min],
    [String(max), max],
  ],
  refuses: [String(min - 1), String(max + 1), 'many', '1.5', '1e3', `${max}0`],
});

const table: Record<Key, Row> = {
  port: numbers(8000, 0, 65_535),
  healthPort: { ...numbers(0, 0, 65_535), fallback: undefined },
  host: { fallback: undefined, reads: [['::', '::']], refuses: [] },
  publicBaseUrl: web,
  environment: {
    fallback: 'development',
    reads: [
      ['staging', 'staging'],
      ['production', 'production'],
    ],
    refuses: ['prod', 'Production'],
  },
  databaseUrl: {
    fallback: undefined,
    reads: [
      ['postgres://u:p@db:5432/recovery', 'postgres://u:p@db:5432/recovery'],
      ['postgresql://db/recovery', 'postgresql://db/recovery'],
    ],
    refuses: ['mysql://db/recovery', 'db:5432'],
  },
  databasePoolSize: numbers(20, 10, 200),
  eventStoreUrl: {
    fallback: undefined,
    reads: [
      'esdb://localhost:2113?tls=false',
      'esdb+discover://u:p@cluster.example.com:2113',
      'esdb://a:2113,b:2113,c:2113?nodePreference=leader',
      'kurrentdb://u:p@db',
    ].map((url) => [url, url]),
    refuses: ['http://localhost:2113', 'esdb:localhost', 'esdb://', 'localhost:2113'],
  },
  dataDir: text('./.data'),
  migrateOnStart: flags(true),
  jwtSecret: text(),
  jwtAlgorithm: { fallback: 'HS256', reads: [['HS256', 'HS256']], refuses: ['none', 'HS512', 'RS256'] },
  jwtExpiryMinutes: numbers(1440, 1, 43_200),
  masterKey: secret,
  passwordPepper: secret,
  smtpHost: text(),
  smtpPort: numbers(587, 1, 65_535),
  smtpUser: text(),
  smtpPassword: text(),
  smtpFrom: text('Payments <payments@localhost>'),
  stripeApiBase: web,
  kafkaBrokers: {
    fallback: undefined,
    reads: [
      ['kafka:9092', ['kafka:9092']],
      ['a.example.com:9092, 10.0.0.1:9093,[::1]:9094', ['a.example.com:9092', '10.0.0.1:9093', '[::1]:9094']],
    ],
    refuses: ['kafka', 'kafka://a:9092', 'a:9092,', 'a:port'],
  },
  kafkaTopic: {
    fallback: 'stealth-recovery.payments.v1',
    reads: [['eu.payments_v1', 'eu.payments_v1']],
    refuses: ['a topic', 'a/b', 'x'.repeat(250)],
  },
  kafkaTopicPartitions: numbers(12, 1, 1000),
  kafkaTopicReplication: numbers(1, 1, 7),
  kafkaCreateTopics: flags(true),
  kafkaClientId: text('stealth-recovery'),
  kafkaSessionTimeoutSeconds: numbers(30, 6, 300),
  kafkaSsl: flags(false),
  kafkaSslCaFile: text(),
  kafkaSslCertFile: text(),
  kafkaSslKeyFile: text(),
  kafkaSaslMechanism: {
    fallback: undefined,
    reads: [['scram-sha-512', 'scram-sha-512']],
    refuses: ['gssapi', 'PLAIN'],
  },
  kafkaSaslUsername: text(),
  kafkaSaslPassword: text(),
  sentryDsn: web,
  sentryTracesSampleRate: share,
  sentryProfilesSampleRate: share,
  logLevel: {
    fallback: 'info',
    reads: [
      ['trace', 'trace'],
      ['silent', 'silent'],
    ],
    refuses: ['verbose', 'INFO'],
  },
};

const problemsOf = (env: NodeJS.ProcessEnv): readonly string[] => {
  try {
    readConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
};

describe('configuration', () => {
  for (const [name, row] of Object.entries(table) as [Key, Row][]) {
    const variable = settings[name].env;
    describe(variable, () => {
      it('has its default when absent, empty or blank', () => {
        for (const env of [{}, { [variable]: '' }, { [variable]: '  ' }]) {
          expect(readConfig(env)[name]).to.deep.equal(row.fallback);
        }
      });
      for (const [given, read] of row.reads) {
        it(`reads ${given}`, () =>
          expect(readConfig({ [variable]: ` ${given} ` })[name]).to.deep.equal(read));
      }
      for (const given of row.refuses) {
        it(`refuses ${given}, naming the variable`, () => {
          const [problem, ...others] = problemsOf({ [variable]: given });
          expect(problem).to.match(new RegExp(`^${variable} must be `));
          expect(others).to.deep.equal([]);
        });
      }
    });
  }

  it('lists every problem at once and never a value', () => {
    const env = { PORT: 'canary-1', MASTER_KEY: 'canary-2', DATABASE_URL: 'canary-3', LOG_LEVEL: 'canary-4' };
    const problems = problemsOf(env);
    expect(problems.map((problem) => problem.split(' ')[0])).to.have.members(Object.keys(env));
    expect(() => readConfig(env))
      .to.throw(ConfigError)
      .with.property('message')
      .not.contain('canary');
  });

  it('cannot be changed once read', () => {
    expect(readConfig({})).to.satisfy(Object.isFrozen);
  });
});

describe('.env.example', () => {
  const lines = readFileSync(new URL('../.env.example', import.meta.url), 'utf8').split('\n');
  const assignments = lines.filter((line) => /^\w+=/.test(line));
  const variables = Object.values(settings).map(({ env }) => env);

  it('names every variable once, in the order of the settings', () => {
    expect(assignments.map((line) => line.split('=')[0])).to.deep.equal(variables);
  });

  it('shows the defaults', () => {
    const env = Object.fromEntries(
      assignments.map((line) => line.split(/=(.*)/).slice(0, 2) as [string, string]),
    );
    expect(readConfig(env)).to.deep.equal(readConfig({}));
  });

  it('explains every variable, alone or with those beside it', () => {
    for (const block of lines.join('\n').split(/(?<==.*)\n(?=#)/)) {
      if (/^\w+=/m.test(block)) expect(block.trimStart()).to.match(/^#/);
    }
    expect(lines.filter((line) => line.startsWith('# ')).length).to.be.greaterThan(10);
  });

  it('is what --help lists', () => {
    expect(Object.keys(environmentHelp)).to.have.members(variables);
  });
});
