import { Type, type Static, type TSchema } from 'typebox';
import { UUID_PATTERN } from '../kernel/ids.js';
import type { Message } from '../kernel/message.js';

/** Event type → JSON Schema of its data. */
export type EventSchemas = Readonly<Record<string, TSchema>>;

/** The event union that a table of schemas describes. */
export type EventOf<T extends EventSchemas> = { [K in keyof T & string]: Message<K, Static<T[K]>> }[keyof T &
  string];

/** Marks a field as personal data (JSON Schema annotation): exports, logs, the bus and erasure go by it. */
export const PERSONAL = { 'x-personal': true } as const;

/** Closed objects: an unknown field is a fault, not something to keep. */
export const closed = <const P extends Record<string, TSchema>>(properties: P) =>
  Type.Object(properties, { additionalProperties: false });

export const Uuid = Type.String({ pattern: UUID_PATTERN, description: 'Lower-case UUID' });
export const Timestamp = Type.String({
  format: 'date-time',
  description: 'RFC 3339, in the years 0001 to 9999 (UTC)',
});
/** Integer minor units; zero is not a debt. The bound keeps the sum of nine thousand of the largest within 2^53. */
export const Amount = Type.Integer({
  minimum: 1,
  maximum: 999_999_999_999,
  description: 'Minor units, e.g. cents',
});
export const Currency = Type.String({ pattern: '^[A-Z]{3}$', description: 'ISO 4217' });
export const Email = Type.String({ format: 'email', maxLength: 254, ...PERSONAL });
export const PersonName = Type.String({ minLength: 1, maxLength: 200, ...PERSONAL });
/** A short machine-readable word of somebody else's. */
export const Code = Type.String({ minLength: 1, maxLength: 100 });
export const enumOf = <const V extends readonly string[]>(values: V) =>
  Type.Unsafe<V[number]>({ type: 'string', enum: [...values] });

export const Country = Type.String({ pattern: '^[A-Z]{2}$', description: 'ISO 3166-1 alpha-2, upper case' });
/** How a merchant calls a group of customers. */
export const Segment = Type.String({ minLength: 1, maxLength: 60 });

export const FailureSchema = closed({
  code: Type.Optional(Code),
  message: Type.Optional(Type.String({ maxLength: 1000, ...PERSONAL })),
  decline_code: Type.Optional(Code),
  network_code: Type.Optional(Code),
  advice_code: Type.Optional(Code),
  card_brand: Type.Optional(Code),
  /** Who refused, and at which step, where the PSP tells (Razorpay does). */
  source: Type.Optional(Code),
  step: Type.Optional(Code),
});

export const CustomerSchema = closed({
  id: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
  email: Type.Optional(Email),
  name: Type.Optional(PersonName),
  timezone: Type.Optional(Type.String({ minLength: 1, maxLength: 60, description: 'IANA time zone' })),
  segment: Type.Optional(Segment),
});

export const PaymentMethodSchema = closed({
  id: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
  fingerprint: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
  last4: Type.Optional(Type.String({ pattern: '^[0-9]{4}$' })),
  /** Where the method was issued. */
  country: Type.Optional(Country),
});

export const MAX_METADATA = 50;
export const MAX_METADATA_KEY = 100;
export const MAX_METADATA_TEXT = 500;
/** Free key-value notes of the merchant. */
export const MetadataSchema = Type.Unsafe<Record<string, string>>({
  type: 'object',
  propertyNames: { type: 'string', minLength: 1, maxLength: MAX_METADATA_KEY },
  additionalProperties: { type: 'string', maxLength: MAX_METADATA_TEXT },
  maxProperties: MAX_METADATA,
});
