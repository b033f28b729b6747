import type { RecoveryEvent } from '../../events/recovery.js';
import type { CommandOf, RecoveryCommand } from './command.js';
import { andNext, type Explained, nextCheck } from './outcome.js';
import type { KnownRecovery } from './state.js';

const findPspRetries = (
  { mode, guidance, now }: CommandOf<'FindPspRetries'>,
  known: KnownRecovery,
): RecoveryEvent[] => {
  if (known.status !== 'active' || known.pspRetries !== undefined) return [];
  const { cohort } = known;
  return andNext(known, { type: 'PspRetriesFound', data: { found_at: now, mode, cohort } }, now, guidance);
};

const endPspRetries = (
  { guidance, now }: CommandOf<'EndPspRetries'>,
  known: KnownRecovery,
): RecoveryEvent[] => {
  if (known.status !== 'active' || known.pspRetries !== 'watched') return [];
  const { cohort } = known;
  return andNext(known, { type: 'PspRetriesEnded', data: { ended_at: now, cohort } }, now, guidance);
};

const stopPspRetries = (
  { left, guidance, now }: CommandOf<'StopPspRetries'>,
  known: KnownRecovery,
): RecoveryEvent[] => {
  if (known.status !== 'active' || known.pspRetries !== 'to_stop') return [];
  const { cohort } = known;
  const told: Explained =
    left === undefined
      ? { type: 'PspRetriesStopped', data: { stopped_at: now, cohort } }
      : { type: 'PspRetriesLeft', data: { reason: left, cohort } };
  return andNext(known, told, now, guidance);
};

/** Mails are not held up by it, nor the recovery's end. */
const awaitPspRetries = (
  { reason, now }: CommandOf<'AwaitPspRetries'>,
  { status, pspRetries, pspStop, cohort }: KnownRecovery,
): RecoveryEvent[] => {
  if (status !== 'active' || pspRetries !== 'to_stop') return [];
  const check = (pspStop?.checks ?? 0) + 1;
  const check_at = nextCheck(now, check);
  return [{ type: 'PspRetriesUndecided', data: { reason, check, check_at, cohort } }];
};

export const decidePspRetries = (
  command: Extract<RecoveryCommand, { type: `${string}PspRetries` }>,
  known: KnownRecovery,
): RecoveryEvent[] => {
  switch (command.type) {
    case 'FindPspRetries':
      return findPspRetries(command.data, known);
    case 'EndPspRetries':
      return endPspRetries(command.data, known);
    case 'StopPspRetries':
      return stopPspRetries(command.data, known);
    case 'AwaitPspRetries':
      return awaitPspRetries(command.data, known);
    default:
      return command satisfies never;
  }
};
