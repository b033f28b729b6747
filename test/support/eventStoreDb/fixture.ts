/** A double and stores on it, gone after each test. */
import {
  EsdbEventStore,
  type EsdbEventStoreOptions,
} from '../../../src/infra/eventStoreDb/esdbEventStore.js';
import { type DoubleOptions, type EventStoreDbDouble, startEventStoreDb } from './double.js';

export interface EsdbFixture {
  server(options?: DoubleOptions): Promise<EventStoreDbDouble>;
  store(url: string, options?: Partial<EsdbEventStoreOptions>): EsdbEventStore;
}

export const esdbFixture = (): EsdbFixture => {
  const ends: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const end of ends.splice(0).reverse()) await end();
  });
  return {
    server: async (options) => {
      const double = await startEventStoreDb(options);
      ends.push(() => double.close());
      return double;
    },
    store: (url, options = {}) => {
      const store = new EsdbEventStore({ url, watchMs: 100, ...options });
      ends.push(() => store.close());
      return store;
    },
  };
};

/** The code an operation is refused with, 'done' when it is not. */
export const outcomeOf = (operation: Promise<unknown>): Promise<unknown> =>
  operation.then(
    () => 'done',
    (error: unknown) => (error as { code?: unknown }).code ?? (error as Error).name,
  );
