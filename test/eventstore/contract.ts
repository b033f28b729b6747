/**
 * The contract of the EventStore port, against a real server:
 *   EVENTSTORE_URL='esdb://admin:changeit@localhost:2113?tls=false' npm run test:eventstore
 * Every stream has a name of its own and nothing is removed, so the server may be one that others use.
 */
import { EsdbEventStore } from '../../src/infra/eventStoreDb/esdbEventStore.js';
import { eventStoreContract } from '../support/eventStoreContract.js';

const url = process.env['EVENTSTORE_URL'];
if (url === undefined || url === '') {
  process.stderr.write('Set EVENTSTORE_URL to the server to test, e.g. esdb://localhost:2113?tls=false\n');
  process.exit(2);
}

eventStoreContract(
  'EsdbEventStore on a real server',
  () => {
    const store = new EsdbEventStore({ url });
    return Promise.resolve({ store, stop: () => store.close() });
  },
  { shared: true },
);
