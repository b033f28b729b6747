/** SQLSTATEs after which the same statement may well succeed: the transaction lost a race, or the server went away. */
const TRANSIENT = new Set(['40001', '40P01', '23505', '57P01', '57P02', '57P03', '53300', '25006']);

const codeOf = (error: unknown): string | undefined => {
  const code = error instanceof Error ? (error as Error & { code?: unknown }).code : undefined;
  return typeof code === 'string' ? code : undefined;
};

/** True when the server answered with an error of its own about what it was sent. */
const isSqlState = (code: string | undefined): boolean => code !== undefined && /^[0-9A-Z]{5}$/.test(code);

/** The server gave up on a statement that waited or ran too long: nothing is wrong with it, but again would take as long. */
export const isTimeout = (error: unknown): boolean => ['57014', '55P03'].includes(codeOf(error) ?? '');

/** True for a lost connection (no SQLSTATE, or class 08) and for what may pass by itself. */
export const isTransient = (error: unknown): boolean => {
  const code = codeOf(error);
  if (code === undefined || !isSqlState(code)) return true;
  return TRANSIENT.has(code) || code.startsWith('08');
};
