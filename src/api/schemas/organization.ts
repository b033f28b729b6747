import { Type } from 'typebox';
import { pspProviders, retryPolicyFields } from '../../events/organization.js';
import { closed, enumOf, named, nullable, Timestamp } from './common.js';

export const RetryPolicyBody = closed(retryPolicyFields);
export const RetryPolicyResponse = named('RetryPolicy', {
  version: Type.Integer({ description: '0 is the built-in policy of an organization that has set none' }),
  ...retryPolicyFields,
  set_at: nullable(Timestamp),
});

const Secret = Type.String({
  minLength: 8,
  maxLength: 500,
  pattern: '^[\\x21-\\x7e]+$',
  description: 'no spaces',
});
export const PspConnectionBody = closed({
  provider: enumOf(pspProviders),
  api_key: Type.Optional(Secret),
  webhook_secret: Type.Optional(Secret),
});
export const PspConnectionResponse = named('PspConnections', {
  connections: Type.Array(
    closed({
      provider: enumOf(pspProviders),
      api_key_set: Type.Boolean(),
      webhook_secret_set: Type.Boolean(),
    }),
  ),
});
