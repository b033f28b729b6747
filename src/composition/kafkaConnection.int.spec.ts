import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { BusWorld, triggersOf, until } from '../../test/support/eventBusContract.js';
import { somePort, TestBroker } from '../../test/support/kafka/broker.js';
import { startKafkaBus } from '../../test/support/kafka/bus.js';
import { Authority, type Certificate, keyStore } from '../../test/support/kafka/certificates.js';
import { describeOwnKafka, uniqueTopic } from '../../test/support/kafka/forTests.js';
import type { Listener } from '../../test/support/kafka/setup.js';
import { readConfig } from '../config.js';
import { createKafka, type KafkaConnection } from '../infra/kafka/client.js';
import { ensureTopic, lookAtTopic } from '../infra/kafka/topic.js';
import { silentLogger as logger } from '../kernel/logger.js';
import { kafkaConnection } from './kafkaConnection.js';

const [USER, PASSWORD] = ['alice', 'alice-secret'];
const PLAIN = 'org.apache.kafka.common.security.plain.PlainLoginModule';
const SCRAM = 'org.apache.kafka.common.security.scram.ScramLoginModule';

/** Where the certificates are, and how each listener lets clients in. */
const security = (authority: Authority, store: string): Record<string, string> => ({
  'ssl.keystore.type': 'PEM',
  'ssl.keystore.location': store,
  'ssl.truststore.type': 'PEM',
  'ssl.truststore.location': authority.cert,
  'listener.name.mutual.ssl.client.auth': 'required',
  ...Object.fromEntries(
    ['login', 'bare'].flatMap((name) => [
      [`listener.name.${name}.sasl.enabled.mechanisms`, 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512'],
      [`listener.name.${name}.plain.sasl.jaas.config`, `${PLAIN} required user_${USER}="${PASSWORD}";`],
      [`listener.name.${name}.scram-sha-256.sasl.jaas.config`, `${SCRAM} required;`],
      [`listener.name.${name}.scram-sha-512.sasl.jaas.config`, `${SCRAM} required;`],
    ]),
  ),
});

describeOwnKafka('a broker that asks for TLS and a login', () => {
  const listeners: Listener[] = [];
  let dir: string;
  let authority: Authority;
  let own: Certificate;
  let broker: TestBroker;
  let world: BusWorld;
  before(async function () {
    this.timeout(120_000);
    dir = await mkdtemp(join(tmpdir(), 'recovery-kafka-tls-'));
    authority = await Authority.create(dir);
    own = await authority.sign('client');
    for (const [name, protocol] of [
      ['TLS', 'SSL'],
      ['MUTUAL', 'SSL'],
      ['LOGIN', 'SASL_SSL'],
      ['BARE', 'SASL_PLAINTEXT'],
    ] as const)
      listeners.push({ name, protocol, port: await somePort() });
    const settings = security(authority, await keyStore(await authority.sign('broker')));
    const scram = ['SCRAM-SHA-256', 'SCRAM-SHA-512'].map(
      (one) => `${one}=[name=${USER},password=${PASSWORD}]`,
    );
    broker = await TestBroker.start({ listeners, settings, scram });
    world = await BusWorld.create();
  });
  after(async function () {
    this.timeout(60_000);
    await world.close();
    await broker.stop();
    await rm(dir, { recursive: true });
  });

  /** What the variables say about a listener. */
  const connectionTo = (name: string, env: NodeJS.ProcessEnv): KafkaConnection => {
    const port = listeners.find((one) => one.name === name)?.port;
    const connection = kafkaConnection(readConfig({ KAFKA_BROKERS: `127.0.0.1:${port}`, ...env }));
    if (connection === undefined) throw new Error('no connection');
    return connection;
  };
  const tls = () => ({ KAFKA_SSL: 'true', KAFKA_SSL_CA_FILE: authority.cert });
  const pair = () => ({ KAFKA_SSL_CERT_FILE: own.cert, KAFKA_SSL_KEY_FILE: own.key });
  const login = (mechanism: string, password = PASSWORD) => ({
    KAFKA_SASL_MECHANISM: mechanism,
    KAFKA_SASL_USERNAME: USER,
    KAFKA_SASL_PASSWORD: password,
  });

  const allowed: Record<string, () => KafkaConnection> = {
    'over TLS': () => connectionTo('TLS', tls()),
    'over TLS with a certificate of their own': () => connectionTo('MUTUAL', { ...tls(), ...pair() }),
    'over TLS with a login by PLAIN': () => connectionTo('LOGIN', { ...tls(), ...login('plain') }),
    'over TLS with a login by SCRAM-SHA-256': () =>
      connectionTo('LOGIN', { ...tls(), ...login('scram-sha-256') }),
    'over TLS with a login by SCRAM-SHA-512': () =>
      connectionTo('LOGIN', { ...tls(), ...login('scram-sha-512') }),
    'with a login alone': () => connectionTo('BARE', login('scram-sha-256')),
  };
  for (const [how, connection] of Object.entries(allowed))
    it(`lets relay and saga in ${how}`, async function () {
      this.timeout(60_000);
      const { bus } = await startKafkaBus(world, { ...connection(), topic: uniqueTopic(), partitions: 1 });
      const consumer = world.consume(bus());
      await world.fail('ref', how);
      await until(() => triggersOf(consumer.seen).includes(how), 45_000);
      await consumer.stop();
    });

  const refused: Record<string, [() => KafkaConnection, RegExp]> = {
    'an authority that we do not trust': [() => connectionTo('TLS', { KAFKA_SSL: 'true' }), /verify/],
    'no certificate of ours': [() => connectionTo('MUTUAL', tls()), /certificate/],
    'no TLS': [() => connectionTo('TLS', {}), /Closed/],
    'no login': [() => connectionTo('LOGIN', tls()), /Closed/],
    'a wrong password': [
      () => connectionTo('LOGIN', { ...tls(), ...login('plain', 'wrong') }),
      /[Aa]uthentication/,
    ],
  };
  for (const [what, [connection, message]] of Object.entries(refused))
    it(`does not let doctor in with ${what}`, async () => {
      const failure: unknown = await lookAtTopic(connection(), uniqueTopic()).catch(
        (error: unknown) => error,
      );
      expect(failure).to.be.instanceOf(Error).with.property('message').that.matches(message);
    });

  it('ends a role for good that has a wrong password, for no later try helps', async () => {
    for (const mechanism of ['plain', 'scram-sha-256', 'scram-sha-512']) {
      const connection = connectionTo('LOGIN', { ...tls(), ...login(mechanism, 'wrong') });
      const kafka = await createKafka(connection, logger);
      const topic = { topic: uniqueTopic(), partitions: 1, replication: 1, create: true };
      const going = { logger, signal: new AbortController().signal };
      const failure: unknown = await ensureTopic(kafka, connection, topic, going).catch(
        (error: unknown) => error,
      );
      expect(failure).to.have.property('name', 'KafkaJSSASLAuthenticationError');
    }
  });
});
