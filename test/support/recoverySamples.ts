import type { Classification } from '../../src/events/recovery.js';
import type { RetryPolicy } from '../../src/events/organization.js';
import { classify } from '../../src/commands/recovery/classification/classify.js';
import type { RecoveryCommand } from '../../src/commands/recovery/command.js';

export const T0 = '2026-03-01T10:00:00.000Z';
export const PAYMENT = '7c9e6679-7425-5e1f-8f2b-1d0c5a3b9e01';

export const policy: RetryPolicy = {
  version: 3,
  max_retries: 3,
  initial_delay_minutes: 60,
  backoff_multiplier: 2,
  max_delay_minutes: 180,
  enabled_channels: ['email'],
};

export const declined = (decline_code: string): Classification => classify({ decline_code }, T0);

export const MEANS = { chargeable: true, payable: true };

type Start = Extract<RecoveryCommand, { type: 'StartRecovery' }>;

export const startRecovery = (decline_code: string, overrides: Partial<Start['data']> = {}): Start => ({
  type: 'StartRecovery',
  data: {
    paymentId: PAYMENT,
    transactionRef: 'inv_1',
    gateway: 'sandbox',
    triggerId: 'trigger-1',
    amount: 4900,
    currency: 'EUR',
    classification: declined(decline_code),
    policy,
    channels: ['email'],
    means: MEANS,
    now: T0,
    ...overrides,
  },
});
