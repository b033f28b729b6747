import { Type, type TSchema } from 'typebox';
import { closed, enumOf, Timestamp, Uuid } from '../../events/schema.js';
import { errorCodes } from '../../kernel/errors.js';

export { closed, enumOf, Timestamp, Uuid };

export const ProblemSchema = Type.Object(
  {
    type: Type.String(),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String(),
    code: enumOf(errorCodes),
    request_id: Type.String(),
    errors: Type.Optional(Type.Array(closed({ pointer: Type.String(), detail: Type.String() }))),
  },
  { title: 'Problem', additionalProperties: false },
);

/** A response object with a name of its own in the OpenAPI document. */
export const named = <const P extends Record<string, TSchema>>(title: string, properties: P) =>
  Type.Object(properties, { title, additionalProperties: false });

/** OpenAPI 3.1 writes "or null" as a type of its own. */
export const nullable = (schema: TSchema): TSchema => Type.Union([schema, Type.Null()]);

export const IdParams = closed({ id: Uuid });

export const MAX_PAGE = 200;
export const pageQuery = {
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_PAGE, description: 'Default 50' })),
  cursor: Type.Optional(
    Type.String({ minLength: 1, maxLength: 1000, description: 'next_cursor of the page before' }),
  ),
} as const;
export const periodQuery = {
  from: Type.Optional({ ...Timestamp, description: 'At or after (RFC 3339)' }),
  to: Type.Optional({ ...Timestamp, description: 'Before (RFC 3339)' }),
} as const;

export const listOf = (title: string, item: TSchema): TSchema =>
  named(title, { data: Type.Array(item), next_cursor: nullable(Type.String()) });
