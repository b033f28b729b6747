import type { Check, Migrations } from '../services.js';

export const migrationChecks = async (migrations: Migrations): Promise<Check[]> => {
  const { applied, pending, unknown } = await migrations.status();
  const newer: Check = {
    name: 'migrations',
    ok: false,
    severity: 'error',
    detail: `the database has ${unknown.length} from a newer version: ${unknown.join(', ')}`,
    fix: 'Run the version that made them.',
  };
  const current: Check = {
    name: 'migrations',
    ok: pending.length === 0,
    severity: 'error',
    detail: pending.length === 0 ? `${applied.length} applied` : `pending: ${pending.join(', ')}`,
    fix: 'Run `recovery migrate up`.',
  };
  return unknown.length > 0 ? [newer, current] : [current];
};
