import type { Db } from '../../kernel/db.js';
import { type Page, type PageArgs, pageOf, rowById } from '../read.js';
import { type UserRow, users } from './projection.js';

const page = pageOf<UserRow>(users.table, 'created_at');

export const getUser = rowById<UserRow>(users.table);

/** The organization's users, the newest first. */
export const listUsers = (db: Db, args: PageArgs): Promise<Page<UserRow>> => page(db, args);
