import { isCommandError, NotLeaderError } from '@eventstore/db-client';
import { status } from '@grpc/grpc-js';
import { DomainError } from '../../kernel/errors.js';
import type { Endpoint } from './esdbAddress.js';

/** The server did not answer in the time given. */
export class NoAnswer extends Error {
  constructor(ms: number) {
    super(`no answer from the event store within ${Math.round(ms)} ms`);
    this.name = 'NoAnswer';
  }
}

/** Answers of the server about what it was asked: the same question gets the same answer. */
const REFUSALS = new Set(['stream-deleted', 'access-denied', 'maximum-append-size-exceeded', 'not-found']);
const REFUSAL_CODES = new Set([
  status.INVALID_ARGUMENT,
  status.NOT_FOUND,
  status.PERMISSION_DENIED,
  status.UNAUTHENTICATED,
  status.RESOURCE_EXHAUSTED,
  status.FAILED_PRECONDITION,
  status.UNIMPLEMENTED,
]);

/** True for what may well succeed when it is tried again: a lost connection, silence, a node that no longer leads. */
export const mayPass = (error: unknown): boolean => {
  if (error instanceof RangeError || error instanceof TypeError) return false;
  if (leaderOf(error) !== undefined) return true;
  if (isCommandError(error as Error) && REFUSALS.has((error as { type?: string }).type ?? '')) return false;
  const { code } = error as { code?: unknown };
  return typeof code !== 'number' || !REFUSAL_CODES.has(code);
};

/** Where the node that refused says the leader is. */
export const leaderOf = (error: unknown): Endpoint | undefined =>
  error instanceof NotLeaderError ? error.leader : undefined;

export const isDeleted = (error: unknown): boolean =>
  error instanceof Error && (error as { type?: unknown }).type === 'stream-deleted';

/** What callers of the port get when the log cannot be reached: nobody knows whether an append was written. */
export const unavailable = (cause: unknown): DomainError =>
  new DomainError('unavailable', 'The event log is not available; try again', [], { cause });
