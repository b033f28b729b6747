import { Ajv, type ValidateFunction } from 'ajv';
import formats from 'ajv-formats';
import { type Static, Type } from 'typebox';
import { Timestamp, Uuid } from '../schema.js';
import { type PublicMessage, publicMessages, type PublicType } from './message.js';

/**
 * Public messages as CloudEvents 1.0 in the binary mode of the Kafka protocol binding: each attribute is a header,
 * the data alone is the value, and the key is what has to keep its order.
 */
export const CONTENT_TYPE = 'application/json';
const SOURCE_PREFIX = '/stealth-recovery/';
const TYPE_PREFIX = 'stealth-recovery.';

/** The attributes, without the prefix their headers have; the last four are extensions of ours. */
export const attributes = Type.Object({
  specversion: Type.Literal('1.0'),
  id: { ...Uuid, description: 'The same in each copy of a message: consumers know it again by it' },
  source: Type.String({
    minLength: 1,
    format: 'uri-reference',
    description: `The installation that published it: ${SOURCE_PREFIX} and its id`,
  }),
  type: Type.String({ minLength: 1 }),
  subject: { ...Uuid, description: 'The payment' },
  time: { ...Timestamp, description: 'When it happened' },
  partitionkey: { ...Uuid, description: 'The payment: its messages keep their order' },
  orgid: { ...Uuid, description: 'The merchant' },
  logposition: Type.String({ pattern: '^\\d{1,19}$', description: 'Grows with the order of the log' }),
  correlationid: Type.String({ minLength: 1, description: 'The same for all that one request led to' }),
  requestid: Type.Optional(Type.String({ minLength: 1 })),
});
type Attributes = Static<typeof attributes>;

export const HEADER_PREFIX = 'ce_';
export const SOURCE_HEADER = `${HEADER_PREFIX}source`;
/** What the messages of an installation have for their source. */
export const sourceOf = (installation: string): string => `${SOURCE_PREFIX}${installation}`;
export const cloudTypeOf = (type: PublicType): string => `${TYPE_PREFIX}${type}`;

/** A message as it is on a topic. */
export interface WireMessage {
  readonly key: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly value: string;
}

/** The message is no CloudEvent, or not of the form that its type has. */
export class UnreadableMessage extends Error {
  constructor(reason: string) {
    super(`the message cannot be read: ${reason}`);
    this.name = 'UnreadableMessage';
  }
}

const ajv = new Ajv({ allErrors: true });
formats.default(ajv);
const validAttributes = ajv.compile<Attributes>(attributes);
const validData = new Map<string, ValidateFunction>(
  Object.entries(publicMessages).map(([type, schema]) => [type, ajv.compile(schema)]),
);

const complaint = (what: string, { errors }: ValidateFunction): string =>
  ajv.errorsText(errors ?? null, { dataVar: what });

const assertData = (type: string, data: unknown): void => {
  const validate = validData.get(type);
  if (validate === undefined) throw new UnreadableMessage(`unknown type ${type}`);
  if (!validate(data)) throw new UnreadableMessage(complaint('data', validate));
};

const attributesOf = (message: PublicMessage, installation: string): Attributes => ({
  specversion: '1.0',
  id: message.id,
  source: sourceOf(installation),
  type: cloudTypeOf(message.type),
  subject: message.key,
  time: message.time,
  partitionkey: message.key,
  orgid: message.org_id,
  logposition: message.position,
  correlationid: message.correlation_id,
  ...(message.request_id !== undefined && { requestid: message.request_id }),
});

/** @throws UnreadableMessage when a consumer could not read it */
export const toWire = (message: PublicMessage, installation: string): WireMessage => {
  const given = attributesOf(message, installation);
  if (!validAttributes(given)) throw new UnreadableMessage(complaint('attributes', validAttributes));
  assertData(message.type, message.data);
  const headers: Record<string, string> = { 'content-type': CONTENT_TYPE };
  for (const [name, value] of Object.entries(given)) headers[`${HEADER_PREFIX}${name}`] = value;
  return { key: message.key, headers, value: JSON.stringify(message.data) };
};

const parsed = (value: string): unknown => {
  try {
    return JSON.parse(value);
  } catch {
    throw new UnreadableMessage('its value is no JSON');
  }
};

/**
 * Undefined for a type this version does not know: it is no business of its consumers.
 * @throws UnreadableMessage
 */
export const fromWire = ({ headers, value }: WireMessage): PublicMessage | undefined => {
  const entries = Object.entries(headers).filter(([name]) => name.startsWith(HEADER_PREFIX));
  const given: unknown = Object.fromEntries(
    entries.map(([name, text]) => [name.slice(HEADER_PREFIX.length), text]),
  );
  if (!validAttributes(given)) throw new UnreadableMessage(complaint('attributes', validAttributes));
  const type = given.type.startsWith(TYPE_PREFIX) ? given.type.slice(TYPE_PREFIX.length) : '';
  if (!validData.has(type)) return undefined;
  const data = parsed(value);
  assertData(type, data);
  const { id, time, partitionkey: key, orgid, logposition, correlationid, requestid } = given;
  return {
    id,
    type,
    key,
    org_id: orgid,
    time,
    position: logposition,
    correlation_id: correlationid,
    ...(requestid !== undefined && { request_id: requestid }),
    data,
  } as PublicMessage;
};
