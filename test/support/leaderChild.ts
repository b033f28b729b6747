/** Leads, and tells when it does and when it no longer does. */
import { lead } from '../../src/infra/postgres/leadership.js';
import { createPool } from '../../src/infra/postgres/pool.js';
import { silentLogger as logger } from '../../src/kernel/logger.js';

const [url = '', name = '', silenceMs = ''] = process.argv.slice(2);
const pool = createPool({ url, logger });
process.on('disconnect', () => process.exit(1));

await lead(
  { pool, logger, name, silenceMs: Number(silenceMs) },
  new AbortController().signal,
  async (elected) => {
    process.send?.('leads');
    await new Promise((resolve) => elected.addEventListener('abort', resolve, { once: true }));
    process.send?.('lost');
  },
);
