import { eventStoreContract } from '../../../test/support/eventStoreContract.js';
import { startEventStoreDb } from '../../../test/support/eventStoreDb/double.js';
import { EsdbEventStore } from './esdbEventStore.js';

eventStoreContract('EsdbEventStore', async () => {
  const server = await startEventStoreDb();
  const bare = await startEventStoreDb({ bare: true });
  const store = new EsdbEventStore({ url: server.url });
  const empty = new EsdbEventStore({ url: bare.url });
  const stop = async () => {
    await Promise.all([store.close(), empty.close()]);
    await Promise.all([server.close(), bare.close()]);
  };
  return { store, empty, stop };
});
