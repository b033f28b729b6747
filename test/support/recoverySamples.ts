import type { Classification } from '../../src/events/recovery.js';
import type { RetryPolicy } from '../../src/events/organization.js';
import { classify } from '../../src/commands/recovery/classification/classify.js';
import { emptyLedger } from '../../src/commands/credential/ledger.js';
import { limitsOn } from '../../src/commands/credential/networkLimits.js';
import { compileRules } from '../../src/commands/rules/match.js';
import type { Guidance } from '../../src/commands/recovery/guidance.js';
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

/** No rules, an untouched card of a brand that nobody told. */
export const unguided: Guidance = {
  rules: compileRules(0, []),
  ledger: emptyLedger,
  limits: limitsOn(T0),
  circumstances: { brand: 'unknown', metadata: {} },
  readAt: { payment: 0, credential: 0 },
};

export const CREDENTIAL = '3c1f2d4e-1111-5aaa-8bbb-0123456789ab';

export const MEANS = { chargeable: true, payable: true };

type Start = Extract<RecoveryCommand, { type: 'StartRecovery' }>;

export const startRecovery = (decline_code: string, overrides: Partial<Start['data']> = {}): Start => ({
  type: 'StartRecovery',
  data: {
    paymentId: PAYMENT,
    transactionRef: 'inv_1',
    gateway: 'sandbox',
    triggerId: 'trigger-1',
    failedAt: T0,
    amount: 4900,
    currency: 'EUR',
    classification: declined(decline_code),
    policy,
    channels: ['email'],
    means: MEANS,
    guidance: unguided,
    now: T0,
    ...overrides,
  },
});
