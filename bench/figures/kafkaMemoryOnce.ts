/**
 * Carries messages as the relay or the saga does, and tells the resident memory at each hundredth of them:
 * `kafkaMemoryOnce.ts relay|saga <database url> <brokers> <topic> <messages>`.
 */
import { organizationDecider } from '../../src/commands/organization/decide.js';
import { activePolicy } from '../../src/commands/organization/state.js';
import { PgEventStore } from '../../src/infra/eventStore/pgEventStore.js';
import { createKafka } from '../../src/infra/kafka/client.js';
import { KafkaEventBus } from '../../src/infra/kafka/kafkaEventBus.js';
import { installationOf } from '../../src/infra/postgres/installation.js';
import { createPool } from '../../src/infra/postgres/pool.js';
import { systemClock as clock } from '../../src/infra/systemClock.js';
import { noFaults as faults } from '../../src/kernel/faults.js';
import { silentLogger as logger } from '../../src/kernel/logger.js';
import { rulesReader } from '../../src/commands/rules/reader.js';
import { sagaHandler } from '../../src/workers/saga.js';
import { PARTITIONS as partitions } from '../lib/kafka.js';
import { relayLog } from '../lib/relayRun.js';

const [role, url = '', brokers = '', topic = '', messages = ''] = process.argv.slice(2);
const total = Number(messages);
const samples: number[] = [];
const stop = new AbortController();
process.on('disconnect', () => process.exit(1));

let carried = 0;
const count = (more: number): void => {
  carried += more;
  while (carried >= ((samples.length + 1) * total) / 100)
    samples.push(process.memoryUsage().rss / 1024 / 1024);
  if (carried >= total) stop.abort();
};

const pool = createPool({ url, logger });
const store = new PgEventStore({ pool });
const kafka = await createKafka({ brokers: brokers.split(','), clientId: 'bench' }, logger);

if (role === 'relay') await relayLog({ store, pool, kafka, topic, onPublished: count }, total);
else {
  // The seeded log has no organizations.
  const policyOf = () => Promise.resolve(activePolicy(organizationDecider.initialState));
  const meansOf = () => Promise.resolve({ chargeable: true, payable: true });
  const handle = sagaHandler({ store, rulesOf: rulesReader(store), clock, faults, policyOf, meansOf });
  const installation = await installationOf(pool);
  await new KafkaEventBus({ kafka, topic, installation, partitions, store, pool, logger, faults }).consume({
    group: topic,
    types: ['payment.failed', 'payment.succeeded', 'recovery.succeeded'],
    concurrency: 16,
    signal: stop.signal,
    handle: async (message) => {
      await handle(message);
      count(1);
    },
  });
}
await store.close();
await pool.end();
process.send?.({ samples }, () => process.exit(0));
