import { Type, type Static } from 'typebox';
import { Code, closed, enumOf, type EventOf, Timestamp, Uuid } from './schema.js';

export const channels = ['email'] as const;

/** How an organization wants failed payments retried. Minutes are whole; the multiplier applies per attempt. */
export const retryPolicyFields = {
  max_retries: Type.Integer({ minimum: 0, maximum: 10 }),
  initial_delay_minutes: Type.Integer({ minimum: 1, maximum: 43_200 }),
  backoff_multiplier: Type.Number({ minimum: 1, maximum: 10 }),
  max_delay_minutes: Type.Integer({ minimum: 1, maximum: 43_200 }),
  enabled_channels: Type.Array(enumOf(channels), { uniqueItems: true, maxItems: channels.length }),
} as const;

/** Version 0 is the built-in policy of an organization that has set none. */
export const RetryPolicySchema = closed({ version: Type.Integer({ minimum: 0 }), ...retryPolicyFields });
export type RetryPolicy = Static<typeof RetryPolicySchema>;

export const pspProviders = ['sandbox', 'stripe'] as const;
export type PspProvider = (typeof pspProviders)[number];

/** Stored format: add, never change; upcast in registry.ts. */
export const organizationEvents = {
  OrganizationRegistered: closed({
    name: Type.String({ minLength: 1, maxLength: 200 }),
    slug: Type.String({ minLength: 1, maxLength: 63 }),
    founder_id: Uuid,
    registered_at: Timestamp,
  }),
  OrganizationReleased: closed({ reason: Code }),
  /** `user_version`: the user's token version at which they became, or ceased to be, an active admin. */
  AdminGranted: closed({ user_id: Uuid, user_version: Type.Optional(Type.Integer({ minimum: 0 })) }),
  AdminRevoked: closed({ user_id: Uuid, user_version: Type.Optional(Type.Integer({ minimum: 0 })) }),
  RetryPolicySet: closed({
    version: Type.Integer({ minimum: 1 }),
    ...retryPolicyFields,
    set_at: Timestamp,
  }),
  PspConnected: closed({
    provider: enumOf(pspProviders),
    /** Vault id of the API key; absent for a provider that needs none. */
    secret_reference: Type.Optional(Uuid),
    /** Vault id of the webhook signing secret. */
    webhook_secret_reference: Type.Optional(Uuid),
    connected_at: Timestamp,
  }),
} as const;

export type OrganizationEvent = EventOf<typeof organizationEvents>;
export const organizationStream = (id: string) => `organization-${id}`;
