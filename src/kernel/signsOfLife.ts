import { setTimeout as sleep } from 'node:timers/promises';
import type { Db } from './db.js';

/*
 * A process that is frozen, or cut off, must not keep what its session of Postgres holds: while it is alive it gives a
 * sign of it now and then, and the server ends a session that it hears nothing of. One whose machine is gone is found
 * out by the server's TCP keepalive in the same time.
 */

/** How long a session may be silent that others wait for. */
export const SILENCE_MS = 15_000;

/** Lets the server end the session when nothing is heard of it; each setting is for this session alone. */
export const watchSession = (db: Db, silenceMs = SILENCE_MS): Promise<unknown> =>
  db.query(`
    SET idle_session_timeout = ${silenceMs};
    SET idle_in_transaction_session_timeout = ${silenceMs};
    SET tcp_keepalives_idle = 5;
    SET tcp_keepalives_interval = 3;
    SET tcp_keepalives_count = 3;
    SET tcp_user_timeout = ${silenceMs}`);

/** Gives signs of life until it is over. @throws what giving one throws */
export const signsOfLife = async (
  over: AbortSignal,
  give: () => Promise<unknown>,
  silenceMs = SILENCE_MS,
): Promise<void> => {
  while (!over.aborted) {
    await sleep(silenceMs / 4, undefined, { signal: over }).catch(() => undefined);
    if (!over.aborted) await give();
  }
};
