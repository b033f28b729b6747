import type { ServeRole } from '../cli/services.js';
import { publicEventTypes } from '../events/integration/toPublicMessage.js';
import { SAGA_GROUP } from '../workers/saga.js';
import { relayName } from './bus.js';
import type { Runtime } from './runtime.js';

/** A count of lag ends here: "1000" then means "at least". */
const CAP = 1_000;

/** Under which name a role keeps how far it has read the log. Kafka keeps the saga's offsets itself. */
const checkpointOf = (
  { kafkaBrokers, kafkaTopic }: Runtime['config'],
  role: ServeRole,
): string | undefined => {
  if (role === 'relay') return relayName(kafkaTopic);
  return role === 'saga' && kafkaBrokers === undefined ? SAGA_GROUP : undefined;
};

/** How many public events lie before a role of the bus; undefined where there is no such measure. */
export const busLag = async (
  { config, database, store }: Pick<Runtime, 'config' | 'database' | 'store'>,
  role: ServeRole,
): Promise<string | undefined> => {
  const name = checkpointOf(config, role);
  if (name === undefined) return undefined;
  const { rows } = await database.pool.query<{ position: string }>(
    'SELECT position FROM bus_checkpoints WHERE consumer_group = $1',
    [name],
  );
  const { events } = await store.lag(BigInt(rows[0]?.position ?? 0), Object.values(publicEventTypes), CAP);
  return `${events === CAP ? `${CAP} or more` : events} events`;
};
