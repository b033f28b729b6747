/** A real Apache Kafka, one node in KRaft mode, that tests start, kill and start again. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Kafka, logLevel } from 'kafkajs';
import { freePort, waitUntil } from '../../../src/infra/postgres/embeddedProcess.js';
import { fetchJars } from './jars.js';
import { PREFIX, sweepBrokers } from './sweep.js';

const START_DEADLINE = 90_000;
const KEPT_LOG = 3_000;

const properties = (dir: string, port: number, controller: number): string =>
  Object.entries({
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${controller}`,
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controller}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'PLAINTEXT',
    'listener.security.protocol.map': 'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT',
    'log.dirs': join(dir, 'data'),
    'auto.create.topics.enable': false,
    'offsets.topic.num.partitions': 4,
    'offsets.topic.replication.factor': 1,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'share.coordinator.state.topic.replication.factor': 1,
    'share.coordinator.state.topic.min.isr': 1,
    'group.initial.rebalance.delay.ms': 0,
    'group.min.session.timeout.ms': 1000,
  })
    .map(([key, value]) => `${key}=${value}\n`)
    .join('');

const LOGGING = `status = error
appender.out.type = Console
appender.out.name = out
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = %d %p %c{1}: %m%n
rootLogger.level = warn
rootLogger.appenderRef.out.ref = out
`;

const clusterId = (): string => `T${randomBytes(16).toString('base64url').slice(1, 22)}`;

/** The broker answers requests, not only connections. */
const answers = async (address: string): Promise<boolean> => {
  const retry = { retries: 0 };
  const kafka = new Kafka({ brokers: [address], logLevel: logLevel.NOTHING, connectionTimeout: 500, retry });
  const admin = kafka.admin();
  try {
    await admin.connect();
    return (await admin.describeCluster()).brokers.length > 0;
  } catch {
    return false;
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
};

export class TestBroker {
  #child: ChildProcess | undefined;

  private constructor(
    /** What KAFKA_BROKERS would say. */
    readonly address: string,
    private readonly dir: string,
    private readonly jars: string,
  ) {
    process.on('exit', () => this.#child?.kill('SIGKILL'));
  }

  /** Formats a data directory of its own, and starts on free ports. */
  static async start(): Promise<TestBroker> {
    await sweepBrokers();
    const jars = await fetchJars();
    const dir = await mkdtemp(join(tmpdir(), `${PREFIX}${process.pid}-`));
    const port = await freePort(20_000 + Math.floor(Math.random() * 12_000));
    await mkdir(join(dir, 'data'));
    await writeFile(join(dir, 'server.properties'), properties(dir, port, await freePort(port + 1)));
    await writeFile(join(dir, 'log4j2.properties'), LOGGING);
    const broker = new TestBroker(`127.0.0.1:${port}`, dir, jars);
    const format = ['format', '-t', clusterId(), '-c', join(dir, 'server.properties')];
    await promisify(execFile)('java', [...broker.#java(), 'kafka.tools.StorageTool', ...format]);
    await broker.restart();
    return broker;
  }

  /** As a power cut would, except that the machine keeps what was written. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    if (child.exitCode === null && child.signalCode === null && child.kill('SIGKILL')) await ended;
    this.#child = undefined;
  }

  /** On the same data and ports. */
  async restart(): Promise<void> {
    const log = await open(join(this.dir, 'broker.log'), 'a');
    const options = ['-Xms256M', '-Xmx512M', '-XX:+UseSerialGC', ...this.#java()];
    const child = spawn('java', [...options, 'kafka.Kafka', join(this.dir, 'server.properties')], {
      cwd: this.dir,
      stdio: ['ignore', log.fd, log.fd],
    });
    this.#child = child;
    await log.close();
    await writeFile(join(this.dir, 'pid'), String(child.pid));
    const up = await waitUntil(async () => child.exitCode !== null || answers(this.address), START_DEADLINE);
    if (up && child.exitCode === null) return;
    const said = await readFile(join(this.dir, 'broker.log'), 'utf8');
    await this.kill();
    throw new Error(`Kafka did not start:\n${said.slice(-KEPT_LOG)}`);
  }

  /** For good. */
  async stop(): Promise<void> {
    await this.kill();
    await rm(this.dir, { recursive: true, force: true });
  }

  #java(): string[] {
    const logging = `-Dlog4j2.configurationFile=${join(this.dir, 'log4j2.properties')}`;
    return [logging, '-cp', join(this.jars, '*')];
  }
}
