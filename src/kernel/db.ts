import type { ClientBase } from 'pg';

/** Where a statement can be sent: a pool, or a client inside a transaction. */
export type Db = Pick<ClientBase, 'query'>;
