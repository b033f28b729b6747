import type { ReserveAttempt, Verdict } from '../../src/commands/credential/decide.js';
import type { Charge } from '../../src/commands/credential/ledger.js';
import { limitsOn } from '../../src/commands/credential/networkLimits.js';
import type { AttemptOutcome, CredentialEvent } from '../../src/events/credential.js';
import type { Instant } from '../../src/kernel/clock.js';
import { deriveId } from '../../src/kernel/ids.js';
import { T0 } from './recoverySamples.js';

export const recoveryNo = (n: number): string => deriveId('recovery', String(n));

export const aCharge = (some: Partial<Charge> = {}): Charge => ({
  amount: 4_900,
  currency: 'EUR',
  brand: 'visa',
  initiator: 'merchant',
  ...some,
});

type DataOf<T extends CredentialEvent['type']> = Extract<CredentialEvent, { type: T }>['data'];

export const reserved = (
  n: number,
  reserved_at: Instant = T0,
  some: Partial<DataOf<'AttemptReserved'>> = {},
): CredentialEvent => ({
  type: 'AttemptReserved',
  data: { recovery_id: recoveryNo(n), attempt: 1, ...aCharge(), limits_version: 2, reserved_at, ...some },
});

export const settled = (
  n: number,
  outcome: AttemptOutcome,
  verdict?: DataOf<'ExternalAttemptRecorded'>['verdict'],
  settled_at: Instant = T0,
): CredentialEvent => ({
  type: 'AttemptSettled',
  data: { recovery_id: recoveryNo(n), attempt: 1, outcome, ...(verdict && { verdict }), settled_at },
});

export const external = (
  trigger_id: string,
  attempted_at: Instant = T0,
  some: Partial<DataOf<'ExternalAttemptRecorded'>> = {},
): CredentialEvent => ({
  type: 'ExternalAttemptRecorded',
  data: { trigger_id, ...aCharge(), verdict: { retry: 'allowed' }, attempted_at, ...some },
});

export const reserve = (n: number, now: Instant = T0, charge = aCharge()): ReserveAttempt => ({
  type: 'ReserveAttempt',
  data: { recoveryId: recoveryNo(n), attempt: 1, charge, limits: limitsOn(now), now },
});

export const allowed: Verdict = { retry: 'allowed' };
