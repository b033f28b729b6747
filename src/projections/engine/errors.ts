import type { RecordedEvent } from '../../events/envelope.js';

export type ProjectionErrorCode =
  | 'unknown_projection'
  | 'rebuild_running'
  | 'rebuild_failed'
  | 'no_previous_generation'
  | 'version_mismatch'
  | 'as_of_unsupported';

/** A refusal of the engine to its operator. Guards test `code`, never `instanceof`. */
export class ProjectionError extends Error {
  constructor(
    readonly code: ProjectionErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'ProjectionError';
  }
}

export const isProjectionError = (error: unknown): error is ProjectionError =>
  error instanceof Error && error.name === 'ProjectionError';

/** What the status says of a projection that stopped at an event. */
export interface Failure {
  readonly position: string;
  readonly event_id: string;
  readonly type: string;
  readonly message: string;
}

/** One event that the fold, or the table, cannot take. */
export class EventFailure extends Error {
  constructor(
    readonly projection: string,
    readonly event: RecordedEvent,
    options: { readonly cause: unknown },
  ) {
    super(
      `${projection} cannot fold ${event.type} at ${event.position}: ${messageOf(options.cause)}`,
      options,
    );
    this.name = 'EventFailure';
  }
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

export const failureOf = ({ event, cause }: EventFailure): Failure => ({
  position: String(event.position),
  event_id: event.id,
  type: event.type,
  message: messageOf(cause),
});

/** Class 22 (data) and 23 (constraints): the row is at fault, not the connection; it will fail again. */
export const isDataError = (error: unknown): boolean =>
  error instanceof Error && /^2[23]/.test(String((error as { code?: unknown }).code));
