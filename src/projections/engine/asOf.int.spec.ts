import { expect } from 'chai';
import { setTimeout as sleep } from 'node:timers/promises';
import type { NewEvent, RecordedEvent } from '../../events/envelope.js';
import { PgEventStore } from '../../infra/eventStore/pgEventStore.js';
import { silentLogger as logger } from '../../kernel/logger.js';
import { named } from '../../../test/support/engine.js';
import { createTestDatabase, type TestDatabase } from '../../../test/support/postgres.js';
import { rowsOf } from '../../../test/support/projectionSpec.js';
import { recoveryHistories } from '../../../test/support/recoveryHistories.js';
import { ProjectionEngine } from './engine.js';

const model = named('recoveries');
const longest = (log: readonly RecordedEvent[]): readonly RecordedEvent[] =>
  log
    .filter(({ type }) => type === 'RecoveryStarted')
    .map((started) => log.filter(({ stream }) => stream === started.stream))
    .reduce((most, events) => (events.length > most.length ? events : most));

describe('a row as of an instant', () => {
  let db: TestDatabase;
  let store: PgEventStore;
  before(async () => {
    db = await createTestDatabase();
    store = new PgEventStore({ pool: db.pool });
  });
  after(async () => {
    await store.close();
    await db.drop();
  });

  it('is what had been recorded by then, to the millisecond', async () => {
    const history = longest(recoveryHistories({ seed: 1, recoveries: 10 })).slice(0, 12);
    const stream = history[0]?.stream ?? '';
    for (const [index, { id, type, data, metadata }] of history.entries()) {
      const event = { id, type, data, metadata } as NewEvent;
      await store.append(stream, index === 0 ? 'no_stream' : BigInt(index - 1), [event]);
      await sleep(3);
    }
    const recorded: RecordedEvent[] = [];
    for await (const page of store.readStream(stream)) recorded.push(...page);
    const engine = new ProjectionEngine({ store, pool: db.pool, projections: [model], logger });
    const key = stream.slice('recovery-'.length);
    const asOf = (ms: number) => engine.asOf('recoveries', key, { instant: new Date(ms).toISOString() });
    for (const [index, { recorded_at }] of recorded.entries()) {
      const known = (count: number) => rowsOf(model, recorded.slice(0, count), { check: false }).get(key);
      const at = Date.parse(recorded_at);
      expect(await asOf(at - 1), `just before event ${index + 1}`).to.deep.equal(known(index));
      expect(await asOf(at), `at event ${index + 1}`).to.deep.equal(known(index + 1));
    }
  });
});
