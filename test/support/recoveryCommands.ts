import type { RecoveryEvent } from '../../src/events/recovery.js';
import type { RecoveryCommand } from '../../src/commands/recovery/command.js';
import { recoveryDecider } from '../../src/commands/recovery/decide.js';
import type { Classification } from '../../src/events/recovery.js';
import { CREDENTIAL, declined, MEANS, unguided } from './recoverySamples.js';
import { stateOf } from './spec.js';

export const run = (
  commands: readonly RecoveryCommand[],
  history: readonly RecoveryEvent[] = [],
): RecoveryEvent[] =>
  commands.reduce<RecoveryEvent[]>(
    (events, command) => [...events, ...recoveryDecider.decide(command, stateOf(recoveryDecider, ...events))],
    [...history],
  );
export const types = (events: readonly RecoveryEvent[]): string[] => events.map(({ type }) => type);
export const known = (events: readonly RecoveryEvent[]) => stateOf(recoveryDecider, ...events);
export type DataOf<T extends RecoveryEvent['type']> = Extract<RecoveryEvent, { type: T }>['data'];
export const dataOf = <T extends RecoveryEvent['type']>(
  events: readonly RecoveryEvent[],
  type: T,
): DataOf<T> | undefined => events.findLast((event) => event.type === type)?.data as DataOf<T> | undefined;

export const begin = (attempt: number, now: string): RecoveryCommand => ({
  type: 'StartRetry',
  data: {
    attempt,
    idempotencyKey: `k${attempt}`,
    charged: { references: {} },
    credentialId: CREDENTIAL,
    now,
  },
});
export const decline = (attempt: number, code: string, now: string): RecoveryCommand => ({
  type: 'SettleRetry',
  data: {
    attempt,
    guidance: unguided,
    now,
    outcome: { status: 'declined', failure: { decline_code: code }, classification: declined(code) },
  },
});
export const succeed = (attempt: number, now: string): RecoveryCommand => ({
  type: 'SettleRetry',
  data: { attempt, guidance: unguided, now, outcome: { status: 'succeeded', reference: 'ch_1' } },
});

export const failAgain = (
  triggerId: string,
  classification: Classification,
  now: string,
): RecoveryCommand => ({
  type: 'RecordFurtherFailure',
  data: {
    triggerId,
    failedAt: now,
    classification,
    means: MEANS,
    channels: ['email'],
    guidance: unguided,
    now,
  },
});
