import type { Recorded, RecordedEvent } from '../envelope.js';
import type { PaymentEvent } from '../payment.js';
import type { RecoveryEvent } from '../recovery.js';
import type { PublicMessage } from './message.js';

/** Which private events have a public message. */
export const publicEventTypes = {
  'payment.failed': 'PaymentFailed',
  'payment.succeeded': 'PaymentSucceeded',
  'recovery.succeeded': 'RecoverySucceeded',
} as const satisfies Record<PublicMessage['type'], (PaymentEvent | RecoveryEvent)['type']>;

const idOf = (stream: string): string => stream.slice(stream.indexOf('-') + 1);

const envelopeOf = (event: RecordedEvent) => ({
  id: event.id,
  org_id: event.metadata.org_id,
  time: event.metadata.occurred_at,
  position: String(event.position),
  correlation_id: event.metadata.correlation_id,
  ...(event.metadata.request_id !== undefined && { request_id: event.metadata.request_id }),
});

/** The public form of an event, without personal data; undefined for an event that is nobody else's business. */
export const toPublicMessage = (recorded: RecordedEvent): PublicMessage | undefined => {
  const event = recorded as Recorded<PaymentEvent | RecoveryEvent>;
  const envelope = envelopeOf(recorded);
  switch (event.type) {
    case 'PaymentFailed': {
      const payment_id = idOf(event.stream);
      const { trigger_id, late } = event.data;
      return { ...envelope, type: 'payment.failed', key: payment_id, data: { payment_id, trigger_id, late } };
    }
    case 'PaymentSucceeded': {
      const payment_id = idOf(event.stream);
      const { trigger_id } = event.data;
      return { ...envelope, type: 'payment.succeeded', key: payment_id, data: { payment_id, trigger_id } };
    }
    case 'RecoverySucceeded': {
      const recovery_id = idOf(event.stream);
      const { payment_id, source } = event.data;
      return {
        ...envelope,
        type: 'recovery.succeeded',
        key: payment_id,
        data: { payment_id, recovery_id, source },
      };
    }
    default:
      return undefined;
  }
};
