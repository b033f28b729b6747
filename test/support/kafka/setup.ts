/** What a test broker is to be, as its server.properties. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';

/** Beside the plain one that every broker has. */
export interface Listener {
  readonly name: string;
  readonly protocol: 'PLAINTEXT' | 'SSL' | 'SASL_PLAINTEXT' | 'SASL_SSL';
  readonly port: number;
  /** Where clients are told to connect to, when something stands between. */
  readonly advertised?: number;
}

export interface Cluster {
  readonly id: string;
  /** The port of the one controller, which is its first node. */
  readonly controller: number;
}

export interface BrokerSetup {
  readonly listeners?: readonly Listener[];
  readonly settings?: Readonly<Record<string, string>>;
  /** Users, e.g. `SCRAM-SHA-256=[name=…,password=…]`. */
  readonly scram?: readonly string[];
  /** The cluster whose second node it is to be; without, it is the first of its own. */
  readonly joins?: Cluster;
}

export interface Node extends Omit<BrokerSetup, 'joins'> {
  readonly dir: string;
  readonly port: number;
  readonly cluster: Cluster;
  readonly first: boolean;
}

export const newClusterId = (): string => `T${randomBytes(16).toString('base64url').slice(1, 22)}`;

const listenersOf = ({ port, listeners = [], cluster, first }: Node): Record<string, string> => {
  const all: readonly Listener[] = [{ name: 'PLAINTEXT', protocol: 'PLAINTEXT', port }, ...listeners];
  const places = (of: (listener: Listener) => number): string[] =>
    all.map((listener) => `${listener.name}://127.0.0.1:${of(listener)}`);
  const controller = first ? [`CONTROLLER://127.0.0.1:${cluster.controller}`] : [];
  const protocols = all.map(({ name, protocol }) => `${name}:${protocol}`);
  return {
    listeners: [...places((one) => one.port), ...controller].join(),
    'advertised.listeners': places((one) => one.advertised ?? one.port).join(),
    'listener.security.protocol.map': ['CONTROLLER:PLAINTEXT', ...protocols].join(),
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'PLAINTEXT',
  };
};

export const propertiesOf = (node: Node): string =>
  Object.entries({
    ...listenersOf(node),
    'process.roles': node.first ? 'broker,controller' : 'broker',
    'node.id': node.first ? 1 : 2,
    'controller.quorum.voters': `1@127.0.0.1:${node.cluster.controller}`,
    'log.dirs': join(node.dir, 'data'),
    'auto.create.topics.enable': false,
    'offsets.topic.num.partitions': 4,
    'offsets.topic.replication.factor': 1,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'share.coordinator.state.topic.replication.factor': 1,
    'share.coordinator.state.topic.min.isr': 1,
    'group.initial.rebalance.delay.ms': 0,
    'group.min.session.timeout.ms': 1000,
    ...node.settings,
  })
    .map(([key, value]) => `${key}=${value}\n`)
    .join('');

export const LOGGING = `status = error
appender.out.type = Console
appender.out.name = out
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = %d %p %c{1}: %m%n
rootLogger.level = warn
rootLogger.appenderRef.out.ref = out
`;
