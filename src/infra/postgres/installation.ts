import type { Db } from '../../kernel/db.js';

/** Which installation a database is: the id that its migration gave it. (docs/adr/0033) */
export const installationOf = async (db: Db): Promise<string> => {
  const { rows } = await db.query<{ id: string }>('SELECT id FROM installation');
  const [installation] = rows;
  if (installation === undefined) throw new Error('the database does not say which installation it is');
  return installation.id;
};
