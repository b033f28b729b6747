import { Type } from 'typebox';
import { retryPermissions } from './category.js';
import { Amount, closed, Code, Currency, enumOf, type EventOf, Timestamp, Uuid } from './schema.js';

/** Who started a charge: the merchant with stored credentials (MIT), or the customer on-session (CIT). */
export const initiators = ['merchant', 'customer'] as const;
export type Initiator = (typeof initiators)[number];

/** not_made: the PSP says that it never got the request. unresolved: it never said. */
export const attemptOutcomes = ['succeeded', 'declined', 'not_made', 'unresolved'] as const;
export type AttemptOutcome = (typeof attemptOutcomes)[number];

/** What networks count attempts by, beside the credential and the acceptor that the stream is of. */
const charge = {
  amount: Amount,
  currency: Currency,
  brand: Code,
  initiator: enumOf(initiators),
} as const;
const verdict = {
  retry: enumOf(retryPermissions),
  /** The network wants no other attempt before this instant. */
  earliest_at: Type.Optional(Timestamp),
} as const;

/** Stored format: add, never change; upcast in registry.ts. */
export const credentialEvents = {
  /** A slot is taken before the charge is made. */
  AttemptReserved: closed({
    recovery_id: Uuid,
    attempt: Type.Integer({ minimum: 1 }),
    ...charge,
    limits_version: Type.Integer({ minimum: 1 }),
    reserved_at: Timestamp,
  }),
  AttemptSettled: closed({
    recovery_id: Uuid,
    attempt: Type.Integer({ minimum: 1 }),
    outcome: enumOf(attemptOutcomes),
    /** Of a declined one. */
    verdict: Type.Optional(closed(verdict)),
    settled_at: Timestamp,
  }),
  /** A declined attempt of somebody else's: the PSP's own retry, the merchant's, the customer's. */
  ExternalAttemptRecorded: closed({
    /** Of the failure that told of it. */
    trigger_id: Type.String(),
    ...charge,
    verdict: closed(verdict),
    attempted_at: Timestamp,
  }),
  /** Of the id of a method, once the fingerprint behind it is told: what comes after is in the stream of that. */
  CredentialLinked: closed({ to: Uuid, linked_at: Timestamp }),
  /** Of a fingerprint: it is known by this name, too, and these attempts were counted under it. */
  AttemptsTakenOver: closed({
    from: Uuid,
    attempts: Type.Array(
      closed({
        /** A `trigger_id`, or recovery and number of the attempt. */
        id: Type.String(),
        ...charge,
        at: Timestamp,
        counted: Type.Boolean(),
        open: Type.Boolean(),
      }),
    ),
    banned_by: Type.Optional(Type.String()),
    not_before: Type.Optional(Timestamp),
    taken_over_at: Timestamp,
  }),
} as const;

export type CredentialEvent = EventOf<typeof credentialEvents>;
export const credentialStream = (id: string) => `credential-${id}`;
