import { classify } from '../../commands/recovery/classification/classify.js';
import { meaningOf } from '../../commands/recovery/classification/meaning.js';
import { tablesInForceOn } from '../../commands/recovery/classification/tables.js';
import { type Instant, instantOf } from '../../kernel/clock.js';
import type { Failure } from '../../kernel/ports.js';
import { roles } from '../../kernel/principal.js';
import { inspect } from '../body/guards.js';
import { instantIn, latestAskable } from '../instants.js';
import { ok, type Route, route } from '../route.js';
import { ClassifiedSchema, ClassifyQuery } from '../schemas/declines.js';
import { invalid, refuseFaults } from '../validation.js';

const ON = '/query/on';

/** A day stands for its first moment in UTC. */
const instantOn = (text: string, now: Instant): Instant => {
  if (/ \d\d:\d\d$/.test(text)) throw invalid(ON, 'has a blank before its offset: write + as %2B in a query');
  const at = instantOf(text.length === 10 ? `${text}T00:00:00Z` : text);
  if (at === undefined) throw invalid(ON, 'must be a date, YYYY-MM-DD or RFC 3339');
  return instantIn(at, ON, now, latestAskable(now));
};

/** The codes are told back. */
const refuseCardNumbers = (failure: Failure): void =>
  refuseFaults(inspect(failure).map(({ pointer, detail }) => ({ pointer: `/query${pointer}`, detail })));

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
      refuseCardNumbers(failure);
      const now = deps.clock.now().toISOString();
      const at = on === undefined ? now : instantOn(on, now);
      const { version, effectiveFrom: effective_from } = tablesInForceOn(at);
      const { earliest_at = null, ...seen } = classify(failure, at);
      return ok({
        ...seen,
        earliest_at,
        meaning: meaningOf(seen),
        table: { version, effective_from },
      });
    },
  }),
];
