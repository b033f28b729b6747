import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { ConfigError, readConfig } from '../config.js';
import { kafkaConnection } from './bus.js';

const of = (env: NodeJS.ProcessEnv) =>
  kafkaConnection(readConfig({ KAFKA_BROKERS: 'a:9092,b:9092', ...env }));

describe('the connection to Kafka', () => {
  it('is none without brokers', () => expect(kafkaConnection(readConfig({}))).to.equal(undefined));

  it('is plain unless told otherwise', () =>
    expect(of({})).to.deep.equal({ brokers: ['a:9092', 'b:9092'], clientId: 'stealth-recovery' }));

  it('takes a login and the files of TLS', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'recovery-kafka-tls-'));
    const file = join(dir, 'ca.pem');
    await writeFile(file, 'PEM');
    const login = {
      KAFKA_SASL_MECHANISM: 'scram-sha-256',
      KAFKA_SASL_USERNAME: 'u',
      KAFKA_SASL_PASSWORD: 'p',
    };
    const found = of({ ...login, KAFKA_SSL: 'true', KAFKA_SSL_CA_FILE: file });
    expect(found?.sasl).to.deep.equal({ mechanism: 'scram-sha-256', username: 'u', password: 'p' });
    expect(found?.tls).to.deep.equal({ ca: 'PEM' });
    await rm(dir, { recursive: true });
  });

  const refused: Record<string, NodeJS.ProcessEnv> = {
    'a mechanism without a login': { KAFKA_SASL_MECHANISM: 'plain', KAFKA_SASL_USERNAME: 'u' },
    'a login without a mechanism': { KAFKA_SASL_PASSWORD: 'p' },
    'files of TLS without TLS': { KAFKA_SSL_CA_FILE: '/ca.pem' },
    'a certificate without its key': { KAFKA_SSL: 'true', KAFKA_SSL_CERT_FILE: '/cert.pem' },
    'a file that is not there': { KAFKA_SSL: 'true', KAFKA_SSL_CA_FILE: '/none/ca.pem' },
  };
  for (const [what, env] of Object.entries(refused))
    it(`refuses ${what}, naming the variable`, () => {
      expect(() => of(env))
        .to.throw(ConfigError)
        .with.property('message')
        .that.matches(/KAFKA_/);
    });
});
