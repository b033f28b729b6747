import { expect } from 'chai';
import { PgEventStore } from '../../../src/infra/eventStore/pgEventStore.js';
import { silentLogger } from '../../../src/kernel/logger.js';
import { ProjectionEngine } from '../../../src/projections/engine/engine.js';
import { projections } from '../../../src/projections/index.js';
import { pspBooks, recoveryStories, type RecoveryStory } from '../crashLedger.js';
import { digests } from '../engine.js';
import type { TestDatabase } from '../postgres.js';
import { readEvents } from '../systemLog.js';

const closings = ['RecoverySucceeded', 'RecoveryExhausted', 'RecoveryExpired', 'RecoveryCancelled'];
const count = (types: readonly string[], wanted: readonly string[]): number =>
  types.filter((type) => wanted.includes(type)).length;

const hasOneEnd = ({ id, types, attempts, steps }: RecoveryStory): void => {
  const told = `${id}: ${types.join(' ')}`;
  expect(count(types, ['RecoveryStarted']), told).to.equal(1);
  expect(count(types, closings), told).to.equal(1);
  for (const { outcomes } of attempts) expect(outcomes, told).to.have.length(1);
  for (const { sent, givenUp } of steps.values()) expect(sent + givenUp, told).to.equal(1);
};

/** Log, the PSP's books and read models say the same: nothing is missing, nothing was done twice. */
export const everythingAgrees = async (db: TestDatabase, payments: number): Promise<void> => {
  const [events, { charges, asked }] = await Promise.all([readEvents(db), pspBooks(db)]);
  const stories = [...recoveryStories(events).values()];
  expect(stories).to.have.length(payments);
  stories.forEach(hasOneEnd);
  const intents = stories.flatMap(({ attempts }) => attempts.map(({ key }) => key));
  expect(intents).to.have.length(new Set(intents).size);
  for (const key of asked)
    expect(intents.includes(key), `${key} was asked for without an intent`).to.equal(true);
  const paid = charges.filter(({ status }) => status === 'succeeded').map((charge) => charge.payment_id);
  expect(paid, 'a debt was charged twice').to.have.length(new Set(paid).size);
  const recovered = stories.filter(({ types }) => types.includes('RecoverySucceeded'));
  expect(recovered.map(({ payment }) => payment)).to.have.members(paid);
  const parked = await db.pool.query('SELECT FROM parked_messages');
  expect(parked.rowCount).to.equal(0);
  await rebuildAgrees(db);
};

const rebuildAgrees = async ({ pool }: TestDatabase): Promise<void> => {
  const store = new PgEventStore({ pool });
  const engine = new ProjectionEngine({ store, pool, projections, logger: silentLogger });
  const live = await digests(pool, engine);
  await engine.rebuild('all');
  expect(await digests(pool, engine)).to.deep.equal(live);
  await store.close();
};
