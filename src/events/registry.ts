import type { ValidateFunction } from 'ajv';
import { createAjv } from './ajv.js';
import { alertEvents } from './alert.js';
import { credentialEvents } from './credential.js';
import type { Fact } from './envelope.js';
import { organizationEvents } from './organization.js';
import { paymentEvents } from './payment.js';
import { recoveryEvents } from './recovery.js';
import { ruleEvents } from './rules.js';
import type { EventSchemas } from './schema.js';
import { userEvents } from './user.js';

/** Every event type there is, with the schema of its newest version. */
export const eventSchemas = {
  ...organizationEvents,
  ...userEvents,
  ...paymentEvents,
  ...recoveryEvents,
  ...ruleEvents,
  ...credentialEvents,
  ...alertEvents,
} as const satisfies EventSchemas;
export type EventType = keyof typeof eventSchemas;

/** Turns the data of version n into that of version n + 1. */
type Upcaster = (data: unknown) => unknown;

/** Per event type, the upcasters from version 1, 2, … on; a type without an entry is still at version 1. */
export type Upcasters = Readonly<Partial<Record<EventType, readonly Upcaster[]>>>;
const upcasters: Upcasters = {};

const versionIn = (table: Upcasters, type: string): number => (table[type as EventType]?.length ?? 0) + 1;

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

export const currentVersion = (type: string): number => versionIn(upcasters, type);

/** Throws when the data of a new event does not meet its schema: a defect of ours, never the client's. */
export const assertValid = (type: string, data: unknown): void => {
  const validate = validatorOf(type);
  if (!validate(data))
    throw new Error(`${type} does not meet its schema: ${ajv.errorsText(validate.errors)}`);
};

/** Brings stored events to the newest version of their types, by a table of upcasters. */
export const upcasterOf = (table: Upcasters): (<E extends Fact>(event: E) => E) => {
  const versions = new Map(Object.keys(eventSchemas).map((type) => [type, versionIn(table, type)]));
  return (event) => {
    const { type, position, metadata } = event;
    const newest = versions.get(type);
    if (newest === undefined) throw new Error(`unknown event type ${type} at ${position}`);
    const { schema_version: version } = metadata;
    if (version === newest) return event;
    if (version > newest)
      throw new Error(`${type} at ${position} is of version ${version}; this code knows ${newest}`);
    const chain = table[type as EventType] ?? [];
    const data = chain.slice(version - 1).reduce((older: unknown, step) => step(older), event.data);
    return { ...event, data, metadata: { ...metadata, schema_version: newest } };
  };
};

/** @throws Error for a type or a version that this code does not know */
export const upcast = upcasterOf(upcasters);
