import type { Instant } from '../../kernel/clock.js';

/**
 * A message for other parties than the aggregate itself: mapped from a private event, without personal data. It says
 * what happened to which payment, not everything about it; a consumer that decides reads the stream.
 */
interface Envelope<T extends string, D> {
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
  readonly data: D;
}

export type PublicMessage =
  | Envelope<'payment.failed', { payment_id: string; trigger_id: string; late: boolean }>
  | Envelope<'payment.succeeded', { payment_id: string; trigger_id: string }>
  | Envelope<'recovery.succeeded', { payment_id: string; recovery_id: string; source: string }>;
