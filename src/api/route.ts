import type { IncomingHttpHeaders } from 'node:http';
import type { Request, Response } from 'express';
import type { Static, TSchema } from 'typebox';
import type { Position } from '../events/envelope.js';
import type { ErrorCode } from '../kernel/errors.js';
import type { Role } from '../kernel/principal.js';
import type { Session } from './auth/sessions.js';
import type { Dependencies } from './dependencies.js';
import type { RequestContext } from './requestContext.js';

export type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';
export type Access = 'public' | readonly Role[];

/** What a handler answers: JSON (`body`), text of another type, or a stream it writes itself. */
export interface Reply {
  readonly status: number;
  readonly body?: unknown;
  readonly text?: { readonly type: string; readonly content: string | Buffer };
  readonly stream?: { readonly type: string; readonly write: (res: Response) => Promise<void> };
  readonly headers?: Readonly<Record<string, string>>;
  /** The log position of a write, for X-Event-Position. */
  readonly position?: Position;
}

export interface RouteContext<A extends Access = Access, P = unknown, Q = unknown, B = unknown> {
  readonly deps: Dependencies;
  readonly request: RequestContext;
  readonly principal: A extends 'public' ? undefined : Session;
  readonly params: P;
  readonly query: Q;
  readonly body: B;
  readonly headers: IncomingHttpHeaders;
  readonly req: Request;
}

export interface ResponseSpec {
  readonly description: string;
  readonly schema?: TSchema;
  /** Default: application/json. */
  readonly type?: string;
  /** Other media types on request: the schema of one item of each. */
  readonly alternatives?: Readonly<Record<string, TSchema>>;
}

/** A route as data: the router, the validation and the OpenAPI document all come from it. */
export interface RouteDefinition<
  A extends Access,
  P extends TSchema = TSchema,
  Q extends TSchema = TSchema,
  B extends TSchema = TSchema,
> {
  readonly method: Method;
  /** With `{name}` for parameters, as OpenAPI writes it. */
  readonly path: `/${string}`;
  readonly operationId: string;
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  readonly access: A;
  readonly params?: P;
  readonly query?: Q;
  readonly body?: B;
  /** json (default when there is a body schema), form, or the raw bytes. */
  readonly consumes?: 'json' | 'form' | 'raw';
  readonly bodyOptional?: boolean;
  /** Headers of its own that the request must carry: name and meaning. */
  readonly headers?: Readonly<Record<string, string>>;
  /** False: answers a request that is no GET without an X-Event-Position. */
  readonly positioned?: false;
  readonly idempotent?: boolean;
  /** Takes an If-Match with the version the change was made from. */
  readonly conditional?: boolean;
  /** The projection a read waits for when it carries X-Min-Position. */
  readonly reads?: string;
  readonly responses: Readonly<Record<number, ResponseSpec>>;
  /** Refusals worth documenting beside the general ones. */
  readonly refusals?: readonly ErrorCode[];
  /** Left out of the OpenAPI document. */
  readonly hidden?: boolean;
  readonly handler: (context: RouteContext<A, Static<P>, Static<Q>, Static<B>>) => Promise<Reply> | Reply;
}

export type Route = RouteDefinition<Access>;

/** Types a route from its schemas and then forgets the types: the router checks at run time what they promise. */
export const route = <
  const A extends Access,
  P extends TSchema = TSchema,
  Q extends TSchema = TSchema,
  B extends TSchema = TSchema,
>(
  definition: RouteDefinition<A, P, Q, B>,
): Route => definition as unknown as Route;

export const ok = (body: unknown, position?: Position): Reply =>
  position === undefined ? { status: 200, body } : { status: 200, body, position };

export const html = (content: string, status = 200): Reply => ({
  status,
  text: { type: 'text/html; charset=utf-8', content },
  headers: { 'Cache-Control': 'no-store' },
});
