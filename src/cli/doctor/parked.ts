import type { Check, ParkedAdmin } from '../services.js';

/** Messages that could not be handled wait for somebody. */
export const parkedCheck = async (parked: ParkedAdmin): Promise<Check> => {
  const sequences = await parked.list();
  const base = { name: 'parked messages', severity: 'warning' } as const;
  const [oldest] = sequences; // they come in this order
  if (oldest === undefined) return { ...base, ok: true, detail: 'none' };
  const messages = sequences.reduce((sum, one) => sum + one.messages, 0);
  const detail = `${messages} in ${sequences.length} sequences, the oldest since ${oldest.parked_at}`;
  return {
    ...base,
    ok: false,
    detail,
    fix: 'Run `recovery parked list`, mend the cause, then `recovery parked retry`.',
  };
};
