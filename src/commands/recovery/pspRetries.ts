import type { RecoveryEvent } from '../../events/recovery.js';
import type { CommandOf, RecoveryCommand } from './command.js';
import { andNext, nextCheck } from './outcome.js';
import type { KnownRecovery } from './state.js';

const findPspRetries = (
  { mode, guidance, now }: CommandOf<'FindPspRetries'>,
  known: KnownRecovery,
): RecoveryEvent[] => {
  if (known.status !== 'active' || known.pspRetries !== undefined) return [];
  const { cohort } = known;
  return andNext(known, { type: 'PspRetriesFound', data: { found_at: now, mode, cohort } }, now, guidance);
};

/** To be left to it, or to be told to stop: that it gave up changes something. */
export const isPspExpected = ({ pspRetries }: KnownRecovery): boolean =>
  pspRetries === 'watched' || pspRetries === 'to_stop';

const stopped = ({ guidance, now }: CommandOf<'EndPspRetries'>, known: KnownRecovery): RecoveryEvent[] => {
  const { cohort } = known;
  return andNext(known, { type: 'PspRetriesStopped', data: { stopped_at: now, cohort } }, now, guidance);
};

/** A PSP that gave up before it was told to stop has stopped. */
export const endPspRetries = (end: CommandOf<'EndPspRetries'>, known: KnownRecovery): RecoveryEvent[] => {
  if (known.status !== 'active') return [];
  if (known.pspRetries === 'to_stop') return stopped(end, known);
  if (known.pspRetries !== 'watched') return [];
  const { guidance, now } = end;
  const { cohort } = known;
  return andNext(known, { type: 'PspRetriesEnded', data: { ended_at: now, cohort } }, now, guidance);
};

const stopPspRetries = (
  { left, guidance, now }: CommandOf<'StopPspRetries'>,
  known: KnownRecovery,
): RecoveryEvent[] => {
  if (known.status !== 'active' || known.pspRetries !== 'to_stop') return [];
  if (left === undefined) return stopped({ guidance, now }, known);
  const { cohort } = known;
  return andNext(known, { type: 'PspRetriesLeft', data: { reason: left, cohort } }, now, guidance);
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
