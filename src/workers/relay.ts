import type { Position } from '../events/envelope.js';
import type { Delivery, EventStore } from '../events/eventStore.js';
import type { PublicMessage } from '../events/integration/message.js';
import { publicEventTypes, toPublicMessage } from '../events/integration/toPublicMessage.js';
import { upcast } from '../events/registry.js';
import type { Faults } from '../kernel/faults.js';

export interface RelayDependencies {
  readonly store: EventStore;
  /** Publishes in order, and resolves when the messages are safe; after a failure all of them are published again. */
  readonly publisher: { publish(messages: readonly PublicMessage[]): Promise<void> };
  /** Moving it fails when somebody else has moved it since it was loaded. */
  readonly checkpoint: { load(): Promise<Position>; moveTo(position: Position): Promise<void> };
  /** Does the work whenever this process is the one that is to do it; what fails is begun anew after a pause. */
  readonly lead: (signal: AbortSignal, work: (elected: AbortSignal) => Promise<void>) => Promise<void>;
  readonly faults: Faults;
}

/** Events per batch. At 1.2 kB for the largest message there can be, a batch stays under Kafka's limit of 1 MB. */
const PAGE = 500;

const messagesOf = (delivery: Delivery): PublicMessage[] =>
  delivery.kind === 'events'
    ? delivery.events
        .map((event) => toPublicMessage(upcast(event)))
        .filter((message) => message !== undefined)
    : [];

/**
 * Log → topic, at least once and without a hole: the checkpoint says what has been acknowledged, so a relay that dies
 * between the two publishes a batch again. It is written while the next batch is on its way.
 */
const relay = async (deps: RelayDependencies, signal: AbortSignal): Promise<void> => {
  const { store, publisher, checkpoint, faults } = deps;
  let published = await checkpoint.load();
  let writing: Promise<void> = Promise.resolve();
  const types = Object.values(publicEventTypes);
  const unwritten = new AbortController();
  const stop = AbortSignal.any([signal, unwritten.signal]);
  const log = store.subscribe({ after: published, filter: { types }, pageSize: PAGE, signal: stop });
  try {
    for await (const delivery of log) {
      const messages = messagesOf(delivery);
      if (stop.aborted) break;
      if (messages.length > 0) await publisher.publish(messages);
      if (delivery.position === published) continue;
      published = delivery.position;
      faults('relay:after-publish');
      await writing;
      writing = checkpoint.moveTo(published).then(() => faults('relay:after-checkpoint'));
      writing.catch(() => unwritten.abort()); // told at the end, which must not wait for another event
    }
  } finally {
    await writing;
  }
};

/** Feeds the bus of the distributed set-up from the log, until the signal aborts. */
export const runRelay = (deps: RelayDependencies, signal: AbortSignal): Promise<void> =>
  deps.lead(signal, (elected) => relay(deps, elected));
