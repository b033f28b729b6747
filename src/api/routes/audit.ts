import type { Response } from 'express';
import type { IncomingHttpHeaders } from 'node:http';
import type { Static } from 'typebox';
import { claimPositionOf } from '../../commands/organization/commands.js';
import type { Position } from '../../events/envelope.js';
import { DomainError } from '../../kernel/errors.js';
import { type AuditQuestion, auditPage, streamAuditLog, untilGone } from '../auditLog.js';
import { parsePosition } from '../positions.js';
import { utc } from '../paging.js';
import { ok, type Route, route } from '../route.js';
import { AuditEventSchema, AuditPageSchema, AuditQuery, eventTypes } from '../schemas/audit.js';
import { invalid } from '../validation.js';

const NDJSON = 'application/x-ndjson';
const DEFAULT_PAGE = 50;

const typesOf = (text: string | undefined): readonly string[] | undefined => {
  const types = text?.split(',');
  if (types?.some((type) => !(eventTypes as readonly string[]).includes(type)))
    throw invalid('/query/type', `must name event types: ${eventTypes.join(', ')}`);
  return types;
};

const encodeCursor = (position: string): string => Buffer.from(position).toString('base64url');
const decodeCursor = (cursor: string): Position =>
  parsePosition(Buffer.from(cursor, 'base64url').toString(), '/query/cursor');

const askedAfter = ({ after, cursor }: Static<typeof AuditQuery>): Position => {
  if (cursor !== undefined) return decodeCursor(cursor);
  return after === undefined ? 0n : parsePosition(after, '/query/after');
};

/** Whatever else is asked for, only the principal's organization, from the claim on under which it is held now. */
const questionOf = (orgId: string, claim: Position, query: Static<typeof AuditQuery>): AuditQuestion => {
  const types = typesOf(query.type);
  const { stream } = query;
  const filter = { orgId, ...(types && { types }), ...(stream !== undefined && { stream }) };
  const asked = askedAfter(query);
  const after = asked < claim ? claim - 1n : asked;
  return { filter, after, from: utc(query.from), to: utc(query.to), limit: query.limit };
};

const wantsLines = ({ accept }: IncomingHttpHeaders): boolean => {
  if (accept === undefined || /\*\/\*|application\/(\*|json)/i.test(accept)) return false;
  if (accept.toLowerCase().includes(NDJSON)) return true;
  throw new DomainError('not_acceptable', `This is given as application/json or ${NDJSON}`);
};

export const auditRoutes: readonly Route[] = [
  route({
    method: 'get',
    path: '/v1/audit/events',
    operationId: 'auditEvents',
    tag: 'Audit',
    summary: "The organization's events in log order",
    description: `A page of JSON; with \`Accept: ${NDJSON}\` everything (or \`limit\`), streamed, one event per line.`,
    access: ['admin', 'auditor'],
    query: AuditQuery,
    responses: {
      200: {
        description: 'Events, oldest first',
        schema: AuditPageSchema,
        alternatives: { [NDJSON]: AuditEventSchema },
      },
    },
    refusals: ['not_acceptable'],
    handler: async ({ deps: { store }, principal, query, headers, req }) => {
      const claim = await claimPositionOf(store, principal.orgId);
      const question = questionOf(principal.orgId, claim, query);
      const signal = untilGone(req);
      if (wantsLines(headers)) {
        const write = (res: Response): Promise<void> => streamAuditLog(store, question, signal, res);
        return { status: 200, stream: { type: `${NDJSON}; charset=utf-8`, write } };
      }
      const { limit = DEFAULT_PAGE } = question;
      const { events, more } = await auditPage(store, { ...question, limit }, signal);
      const last = more ? events.at(-1) : undefined;
      return ok({ data: events, next_cursor: last ? encodeCursor(last.position) : null });
    },
  }),
];
