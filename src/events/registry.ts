import type { ValidateFunction } from 'ajv';
import { createAjv } from './ajv.js';
import type { RecordedEvent } from './envelope.js';
import { organizationEvents } from './organization.js';
import { paymentEvents } from './payment.js';
import { recoveryEvents } from './recovery.js';
import type { EventSchemas } from './schema.js';
import { userEvents } from './user.js';

/** Every event type there is, with the schema of its newest version. */
export const eventSchemas = {
  ...organizationEvents,
  ...userEvents,
  ...paymentEvents,
  ...recoveryEvents,
} as const satisfies EventSchemas;
export type EventType = keyof typeof eventSchemas;

/** Turns the data of version n into that of version n + 1. */
type Upcaster = (data: unknown) => unknown;

/** Per event type, the upcasters from version 1, 2, … on; a type without an entry is still at version 1. */
const upcasters: Readonly<Partial<Record<EventType, readonly Upcaster[]>>> = {};

const ajv = createAjv();
const validators = new Map<string, ValidateFunction>();

const validatorOf = (type: string): ValidateFunction => {
  const known = validators.get(type);
  if (known) return known;
  if (!Object.hasOwn(eventSchemas, type)) throw new Error(`unknown event type ${type}`);
  const compiled = ajv.compile(eventSchemas[type as EventType]);
  validators.set(type, compiled);
  return compiled;
};

export const currentVersion = (type: string): number => (upcasters[type as EventType]?.length ?? 0) + 1;

/** Throws when the data of a new event does not meet its schema: a defect of ours, never the client's. */
export const assertValid = (type: string, data: unknown): void => {
  const validate = validatorOf(type);
  if (!validate(data))
    throw new Error(`${type} does not meet its schema: ${ajv.errorsText(validate.errors)}`);
};

/** Brings a stored event to the newest version of its type. Throws for a type this code does not know. */
export const upcast = (event: RecordedEvent): RecordedEvent => {
  const version = event.metadata.schema_version;
  const chain = upcasters[event.type as EventType];
  if (chain === undefined) {
    if (!Object.hasOwn(eventSchemas, event.type))
      throw new Error(`unknown event type ${event.type} at ${event.position}`);
    return event;
  }
  if (version > chain.length) return event;
  const data = chain.slice(version - 1).reduce((older: unknown, step) => step(older), event.data);
  return { ...event, data, metadata: { ...event.metadata, schema_version: chain.length + 1 } };
};
