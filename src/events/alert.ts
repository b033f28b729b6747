import { Type } from 'typebox';
import { closed, Code, type EventOf, Timestamp, Uuid } from './schema.js';

/** Stored format: add, never change; upcast in registry.ts. */
export const alertEvents = {
  /** That recovery mails the merchant of the cause on that day; all others leave it to it. */
  AlertClaimed: closed({
    cause: Code,
    /** UTC. */
    day: Type.String({ pattern: '^[0-9]{4}-[0-9]{2}-[0-9]{2}$' }),
    recovery_id: Uuid,
    claimed_at: Timestamp,
  }),
} as const;

export type AlertEvent = EventOf<typeof alertEvents>;
export const alertStream = (id: string) => `alert-${id}`;
