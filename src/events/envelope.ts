import type { Instant } from '../kernel/clock.js';
import type { Message } from '../kernel/message.js';
import type { Actor } from '../kernel/principal.js';

/** `<aggregate>-<uuid>`, e.g. `payment-7c9e6679-…`. */
export type StreamId = string;

/** A place in the whole log: opaque and strictly increasing. Never subtract two to count events. 0n is before the first. */
export type Position = bigint;

/** What is known about an event beside its data. */
export interface EventMetadata {
  readonly org_id: string;
  readonly actor: Actor;
  /** The same for everything that one outside request led to. */
  readonly correlation_id: string;
  /** The id of the event or request that led to this one. */
  readonly causation_id: string;
  /** The command's id: event ids are derived from it, so a retried command is harmless. */
  readonly command_id: string;
  readonly request_id?: string;
  readonly traceparent?: string;
  readonly schema_version: number;
  /** When it happened; `recorded_at` is when we learnt it. */
  readonly occurred_at: Instant;
}

/** An event about to be appended. */
export interface NewEvent<E extends Message = Message> {
  readonly id: string;
  readonly type: E['type'];
  readonly data: E['data'];
  readonly metadata: EventMetadata;
}

/** An event as the log holds it. */
export interface RecordedEvent<T extends string = string, D = unknown> {
  readonly id: string;
  readonly stream: StreamId;
  /** 0-based within the stream. */
  readonly revision: bigint;
  readonly position: Position;
  readonly type: T;
  readonly data: D;
  readonly metadata: EventMetadata;
  /** The store's clock; never decreases along the log. */
  readonly recorded_at: Instant;
}

/** What of the metadata belongs to the fact: whose it is, when it happened, and how its data is written. */
export type FactMetadata = Pick<EventMetadata, 'org_id' | 'occurred_at' | 'schema_version'>;

/** An event as a fold sees it: what happened and when, not on whose request. Every recorded event is one. */
export interface Fact<
  T extends string = string,
  D = unknown,
  M extends FactMetadata = FactMetadata,
> extends Omit<RecordedEvent<T, D>, 'metadata'> {
  readonly metadata: M;
}

export type FactOf<E extends Message, M extends FactMetadata = FactMetadata> =
  E extends Message<infer T, infer D> ? Fact<T, D, M> : never;

/** Of a fact that also says who made it so. */
export type AttributedMetadata = FactMetadata & Pick<EventMetadata, 'actor'>;

/** The recorded form of each member of an event union, so that `type` narrows `data`. */
export type Recorded<E extends Message> = E extends Message<infer T, infer D> ? RecordedEvent<T, D> : never;
