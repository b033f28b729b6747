import { DomainError } from '../kernel/errors.js';
import { type Instant, instantOf } from '../kernel/clock.js';
import type { Page, PageArgs } from '../projections/read.js';
import type { Session } from './auth/sessions.js';

const DEFAULT_PAGE = 50;

/** The organization comes from the principal and from nowhere else. */
export const pageArgs = (
  { orgId }: Session,
  { limit = DEFAULT_PAGE, cursor }: { limit?: number; cursor?: string },
): PageArgs => ({ orgId, limit, cursor });

export const toList = <R, V>(
  { rows, nextCursor }: Page<R>,
  view: (row: R) => V,
): { data: V[]; next_cursor: string | null } => ({ data: rows.map(view), next_cursor: nextCursor });

/** Absent and another organization's are the same. @throws DomainError `not_found` */
export const found = <T>(value: T | undefined, what: string): T => {
  if (value === undefined) throw new DomainError('not_found', `no such ${what}`);
  return value;
};

/** Read models hold UTC with milliseconds. */
export const utc = (time: string | undefined): Instant | undefined =>
  time === undefined ? undefined : instantOf(time);
