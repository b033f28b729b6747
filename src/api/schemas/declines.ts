import { Type } from 'typebox';
import { categories, EvidenceSchema, hardnesses, retryPermissions } from '../../events/recovery.js';
import { Code } from '../../events/schema.js';
import { closed, enumOf, named, nullable, Timestamp } from './common.js';

export const ClassifyQuery = closed({
  code: Type.Optional(Type.String({ ...Code, description: "The provider's error code" })),
  decline_code: Type.Optional(Type.String({ ...Code, description: "The provider's decline code" })),
  network_code: Type.Optional(
    Type.String({ ...Code, description: "The network's code (ISO 8583, field 39)" }),
  ),
  advice_code: Type.Optional(Type.String({ ...Code, description: "Mastercard's or Stripe's advice" })),
  card_brand: Type.Optional(Type.String({ ...Code, description: 'The network of the card, e.g. visa' })),
  source: Type.Optional(
    Type.String({ ...Code, description: 'Who refused, where the provider tells (Razorpay)' }),
  ),
  step: Type.Optional(
    Type.String({ ...Code, description: 'At which step, where the provider tells (Razorpay)' }),
  ),
  message: Type.Optional(
    Type.String({ maxLength: 1000, description: "The provider's words: the last resort" }),
  ),
  on: Type.Optional(
    Type.String({
      maxLength: 40,
      description:
        'By the tables in force then, for a failure of then (YYYY-MM-DD or RFC 3339, from 2000 to 366 days from now, + ' +
        'as %2B); default: now',
    }),
  ),
});

export const ClassifiedSchema = named('Classified', {
  category: enumOf(categories),
  hardness: enumOf(hardnesses),
  retry: enumOf(retryPermissions),
  earliest_at: nullable({
    ...Timestamp,
    description: 'Not before, when the network or the provider says so',
  }),
  meaning: Type.String({ description: 'What the failure means, in a sentence for a merchant' }),
  evidence: EvidenceSchema,
  table: closed({ version: Type.String(), effective_from: Timestamp }),
});
