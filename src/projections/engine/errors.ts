import type { Fact } from '../../events/envelope.js';

export type ProjectionErrorCode =
  | 'unknown_projection'
  | 'rebuild_running'
  | 'rebuild_failed'
  | 'no_previous_generation'
  | 'version_mismatch'
  | 'as_of_unsupported'
  | 'unknown_organization';

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

/** What the status says of a projection that stopped: at an event, or (nulls) at rows that a rebuild had folded. */
export interface Failure {
  readonly position: string | null;
  readonly event_id: string | null;
  readonly type: string | null;
  readonly message: string;
}

export const inWords = ({ type, position, message }: Failure): string =>
  type === null ? `failed to be rebuilt: ${message}` : `failed on ${type} at ${position}: ${message}`;

/** One event that the fold, or the table, cannot take. */
export class EventFailure extends Error {
  constructor(
    readonly projection: string,
    readonly event: Fact,
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

/** What to tell of an error that will come back until the fold is corrected; undefined for any other. */
export const failureOf = (error: unknown): Failure | undefined => {
  if (error instanceof EventFailure) {
    const { event, cause } = error;
    const { id: event_id, type, position } = event;
    return { position: String(position), event_id, type, message: messageOf(cause) };
  }
  return error instanceof TableRefusal
    ? { position: null, event_id: null, type: null, message: messageOf(error.cause) }
    : undefined;
};

/** Rows were folded without fault, and then the table would not take one of them. */
export class TableRefusal extends Error {
  constructor(projection: string, options: { readonly cause: unknown }) {
    super(`the table of ${projection} refuses a row: ${messageOf(options.cause)}`, options);
    this.name = 'TableRefusal';
  }
}

/**
 * Classes 22 (data) and 23 (constraints), and a value too long for an index: the row is at fault, not the connection;
 * it will fail again.
 */
export const isDataError = (error: unknown): boolean =>
  error instanceof Error && /^(2[23]|54)/.test(String((error as { code?: unknown }).code));

/** @throws TableRefusal for an error that the row is to blame for */
export const intoTable = <T>(projection: string, work: Promise<T>): Promise<T> =>
  work.catch((cause: unknown) => {
    throw isDataError(cause) ? new TableRefusal(projection, { cause }) : cause;
  });
