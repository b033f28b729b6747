import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { expect } from 'chai';
import { ConfigError, readConfig } from '../config.js';
import { kafkaConnection } from './kafkaConnection.js';

const of = (env: NodeJS.ProcessEnv) =>
  kafkaConnection(readConfig({ KAFKA_BROKERS: 'a:9092,b:9092', ...env }));

describe('the connection to Kafka', () => {
  let dir: string;
  let files = 0;
  before(async () => (dir = await mkdtemp(join(tmpdir(), 'recovery-kafka-tls-'))));
  after(() => rm(dir, { recursive: true }));
  const fileOf = async (text: string): Promise<string> => {
    const file = join(dir, `${files++}.pem`);
    await writeFile(file, text);
    return file;
  };

  it('is none without brokers', () => expect(kafkaConnection(readConfig({}))).to.equal(undefined));

  it('is plain unless told otherwise', () =>
    expect(of({})).to.deep.equal({ brokers: ['a:9092', 'b:9092'], clientId: 'stealth-recovery' }));

  it('takes a login and the files of TLS', async () => {
    const file = await fileOf(rootCertificates[0] ?? '');
    const login = {
      KAFKA_SASL_MECHANISM: 'scram-sha-256',
      KAFKA_SASL_USERNAME: 'u',
      KAFKA_SASL_PASSWORD: 'p',
    };
    const found = of({ ...login, KAFKA_SSL: 'true', KAFKA_SSL_CA_FILE: file });
    expect(found?.sasl).to.deep.equal({ mechanism: 'scram-sha-256', username: 'u', password: 'p' });
    expect(found?.tls).to.deep.equal({ ca: rootCertificates[0] });
  });

  it('refuses files that are no certificates, and a key that is none', async () => {
    const [certificate = '', text] = [rootCertificates[0], 'hello'];
    const [cert, other] = [await fileOf(certificate), await fileOf(text)];
    expect(() => of({ KAFKA_SSL: 'true', KAFKA_SSL_CA_FILE: other })).to.throw(
      ConfigError,
      /KAFKA_SSL_CA_FILE must be certificates in PEM/,
    );
    const pair = { KAFKA_SSL_CERT_FILE: cert, KAFKA_SSL_KEY_FILE: other };
    expect(() => of({ KAFKA_SSL: 'true', ...pair })).to.throw(
      ConfigError,
      /KAFKA_SSL_CERT_FILE and KAFKA_SSL_KEY_FILE must be a certificate and its key/,
    );
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
