import { type Static, Type } from 'typebox';
import type { Instant } from '../../kernel/clock.js';
import { Uuid } from '../schema.js';

const TriggerId = Type.String({
  minLength: 1,
  maxLength: 200,
  description: 'What caused the fact to be recorded',
});

/**
 * Messages for other parties than the aggregate itself: mapped from private events, without personal data. They say
 * what happened to which payment, not everything about it; a consumer that decides reads the stream.
 * Published format: add optional fields, never change; what breaks it is a new topic. The schemas are open, so that a
 * consumer goes on reading when a newer producer has added a field.
 */
export const publicMessages = {
  'payment.failed': Type.Object({
    payment_id: Uuid,
    trigger_id: TriggerId,
    late: Type.Boolean({
      description: 'The payment had succeeded before: a late report, which overturns nothing',
    }),
  }),
  'payment.succeeded': Type.Object({ payment_id: Uuid, trigger_id: TriggerId }),
  'recovery.succeeded': Type.Object({
    payment_id: Uuid,
    recovery_id: Uuid,
    source: Type.String({ minLength: 1, maxLength: 60, description: 'Who brought the money in' }),
  }),
} as const;

type Schemas = typeof publicMessages;
export type PublicType = keyof Schemas;

interface Envelope<T extends PublicType> {
  /** The event's id. */
  readonly id: string;
  readonly type: T;
  /** Messages with the same key keep their order: the payment's id. */
  readonly key: string;
  readonly org_id: string;
  readonly time: Instant;
  /** The event's log position, as a decimal string. */
  readonly position: string;
  readonly correlation_id: string;
  readonly request_id?: string;
  readonly data: Static<Schemas[T]>;
}

export type PublicMessage = { [T in PublicType]: Envelope<T> }[PublicType];
