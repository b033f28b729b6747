import type { Db } from '../../kernel/db.js';
import { type Page, type PageArgs, pageOf, rowById } from '../read.js';
import { recoveries } from './projection.js';
import type { RecoveryRow, RecoveryStatus } from './row.js';

export interface RecoveryFilter {
  readonly status?: RecoveryStatus | undefined;
  /** Opened at or after this instant. */
  readonly from?: string | undefined;
  /** Opened before this instant. */
  readonly to?: string | undefined;
  readonly transactionRef?: string | undefined;
  /** Whether there is a matter for the merchant. */
  readonly escalated?: boolean | undefined;
}

const page = pageOf<RecoveryRow>(recoveries.table, 'opened_at');

export const getRecovery = rowById<RecoveryRow>(recoveries.table);

/** The organization's recoveries, the one opened last first. */
export const listRecoveries = (db: Db, args: PageArgs & RecoveryFilter): Promise<Page<RecoveryRow>> =>
  page(db, args, [
    { column: 'status', is: '=', value: args.status },
    { column: 'opened_at', is: '>=', value: args.from },
    { column: 'opened_at', is: '<', value: args.to },
    { column: 'transaction_ref', is: '=', value: args.transactionRef },
    { column: 'escalated', is: '=', value: args.escalated },
  ]);
