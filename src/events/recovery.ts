import { Type, type Static } from 'typebox';
import { type Instant, isBefore, MINUTE } from '../kernel/clock.js';
import { categories, hardnesses, type RetryPermission, retryPermissions } from './category.js';
import { channels, pspRetryModes, RetryPolicySchema } from './organization.js';
import { successSources } from './payment.js';
import {
  Amount,
  closed,
  Code,
  Currency,
  enumOf,
  type EventOf,
  FailureSchema,
  MetadataSchema,
  Timestamp,
  Uuid,
} from './schema.js';

export * from './category.js';

/** Which word of the failure decided, read by which version of the tables. */
export const EvidenceSchema = closed({
  /** The step of the order of evidence that won, e.g. `decline_code`; `none` when nothing was recognised. */
  step: Code,
  value: Type.Optional(Code),
  table_version: Code,
  raw: closed({
    code: Type.Optional(Code),
    decline_code: Type.Optional(Code),
    network_code: Type.Optional(Code),
    advice_code: Type.Optional(Code),
    card_brand: Type.Optional(Code),
    source: Type.Optional(Code),
    step: Type.Optional(Code),
  }),
  /** Every code given that no table knows, also where another code decided: `decline_code:flux`. */
  unmapped: Type.Optional(Type.Array(Type.String({ maxLength: 120 }))),
});
export type Evidence = Static<typeof EvidenceSchema>;

const classificationFields = {
  category: enumOf(categories),
  hardness: enumOf(hardnesses),
  retry: enumOf(retryPermissions),
  /** Not before this instant, when the network says so. */
  earliest_at: Type.Optional(Timestamp),
  evidence: EvidenceSchema,
} as const;
export const ClassificationSchema = closed(classificationFields);
export type Classification = Static<typeof ClassificationSchema>;

/** Why a step was chosen: enough to take the same decision again. */
export const ExplanationSchema = closed({
  chosen: Type.String(),
  candidates: Type.Array(Type.String()),
  rejected: Type.Array(closed({ candidate: Type.String(), reason: Type.String() })),
  evidence: EvidenceSchema,
  policy_version: Type.Integer(),
  rules_version: Type.Integer(),
  limits_version: Type.Integer(),
  /** Beside our own: the attempts on the payment method that each network limit counts, by the limit's name. */
  counters: Type.Record(Type.String(), Type.Integer()),
  /** What set the time, in the order in which it did. */
  because: Type.Optional(Type.Array(Type.String())),
  /** Ids of the rules that matched, in their order. */
  rules: Type.Optional(Type.Array(Uuid)),
  /** Revisions of the streams that were read beside the recovery's own; -1 for one that was not there yet. */
  read_at: Type.Optional(Type.Record(Type.String(), Type.Integer({ minimum: -1 }))),
});
export type Explanation = Static<typeof ExplanationSchema>;

/** The debt and the day its recovery began, on every event, so that analytics can be folded from single events. */
export const CohortSchema = closed({ opened_at: Timestamp, amount: Amount, currency: Currency });
export type Cohort = Static<typeof CohortSchema>;

const Attempt = Type.Integer({ minimum: 1 });
const Step = Type.Integer({ minimum: 1 });
export const closedStatuses = ['succeeded', 'exhausted', 'expired', 'cancelled'] as const;
const cohort = { cohort: CohortSchema } as const;
/** Where nothing that follows explains the decision. */
const why = { explanation: Type.Optional(ExplanationSchema) } as const;
/** How the debt can be collected; absent is yes. */
const means = {
  /** Whether the PSP has something on file to charge again. */
  chargeable: Type.Optional(Type.Boolean()),
  /** Whether there is a checkout to lead the customer to. */
  payable: Type.Optional(Type.Boolean()),
} as const;

