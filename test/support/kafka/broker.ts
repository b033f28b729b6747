/** A real Apache Kafka in KRaft mode, of one node or two, that tests start, kill and start again. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdir, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Kafka, logLevel } from 'kafkajs';
import { freePort, waitUntil } from '../../../src/infra/postgres/embeddedProcess.js';
import { fetchJars } from './jars.js';
import { type BrokerSetup, type Cluster, LOGGING, newClusterId, propertiesOf } from './setup.js';
import { PREFIX, sweepBrokers } from './sweep.js';

const START_DEADLINE = 90_000;
const KEPT_LOG = 3_000;

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

/** Free, and most likely not chosen by another run at the same moment. */
export const somePort = (): Promise<number> => freePort(20_000 + Math.floor(Math.random() * 12_000));

export class TestBroker {
  #child: ChildProcess | undefined;

  private constructor(
    /** What KAFKA_BROKERS would say. */
    readonly address: string,
    readonly cluster: Cluster,
    private readonly dir: string,
    private readonly jars: string,
  ) {
    process.on('exit', () => this.#child?.kill('SIGKILL'));
  }

  /** Formats a data directory of its own, and starts on free ports. */
  static async start({ joins, scram = [], ...setup }: BrokerSetup = {}): Promise<TestBroker> {
    await sweepBrokers();
    const jars = await fetchJars();
    const dir = await mkdtemp(join(tmpdir(), `${PREFIX}${process.pid}-`));
    const port = await somePort();
    const cluster = joins ?? { id: newClusterId(), controller: await freePort(port + 1) };
    const node = { ...setup, dir, port, cluster, first: joins === undefined };
    await mkdir(join(dir, 'data'));
    await writeFile(join(dir, 'server.properties'), propertiesOf(node));
    await writeFile(join(dir, 'log4j2.properties'), LOGGING);
    const broker = new TestBroker(`127.0.0.1:${port}`, cluster, dir, jars);
    const users = scram.flatMap((user) => ['--add-scram', user]);
    const format = ['format', '-t', cluster.id, '-c', join(dir, 'server.properties'), ...users];
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
