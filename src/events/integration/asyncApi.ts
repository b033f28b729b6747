import type { TSchema } from 'typebox';
import { attributes, cloudTypeOf, CONTENT_TYPE, HEADER_PREFIX } from './cloudEvents.js';
import { publicMessages, type PublicType } from './message.js';

type Json = Record<string, unknown>;

/** KAFKA_TOPIC's default; the version is part of the name, because a topic's format never changes. */
export const TOPIC = 'stealth-recovery.payments.v1';

const about: Readonly<Record<PublicType, string>> = {
  'payment.failed': 'A charge of a payment failed.',
  'payment.succeeded': 'A payment was paid, whatever brought the money in.',
  'recovery.succeeded': 'A recovery ended with the money collected.',
};

/** TypeBox keeps notes of its own in hidden properties: only what is JSON counts. */
const plain = (schema: TSchema): Json => JSON.parse(JSON.stringify(schema)) as Json;

const headersOf = (type: PublicType): Json => {
  const { properties, required, ...rest } = plain(attributes) as { properties: Json; required: string[] };
  const named = Object.entries({ ...properties, type: { const: cloudTypeOf(type) } });
  return {
    ...rest,
    properties: {
      'content-type': { const: CONTENT_TYPE },
      ...Object.fromEntries(named.map(([name, schema]) => [`${HEADER_PREFIX}${name}`, schema])),
    },
    required: ['content-type', ...required.map((name) => `${HEADER_PREFIX}${name}`)],
  };
};

const nameOf = (type: PublicType): string => type.replace('.', '_');

const messageOf = (type: PublicType): Json => ({
  name: cloudTypeOf(type),
  summary: about[type],
  contentType: CONTENT_TYPE,
  headers: headersOf(type),
  payload: plain(publicMessages[type]),
  bindings: { kafka: { key: { type: 'string', format: 'uuid', description: 'The payment' } } },
});

/** The AsyncAPI 3 document of the topic; docs/asyncapi.yaml is this, written by `npm run docs:asyncapi`. */
export const asyncApi = (version: string): Json => {
  const types = Object.keys(publicMessages) as PublicType[];
  const refs = (base: string): Json[] => types.map((type) => ({ $ref: `${base}/${nameOf(type)}` }));
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Stealth Recovery',
      version,
      description:
        'What happens to payments, as CloudEvents 1.0 in the binary mode of the Kafka binding. Every message is ' +
        'delivered at least once: know copies by `ce_id`. Messages of one payment keep their order; a copy may come ' +
        'later again. Types and fields that a consumer does not know are to be passed over. None holds personal data.',
    },
    defaultContentType: CONTENT_TYPE,
    channels: {
      payments: {
        address: TOPIC,
        description: 'Keyed by the payment.',
        messages: Object.fromEntries(
          types.map((type) => [nameOf(type), { $ref: `#/components/messages/${nameOf(type)}` }]),
        ),
      },
    },
    operations: {
      publishPayments: {
        action: 'send',
        summary: 'The relay publishes what the log records.',
        channel: { $ref: '#/channels/payments' },
        messages: refs('#/channels/payments/messages'),
      },
    },
    components: { messages: Object.fromEntries(types.map((type) => [nameOf(type), messageOf(type)])) },
  };
};