/** Stored format: add, never change; upcast in registry.ts. */
export const recoveryEvents = {
  RecoveryStarted: closed({
    payment_id: Uuid,
    transaction_ref: Type.String(),
    gateway: Type.String(),
    trigger_id: Type.String(),
    ...classificationFields,
    policy_version: Type.Integer({ minimum: 0 }),
    policy: RetryPolicySchema,
    /** The enabled channels by which this customer can be reached. */
    channels: Type.Array(enumOf(channels)),
    expires_at: Timestamp,
    /** The PSP retries by itself: it is watched, or taken over from. Absent: it does not. */
    psp_retries: Type.Optional(enumOf(pspRetryModes)),
    ...means,
    ...why,
    ...cohort,
  }),
  /** A failure of the same payment that we did not cause (the PSP's own retry, the customer's attempt). */
  FurtherFailureRecorded: closed({
    trigger_id: Type.String(),
    ...classificationFields,
    /** It happened before what the recovery knew already, and was told later: it replaces nothing unless it bans. */
    older: Type.Optional(Type.Literal(true)),
    /** The channels by which the customer can be reached, where they became more. */
    channels: Type.Optional(Type.Array(enumOf(channels))),
    /** It tells another address than the one that could not be reached. */
    address_changed: Type.Optional(Type.Literal(true)),
    /** The PSP's own retries, which were watched, are over. */
    psp_gave_up: Type.Optional(Type.Literal(true)),
    ...means,
    ...why,
    ...cohort,
  }),
  RetryScheduled: closed({ attempt: Attempt, at: Timestamp, explanation: ExplanationSchema, ...cohort }),
  /** It was planned, and no limit or rule allows it as planned any more. */
  RetryDropped: closed({
    attempt: Attempt,
    reason: Type.String(),
    /** Its time had come: what takes its place does not wait again. */
    due: Type.Optional(Type.Literal(true)),
    ...why,
    ...cohort,
  }),
  RetryStarted: closed({
    attempt: Attempt,
    idempotency_key: Type.String(),
    started_at: Timestamp,
    /** What is charged, so that the same key always asks for the same. */
    charged: Type.Optional(
      closed({ payment_method_id: Type.Optional(Type.String()), references: MetadataSchema }),
    ),
    /** The stream in which the attempt took its slot under the networks' limits. */
    credential_id: Type.Optional(Uuid),
    ...cohort,
  }),
  RetrySucceeded: closed({ attempt: Attempt, reference: Type.String(), ...cohort }),
  RetryDeclined: closed({
    attempt: Attempt,
    failure: FailureSchema,
    ...classificationFields,
    /** Of the PSP's report, when it was not the answer to our own question. */
    trigger_id: Type.Optional(Type.String()),
    ...why,
    ...cohort,
  }),
  /** The PSP did not say; `check_at` is when the same key is asked again. */
  RetryOutcomeUnknown: closed({
    attempt: Attempt,
    reason: Type.String(),
    check: Type.Integer({ minimum: 1 }),
    check_at: Timestamp,
    ...cohort,
  }),
  /** The PSP never said: it is asked no more, and nothing is charged again. */
  RetryUnresolved: closed({ attempt: Attempt, reason: Type.String(), ...cohort }),
  /** The debt came in otherwise too: one of the two payments is probably to be given back. */
  DoublePaymentSuspected: closed({
    references: Type.Array(Type.String()),
    sources: Type.Array(enumOf(successSources)),
    amount: Amount,
    currency: Currency,
    ...cohort,
  }),
  NotificationScheduled: closed({
    step: Step,
    channel: enumOf(channels),
    at: Timestamp,
    template: Code,
    ...why,
    ...cohort,
  }),
  NotificationStarted: closed({ step: Step, message_id: Type.String(), started_at: Timestamp, ...cohort }),
  NotificationSent: closed({
    step: Step,
    message_id: Type.String(),
    sent_at: Timestamp,
    ...why,
    ...cohort,
  }),
  /** It was planned, and is not called for any more. */
  NotificationDropped: closed({ step: Step, reason: Type.String(), ...why, ...cohort }),
  /** Not permanent: tried again at `retry_at`. */
  NotificationFailed: closed({
    step: Step,
    permanent: Type.Boolean(),
    reason: Type.String(),
    retry_at: Type.Optional(Timestamp),
    ...why,
    ...cohort,
  }),
  /** A matter for the merchant. */
  RecoveryEscalated: closed({
    /** The category, or the id of the rule. */
    cause: Code,
    reason: Type.String({ maxLength: 200 }),
    /** Of a rule. */
    rule_name: Type.Optional(Type.String({ maxLength: 120 })),
    /** Absent in older logs: when the recovery began. */
    escalated_at: Type.Optional(Timestamp),
    ...cohort,
  }),
  MerchantAlertStarted: closed({ cause: Code, message_id: Type.String(), started_at: Timestamp, ...cohort }),
  MerchantAlertSent: closed({ cause: Code, message_id: Type.String(), sent_at: Timestamp, ...cohort }),
  /** Not permanent: tried again at `retry_at`. */
  MerchantAlertFailed: closed({
    cause: Code,
    permanent: Type.Boolean(),
    reason: Type.String(),
    retry_at: Type.Optional(Timestamp),
    ...cohort,
  }),
  /** Another recovery mails the merchant of the same cause that day. */
  MerchantAlertSkipped: closed({ cause: Code, by_recovery: Uuid, skipped_at: Timestamp, ...cohort }),
  /** The PSP turns out to retry by itself: a charge of ours that was planned is not made beside it. */
  PspRetriesFound: closed({ found_at: Timestamp, mode: enumOf(pspRetryModes), ...why, ...cohort }),
  /** The PSP did not say whether it stops; `check_at` is when it is told again. */
  PspRetriesUndecided: closed({
    reason: Type.String(),
    check: Type.Integer({ minimum: 1 }),
    check_at: Timestamp,
    ...cohort,
  }),
  /** The PSP was told to retry this debt no more by itself. */
  PspRetriesStopped: closed({ stopped_at: Timestamp, ...why, ...cohort }),
  /** The PSP goes on retrying: it refuses to stop, and is watched. */
  PspRetriesLeft: closed({ reason: Type.String(), ...why, ...cohort }),
  /** The PSP, which was watched, gave up: told after the failure itself. */
  PspRetriesEnded: closed({ ended_at: Timestamp, ...why, ...cohort }),
  /** The customer's page was opened for the first time (mail scanners count too). */
  RecoveryLinkOpened: closed({ link_opened_at: Timestamp, ...cohort }),
  CheckoutOpened: closed({
    reference: Type.String(),
    checkout: Type.Integer({ minimum: 1 }),
    checkout_opened_at: Timestamp,
    ...cohort,
  }),
  /** The PSP cannot say yet whether a checkout brings money in: nothing is done before `check_at`. */
  CheckoutUndecided: closed({
    reference: Type.String(),
    reason: Type.String(),
    check_at: Timestamp,
    ...cohort,
  }),
  /** Every retry and mail is used up; the mailed link stays good until then, when the recovery is exhausted. */
  GracePeriodStarted: closed({ until: Timestamp, ...why, ...cohort }),
  RecoverySucceeded: closed({
    payment_id: Uuid,
    amount: Amount,
    currency: Currency,
    source: enumOf(successSources),
    succeeded_at: Timestamp,
    /** What the recovery was before: a success is accepted also after it was given up. */
    previous_status: enumOf(['active', 'exhausted', 'expired', 'cancelled']),
    /** What the PSP or the merchant calls the payment. */
    reference: Type.Optional(Type.String()),
    ...cohort,
  }),
  RecoveryExhausted: closed({ reason: Code, ...why, ...cohort }),
  RecoveryExpired: closed({ expired_at: Timestamp, ...why, ...cohort }),
  RecoveryCancelled: closed({ reason: Type.String({ maxLength: 500 }), by: Type.String(), ...cohort }),
} as const;

