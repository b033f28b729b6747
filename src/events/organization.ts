import { Type, type Static } from 'typebox';
import { categories } from './category.js';
import { Code, closed, enumOf, type EventOf, Timestamp, Uuid } from './schema.js';

export const channels = ['email'] as const;

/** Whether a PSP that retries by itself goes on, while we only mail, or is told to stop, and we retry. Never both. */
export const pspRetryModes = ['watch', 'take_over'] as const;
export type PspRetryMode = (typeof pspRetryModes)[number];

const Minutes = Type.Integer({ minimum: 1, maximum: 43_200 });
const Retries = Type.Integer({ minimum: 0, maximum: 10 });

const CategoryPolicySchema = closed({
  max_retries: Type.Optional(Retries),
  /** The wait before each attempt; the last one holds for those after it. */
  waits_minutes: Type.Optional(Type.Array(Minutes, { minItems: 1, maxItems: 10 })),
});
export type CategoryPolicy = Static<typeof CategoryPolicySchema>;

/** Hours of the customer's local day; a period over midnight has `from` after `to`. */
const HoursSchema = closed({
  from: Type.Integer({ minimum: 0, maximum: 23 }),
  to: Type.Integer({ minimum: 0, maximum: 23 }),
});

const finerPolicy = {
  /** Instead of the backoff, for failures of a category. */
  categories: Type.Optional(
    closed(
      Object.fromEntries(
        categories.map((category) => [category, Type.Optional(CategoryPolicySchema)]),
      ) as Record<(typeof categories)[number], ReturnType<typeof Type.Optional<typeof CategoryPolicySchema>>>,
    ),
  ),
  /** No retry later than that many days after the recovery began. */
  max_days: Type.Optional(Type.Integer({ minimum: 1, maximum: 30 })),
  /** When to charge; not heeded for a failure that was only technical. */
  preferred_hours: Type.Optional(HoursSchema),
  /** When not to mail. */
  quiet_hours: Type.Optional(HoursSchema),
  /** Days of the month on which money comes in: a retry for insufficient funds waits up to 4 days more for one, a week in all. */
  payday_days: Type.Optional(
    Type.Array(Type.Integer({ minimum: 1, maximum: 31 }), { minItems: 1, maxItems: 8, uniqueItems: true }),
  ),
  /** Of customers whose own is not known. */
  timezone: Type.Optional(Type.String({ format: 'time-zone', maxLength: 60, description: 'IANA time zone' })),
  psp_retries: Type.Optional(enumOf(pspRetryModes)),
} as const;

/** How an organization wants failed payments retried. Minutes are whole; the multiplier applies per attempt. */
export const retryPolicyFields = {
  max_retries: Retries,
  initial_delay_minutes: Minutes,
  backoff_multiplier: Type.Number({ minimum: 1, maximum: 10 }),
  max_delay_minutes: Minutes,
  enabled_channels: Type.Array(enumOf(channels), { uniqueItems: true, maxItems: channels.length }),
  ...finerPolicy,
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
