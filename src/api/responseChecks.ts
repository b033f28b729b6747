import type { Reply, Route } from './route.js';
import { compile, type Validator } from './validation.js';

/**
 * Holds every answer of a route against its documented schema: on in tests. Off in production, where an answer that
 * is right but undocumented is better than none.
 */
export const responseChecker = ({ operationId, responses }: Route): ((reply: Reply) => void) => {
  const validators = new Map<number, Validator>();
  for (const [status, { schema }] of Object.entries(responses))
    if (schema !== undefined) validators.set(Number(status), compile(schema, ''));
  return ({ status, body, text, stream }) => {
    if (!Object.hasOwn(responses, status))
      throw new Error(`${operationId} answers ${status}, which is not documented`);
    if (text !== undefined || stream !== undefined) return;
    // The client sees the JSON form: absent, not undefined.
    const seen: unknown = body === undefined ? undefined : JSON.parse(JSON.stringify(body));
    const faults = validators.get(status)?.(seen) ?? [];
    if (faults.length > 0)
      throw new Error(`${operationId} ${status} does not meet its schema: ${JSON.stringify(faults)}`);
  };
};
