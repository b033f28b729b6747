import { eventStoreContract } from '../../../test/support/eventStoreContract.js';
import { createTestDatabase } from '../../../test/support/postgres.js';
import { PgEventStore } from './pgEventStore.js';

eventStoreContract('PgEventStore', async () => {
  const db = await createTestDatabase();
  const emptyDb = await createTestDatabase();
  const store = new PgEventStore({ pool: db.pool });
  const empty = new PgEventStore({ pool: emptyDb.pool });
  const stop = async () => {
    await Promise.all([store.close(), empty.close()]);
    await Promise.all([db.drop(), emptyDb.drop()]);
  };
  return { store, empty, stop };
});
