import { setTimeout as sleep } from 'node:timers/promises';
import { assertValid, currentVersion, upcast } from '../events/registry.js';
import type { EventMetadata, NewEvent, Position, StreamId } from '../events/envelope.js';
import { type EventStore, type ExpectedRevision, isRevisionConflict } from '../events/eventStore.js';
import type { Decider } from '../kernel/decider.js';
import { DomainError } from '../kernel/errors.js';
import { deriveId, eventIdOf } from '../kernel/ids.js';
import type { Message } from '../kernel/message.js';
import type { CommandContext } from './context.js';

const ATTEMPTS = 20;
const FIRST_PAUSE_MS = 5;
const LONGEST_PAUSE_MS = 400;

/** Contenders of one stream spread out: each waits a part of a doubling span that its command's id tells. */
const pauseAfter = async (attempt: number, commandId: string): Promise<void> => {
  const span = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** attempt);
  const share = Number.parseInt(deriveId('pause', commandId, String(attempt)).slice(0, 8), 16) / 2 ** 32;
  await sleep(span * share);
};

/** A stream folded: what a decision is taken from. */
export interface Loaded<S> {
  readonly state: S;
  readonly revision: ExpectedRevision;
  /** The position of the stream's last event, 0n for an absent stream. */
  readonly position: Position;
  /** Whose stream it is; absent for an absent stream. */
  readonly orgId?: string;
  /** What led to the stream's first event: what is done later on its behalf goes back to the same. */
  readonly began?: Pick<CommandContext, 'correlationId' | 'requestId'>;
}

export interface Handled<S, E extends Message> extends Loaded<S> {
  /** The new events, empty when the command had nothing left to do. */
  readonly events: readonly NewEvent<E>[];
}

export const absent = <S>(decider: { readonly initialState: S }): Loaded<S> => ({
  state: decider.initialState,
  revision: 'no_stream',
  position: 0n,
});

const beganBy = ({ correlation_id, request_id }: EventMetadata): Loaded<unknown>['began'] & object => ({
  correlationId: correlation_id,
  ...(request_id !== undefined && { requestId: request_id }),
});

/** Folds a stream, or only what came after `from`. */
export const load = async <S, E extends Message>(
  store: EventStore,
  decider: Pick<Decider<S, never, E>, 'initialState' | 'evolve'>,
  stream: StreamId,
  from: Loaded<S> = absent(decider),
): Promise<Loaded<S>> => {
  let loaded = from;
  const after = from.revision === 'no_stream' ? {} : { after: from.revision };
  for await (const page of store.readStream(stream, after)) {
    for (const event of page) {
      const current = upcast(event);
      const state = decider.evolve(loaded.state, { type: current.type, data: current.data } as E);
      const { revision, position, metadata } = event;
      const began = loaded.began ?? beganBy(metadata);
      loaded = { state, revision, position, orgId: metadata.org_id, began };
    }
  }
  return loaded;
};

const metadataOf = (type: string, context: CommandContext): EventMetadata => ({
  org_id: context.principal.orgId,
  actor: context.principal.actor,
  correlation_id: context.correlationId,
  causation_id: context.causationId,
  command_id: context.commandId,
  ...(context.requestId !== undefined && { request_id: context.requestId }),
  ...(context.traceparent !== undefined && { traceparent: context.traceparent }),
  schema_version: currentVersion(type),
  occurred_at: context.occurredAt ?? context.now,
});

const toNewEvents = <E extends Message>(decided: readonly E[], context: CommandContext): NewEvent<E>[] =>
  decided.map((event, index) => {
    assertValid(event.type, event.data);
    return {
      id: eventIdOf(context.commandId, index),
      type: event.type,
      data: event.data,
      metadata: metadataOf(event.type, context),
    };
  });

export interface HandleOptions<S> {
  /** Throws when this principal may not touch the stream as it is, e.g. because it is another organization's. */
  readonly guard?: (loaded: Loaded<S>) => void;
  /** Decide from this first instead of reading the stream: what was just read, or `absent` for a stream likely new. */
  readonly from?: Loaded<S>;
}

/**
 * The only place where I/O meets a decider: load, decide, append at the revision read. A concurrent append is met by
 * deciding again from the newer state, a bounded number of times and after ever longer pauses.
 * @throws DomainError `version_conflict` when the stream kept moving
 */
export const handle = async <S, C, E extends Message>(
  store: EventStore,
  decider: Decider<S, C, E>,
  stream: StreamId,
  command: C,
  context: CommandContext,
  options: HandleOptions<S> = {},
): Promise<Handled<S, E>> => {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const known = attempt === 1 ? options.from : undefined;
    const loaded = known ?? (await load(store, decider, stream));
    options.guard?.(loaded);
    const decided = decider.decide(command, loaded.state);
    if (decided.length === 0) return { ...loaded, events: [] };
    const events = toNewEvents(decided, context);
    try {
      const appended = await store.append(stream, loaded.revision, events);
      return {
        ...appended,
        orgId: context.principal.orgId,
        began: loaded.began ?? context,
        state: decided.reduce(decider.evolve, loaded.state),
        events,
      };
    } catch (error) {
      if (!isRevisionConflict(error)) throw error;
    }
    // What was guessed rather than read says nothing about contention.
    if (known === undefined && attempt < ATTEMPTS) await pauseAfter(attempt, context.commandId);
  }
  throw new DomainError('version_conflict', `${stream} is being changed by others; try again`);
};
