import { classify } from '../../commands/recovery/classification/classify.js';
import { meanings } from '../../commands/recovery/classification/meaning.js';
import { tablesInForceOn } from '../../commands/recovery/classification/tables.js';
import { type Instant, instantOf } from '../../kernel/clock.js';
import { roles } from '../../kernel/principal.js';
import { ok, type Route, route } from '../route.js';
import { ClassifiedSchema, ClassifyQuery } from '../schemas/declines.js';
import { invalid } from '../validation.js';

const instantIn = (text: string): Instant => {
  const at = instantOf(text.length === 10 ? `${text}T00:00:00Z` : text);
  if (at === undefined) throw invalid('/query/on', 'must be a date, YYYY-MM-DD or RFC 3339');
  return at;
};

export const declineRoutes: readonly Route[] = [
  route({
    method: 'get',
    path: '/v1/declines/classify',
    operationId: 'classifyDecline',
    tag: 'Declines',
    summary: 'What a failure with these codes means',
    description: 'Nothing is recorded. docs/declines.md tells the order of evidence and the tables.',
    access: roles,
    query: ClassifyQuery,
    responses: { 200: { description: 'The classification', schema: ClassifiedSchema } },
    handler: ({ deps, query: { on, ...failure } }) => {
      const at = on === undefined ? deps.clock.now().toISOString() : instantIn(on);
      const { version, effectiveFrom: effective_from } = tablesInForceOn(at);
      const { earliest_at = null, ...seen } = classify(failure, at);
      return ok({
        ...seen,
        earliest_at,
        meaning: meanings[seen.category],
        table: { version, effective_from },
      });
    },
  }),
];
