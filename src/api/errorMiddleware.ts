import type { ErrorRequestHandler, Response } from 'express';
import { DomainError, isDomainError } from '../kernel/errors.js';
import type { Logger } from '../kernel/logger.js';
import { mayPass } from '../kernel/outage.js';
import { isClientGone } from './body/readBody.js';
import { kindOf, PROBLEM_JSON, type Problem, toProblem } from './problem.js';
import { contextOf } from './requestContext.js';

/** Express itself refuses a path it cannot decode with a 4xx status. */
const isBadRequest = (error: unknown): boolean => {
  const status = (error as { status?: unknown } | null)?.status;
  return typeof status === 'number' && status >= 400 && status < 500;
};

const toDomainError = (error: unknown): DomainError => {
  if (isDomainError(error)) return error;
  if (mayPass(error))
    return new DomainError('unavailable', 'A part that this needs is not available; try again');
  if (isBadRequest(error)) return new DomainError('not_parsable', 'The request cannot be read');
  return new DomainError('internal', 'internal');
};

const sendProblem = (res: Response, problem: Problem): void => {
  const { retryAfter } = kindOf(problem.code);
  if (retryAfter !== undefined) res.setHeader('Retry-After', String(retryAfter));
  if (problem.status === 401) res.setHeader('WWW-Authenticate', 'Bearer realm="stealth-recovery"');
  // The rest of a refused body is not read: the connection cannot be used again.
  if (problem.status === 413) res.setHeader('Connection', 'close');
  const content = JSON.stringify(problem);
  res.statusCode = problem.status;
  res.setHeader('Content-Type', PROBLEM_JSON);
  res.setHeader('Content-Length', Buffer.byteLength(content));
  res.end(content);
};

export interface ErrorOptions {
  readonly logger: Logger;
  /** Told of every error that is ours, once. */
  readonly onError?: (error: unknown, request: { requestId: string; method: string; path: string }) => void;
}

/** The one place where an error becomes an answer. A fault of ours is logged here, once, and told in fixed words. */
export const errorMiddleware =
  ({ logger, onError }: ErrorOptions): ErrorRequestHandler =>
  // Express tells an error handler by its four parameters.
  (error: unknown, _req, res, _next) => {
    const context = contextOf(res);
    if (isClientGone(error) || (res.destroyed && !res.writableEnded)) {
      res.destroy();
      return;
    }
    const problem = toProblem(toDomainError(error), context.requestId);
    if (problem.status === 500 || problem.code === 'unavailable') {
      const { requestId, method, path } = context;
      logger.error({ err: error, request_id: requestId, method, path }, 'request failed');
      onError?.(error, context);
    }
    if (res.headersSent) res.destroy();
    else sendProblem(res, problem);
  };
