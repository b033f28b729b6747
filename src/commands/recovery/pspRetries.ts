import type { PspRetryMode, RetryPolicy } from '../../events/organization.js';
import type { RecoveryEvent } from '../../events/recovery.js';
import type { Instant } from '../../kernel/clock.js';
import type { PspRetries } from '../payment/state.js';
import type { CommandOf, RecoveryCommand } from './command.js';
import { evolve } from './evolve.js';
import { andNext, type Explained, nextCheck } from './outcome.js';
import type { KnownRecovery, Recovery } from './state.js';

/** What becomes of the PSP's own retries, as the policy of the recovery says. */
export const modeOf = ({ psp_retries }: RetryPolicy): PspRetryMode => psp_retries ?? 'watch';

const found = ({ policy, cohort }: KnownRecovery, now: Instant) =>
  ({ type: 'PspRetriesFound', data: { found_at: now, mode: modeOf(policy), cohort } }) as const;

const findPspRetries = (
  { guidance, now }: CommandOf<'FindPspRetries'>,
  known: KnownRecovery,
): RecoveryEvent[] =>
  known.status !== 'active' || known.pspRetries !== undefined
    ? []
    : andNext(known, found(known, now), now, guidance);

/** Whether the recovery does not know it yet. */
export const isNews = ({ pspRetries: known }: KnownRecovery, told: PspRetries): boolean =>
  known === undefined || (told === 'over' && (known === 'watched' || known === 'to_stop'));

const stopped = ({ guidance, now }: CommandOf<'EndPspRetries'>, known: KnownRecovery): RecoveryEvent[] => {
  const { cohort } = known;
  return andNext(known, { type: 'PspRetriesStopped', data: { stopped_at: now, cohort } }, now, guidance);
};

/** A PSP that gave up before it was told to stop has stopped. Over before they were heard of, its retries are found first. */
const endPspRetries = (end: CommandOf<'EndPspRetries'>, known: KnownRecovery): RecoveryEvent[] => {
  if (known.status !== 'active') return [];
  const { guidance, now } = end;
  const { cohort } = known;
  if (known.pspRetries === undefined) {
    const event = found(known, now);
    return [event, ...endPspRetries(end, evolve(known, event) as KnownRecovery)];
  }
  if (known.pspRetries === 'to_stop') return stopped(end, known);
  if (known.pspRetries !== 'watched') return [];
  return andNext(known, { type: 'PspRetriesEnded', data: { ended_at: now, cohort } }, now, guidance);
};

type Told = Pick<CommandOf<'RecordFurtherFailure'>, 'pspRetries' | 'guidance' | 'now'>;

/** What a failure tells of the PSP's own retries goes into the same decision. */
export const andPspRetries = (
  known: Recovery,
  failed: Explained,
  { pspRetries, guidance, now }: Told,
): RecoveryEvent[] => {
  const after = evolve(known, failed) as KnownRecovery;
  const decide = { to_come: findPspRetries, over: endPspRetries } as const;
  const follows = pspRetries === undefined ? [] : decide[pspRetries]({ guidance, now }, after);
  return follows.length > 0 ? [failed, ...follows] : andNext(known, failed, now, guidance);
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
