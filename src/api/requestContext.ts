import type { IncomingMessage } from 'node:http';
import type { Response } from 'express';
import { looksLikeCardNumber } from '../kernel/cardNumbers.js';
import type { Session } from './auth/sessions.js';

/** What is known about a request from its first byte on; the principal is added once it is verified. */
export interface RequestContext {
  readonly requestId: string;
  readonly traceparent?: string;
  readonly method: string;
  /** Without the query string, secrets in it masked: fit for a log line. */
  readonly path: string;
  readonly startedAt: number;
  principal?: Session;
}

const REQUEST_ID = /^[A-Za-z0-9._-]{1,128}$/;
/** W3C Trace Context, version 00; all-zero ids are invalid. */
const TRACEPARENT = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;
/** Fit to be logged, stored and sent back: both end up in every event of the request. */
const isSane = (header: string | string[] | undefined, form: RegExp): header is string =>
  typeof header === 'string' && form.test(header) && !looksLikeCardNumber(header);

const SECRET_PATHS = /^(\/r\/|\/sandbox\/checkout\/)[^/]+/i;

export const maskPath = (url: string): string => {
  const end = url.indexOf('?');
  const path = end === -1 ? url : url.slice(0, end);
  return path.replace(SECRET_PATHS, '$1[token]');
};

export const createRequestContext = (req: IncomingMessage, newId: () => string): RequestContext => {
  const { 'x-request-id': given, traceparent } = req.headers;
  return {
    requestId: isSane(given, REQUEST_ID) ? given : newId(),
    ...(isSane(traceparent, TRACEPARENT) && { traceparent }),
    method: req.method ?? '',
    path: maskPath(req.url ?? ''),
    startedAt: performance.now(),
  };
};

export const contextOf = (res: Response): RequestContext => res.locals['context'] as RequestContext;

/** The fields of the line logged when a request is done. */
export const accessFields = (context: RequestContext, status: number): Record<string, unknown> => {
  const { principal } = context;
  return {
    request_id: context.requestId,
    method: context.method,
    path: context.path,
    status_code: status,
    duration_ms: Math.round((performance.now() - context.startedAt) * 100) / 100,
    ...(principal && { user_id: principal.user.id, org_id: principal.orgId, user_role: principal.role }),
  };
};
