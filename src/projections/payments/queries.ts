import type { Db } from '../../kernel/db.js';
import { type Page, type PageArgs, pageOf, rowById } from '../read.js';
import { type PaymentRow, payments } from './projection.js';

export interface PaymentFilter {
  readonly status?: PaymentRow['status'] | undefined;
  /** First reported at or after this instant. */
  readonly from?: string | undefined;
  /** First reported before this instant. */
  readonly to?: string | undefined;
  readonly transactionRef?: string | undefined;
}

const page = pageOf<PaymentRow>(payments.table, 'created_at');

export const getPayment = rowById<PaymentRow>(payments.table);

/** The organization's payments, the one reported last first. */
export const listPayments = (db: Db, args: PageArgs & PaymentFilter): Promise<Page<PaymentRow>> =>
  page(db, args, [
    { column: 'status', is: '=', value: args.status },
    { column: 'created_at', is: '>=', value: args.from },
    { column: 'created_at', is: '<', value: args.to },
    { column: 'transaction_ref', is: '=', value: args.transactionRef },
  ]);
