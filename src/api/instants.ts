import { DAY, type Instant, instantOf, isBefore, plus } from '../kernel/clock.js';
import { invalid } from './validation.js';

export const EARLIEST: Instant = '2000-01-01T00:00:00.000Z';

/** The last instant that can be asked about: what follows from it can still be told. */
export const latestAskable = (now: Instant): Instant => plus(now, 366 * DAY);

/** @throws DomainError `validation_failed` for what is no instant from the year 2000 to `last` */
export const instantIn = (
  text: string | undefined,
  pointer: string,
  otherwise: Instant,
  last: Instant,
): Instant => {
  const at = text === undefined ? otherwise : instantOf(text);
  if (at === undefined || isBefore(at, EARLIEST) || isBefore(last, at))
    throw invalid(pointer, `must be from ${EARLIEST} to ${last}`);
  return at;
};
