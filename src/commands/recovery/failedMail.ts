import { type Instant, MINUTE, plus } from '../../kernel/clock.js';
import type { MailOutcome } from '../../kernel/ports.js';

const MAIL_TRIES = 6;

interface FailedMail {
  readonly permanent: boolean;
  readonly reason: string;
  readonly retry_at?: Instant;
}

/** What a mail that was not taken leads to: after `failures` others it is tried again, a bounded number of times. */
export const failedMail = (
  outcome: Extract<MailOutcome, { status: 'failed' }>,
  failures: number,
  now: Instant,
): FailedMail => {
  const permanent = outcome.permanent || failures + 1 >= MAIL_TRIES;
  const retry = permanent ? {} : { retry_at: plus(now, 5 * 2 ** failures * MINUTE) };
  return { permanent, reason: outcome.reason, ...retry };
};
