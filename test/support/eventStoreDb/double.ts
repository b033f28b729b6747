/**
 * A server that speaks EventStoreDB's protocol on a real socket, for tests on machines without one. Its data lives
 * as long as the object; stop() and start() are a restart with the data kept.
 */
import { EsdbLog } from './log.js';
import { FaultyProxy } from '../faultyProxy.js';
import { type Calls, EsdbService, type Quirks } from './server.js';

export interface EventStoreDbDouble {
  readonly url: string;
  readonly port: number;
  readonly log: EsdbLog;
  readonly quirks: Quirks;
  /** How often each method was called. */
  readonly calls: Calls;
  stop(): Promise<void>;
  start(): Promise<void>;
  /** Cuts every connection; new ones are taken. */
  cut(): void;
  /** Silence on every connection, old and new, until `resume`. */
  hang(): void;
  resume(): void;
  /** Ends it for good. */
  close(): Promise<void>;
}

export interface DoubleOptions {
  /** True: not even the events that every server has from its first start. */
  readonly bare?: boolean;
  /** The data of another double: a second node. */
  readonly log?: EsdbLog;
}

export const startEventStoreDb = async ({
  bare = false,
  log = new EsdbLog(),
}: DoubleOptions = {}): Promise<EventStoreDbDouble> => {
  if (!bare && log.records.length === 0) {
    log.setMetadata('$stats-127.0.0.1:2113', { $maxCount: 10 });
    log.addSystemEvent();
  }
  const service = new EsdbService(log);
  const { port, stop } = await service.listen();
  const proxy = new FaultyProxy(port);
  await proxy.start();
  return {
    url: `esdb://127.0.0.1:${proxy.port}?tls=false`,
    port: proxy.port,
    log,
    quirks: service.quirks,
    calls: service.calls,
    stop: () => proxy.stop(),
    start: () => proxy.start(),
    cut: () => proxy.cut(),
    hang: () => proxy.hang(),
    resume: () => proxy.resume(),
    close: async () => {
      await proxy.stop();
      stop();
    },
  };
};
