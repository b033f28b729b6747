import { Type } from 'typebox';
import { channels } from '../../events/organization.js';
import { successSources } from '../../events/payment.js';
import { categories, closedStatuses, hardnesses, retryPermissions } from '../../events/recovery.js';
import { FailureSchema } from '../../events/schema.js';
import { closed, enumOf, listOf, named, nullable, Timestamp, Uuid } from './common.js';

export const recoveryStatuses = ['active', ...closedStatuses] as const;

const AttemptSchema = named('Attempt', {
  attempt: Type.Integer({ description: '1, 2, …' }),
  status: enumOf(['scheduled', 'started', 'succeeded', 'declined', 'unknown', 'dropped']),
  scheduled_at: nullable(Timestamp),
  started_at: nullable(Timestamp),
  settled_at: nullable(Timestamp),
  unknown_outcomes: Type.Integer({ description: 'How often the PSP did not tell the outcome' }),
  check_at: nullable(Timestamp),
  failure: nullable(FailureSchema),
  category: nullable(enumOf(categories)),
  reference: nullable(Type.String({ description: "The PSP's name for the charge that succeeded" })),
});
const NotificationSchema = named('Notification', {
  step: Type.Integer({ description: '1, 2, …' }),
  channel: enumOf(channels),
  template: Type.String(),
  status: enumOf(['scheduled', 'started', 'sent', 'failed', 'dropped']),
  at: Timestamp,
  started_at: nullable(Timestamp),
  sent_at: nullable(Timestamp),
  message_id: nullable(Type.String()),
});

export const RecoverySchema = named('Recovery', {
  id: Uuid,
  payment_id: Uuid,
  transaction_ref: Type.String(),
  gateway: Type.String(),
  status: enumOf(recoveryStatuses),
  category: enumOf(categories),
  hardness: enumOf(hardnesses),
  retry: enumOf(retryPermissions),
  amount: Type.Integer({ description: 'Minor units' }),
  currency: Type.String(),
  recovered_amount: nullable(Type.Integer()),
  source: nullable(enumOf(successSources)),
  double_payment: Type.Boolean({
    description: 'Two payments were told of: one is probably to be given back',
  }),
  opened_at: Timestamp,
  closed_at: nullable(Timestamp),
  expires_at: Timestamp,
  close_reason: nullable(Type.String()),
  policy_version: Type.Integer(),
  attempts: Type.Array(AttemptSchema),
  notifications: Type.Array(NotificationSchema),
  psp_retries: nullable(enumOf(['watched', 'gave_up', 'to_stop', 'stopped'])),
  psp_retries_since: nullable(Timestamp),
  psp_retries_check_at: nullable({
    ...Timestamp,
    description: 'When the PSP that did not say whether it stops is told again',
  }),
  escalations: Type.Array(
    closed({
      cause: Type.String({ description: 'The category, or the id of the rule' }),
      reason: Type.String(),
      at: Timestamp,
      status: {
        ...enumOf(['pending', 'told', 'failed']),
        description: "Of the mail to the organization's admins",
      },
      alert_at: nullable({ ...Timestamp, description: 'When the mail is due, or tried again' }),
      told_at: nullable(Timestamp),
      told_by: nullable({
        ...Uuid,
        description: 'The recovery that told it that day, where it was another one',
      }),
    }),
  ),
  next_action: nullable(
    closed({
      kind: enumOf(['stop', 'retry', 'settle', 'notify', 'abandon', 'close', 'alert']),
      at: Timestamp,
    }),
  ),
  link_opened_at: nullable(Timestamp),
  checkouts: Type.Integer(),
  checkout_opened_at: nullable(Timestamp),
  quiet_until: nullable(Timestamp),
  grace_until: nullable(Timestamp),
  last_event_at: Timestamp,
});
export const RecoveryListSchema = listOf('RecoveryList', RecoverySchema);
export const CancelBody = closed({ reason: Type.Optional(Type.String({ minLength: 1, maxLength: 500 })) });
export const CancelledSchema = named('Cancelled', { recovery_id: Uuid });

const OpenObject = Type.Object({}, { additionalProperties: true });
const DecisionSchema = named('Decision', {
  position: Type.String(),
  event_id: Uuid,
  event: Type.String({ description: 'What was decided or happened' }),
  summary: Type.String({ description: 'The same in words' }),
  occurred_at: Timestamp,
  recorded_at: Timestamp,
  actor: closed({ type: enumOf(['user', 'system', 'psp', 'customer']), id: Type.String() }),
  explanation: nullable({
    ...OpenObject,
    description: 'What was chosen, from what, and what was rejected why',
  }),
  evidence: nullable({ ...OpenObject, description: 'Which word of the failure decided' }),
  details: OpenObject,
});
export const ExplanationSchema = named('RecoveryExplanation', {
  recovery_id: Uuid,
  decisions: Type.Array(DecisionSchema),
});
