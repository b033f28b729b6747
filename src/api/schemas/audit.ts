import { Type } from 'typebox';
import { type EventType, eventSchemas } from '../../events/registry.js';
import { streamKinds } from '../../events/streams.js';
import { closed, named, nullable, pageQuery, periodQuery, Timestamp, Uuid } from './common.js';

export const eventTypes = Object.keys(eventSchemas) as EventType[];

export const AuditQuery = closed({
  ...pageQuery,
  ...periodQuery,
  stream: Type.Optional(
    Type.String({
      pattern: `^(${streamKinds.join('|')})-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`,
      description: 'a stream, e.g. recovery-<id>',
    }),
  ),
  type: Type.Optional(
    Type.String({
      pattern: `^[A-Za-z]+(,[A-Za-z]+)*$`,
      maxLength: 1000,
      description: 'event types, comma-separated',
    }),
  ),
  after: Type.Optional(
    Type.String({ pattern: '^[0-9]{1,19}$', description: 'a log position: only events after it' }),
  ),
});

export const AuditEventSchema = named('AuditEvent', {
  position: Type.String(),
  stream: Type.String(),
  revision: Type.Integer(),
  id: Uuid,
  type: Type.String(),
  recorded_at: Timestamp,
  data: Type.Object({}, { additionalProperties: true }),
  metadata: Type.Object({}, { additionalProperties: true }),
});
export const AuditPageSchema = named('AuditPage', {
  data: Type.Array(AuditEventSchema),
  next_cursor: nullable(Type.String()),
});