export type RecoveryEvent = EventOf<typeof recoveryEvents>;
export const recoveryStream = (id: string) => `recovery-${id}`;

/** How long a step that was begun may stay without an outcome before another worker asks what became of it. */
export const SETTLE_AFTER = MINUTE;
/** How long a checkout takes money (Stripe: at least 30 minutes). */
export const CHECKOUT_LIFETIME = 35 * MINUTE;
/** While the customer may stand at a checkout nothing is done beside it. Longer than its life. */
export const CHECKOUT_QUIET = 45 * MINUTE;

export type TimedClassification = Classification & { readonly older?: true };

/**
 * A charge planned for `at` is not made after a failure that forbids it, or whose network wants it later. Told too late,
 * it drops the charge by a ban alone: how long the card has to wait is looked up before it is charged.
 */
export const dropsRetry = ({ retry, earliest_at, older }: TimedClassification, at: Instant): boolean =>
  older === true
    ? retry === 'never'
    : retry !== 'allowed' || (earliest_at !== undefined && isBefore(at, earliest_at));

/** Whether a failure takes the place of what is known. A ban is lifted by no milder one, and brought by an older one, too. */
export const takesPlace = (known: RetryPermission, { retry, older }: TimedClassification): boolean =>
  older === true ? retry === 'never' && known !== 'never' : known !== 'never' || retry === 'never';
