import type { RetryPolicy } from '../../events/organization.js';

const HOUR = 60;
const DAY = 24 * HOUR;

/**
 * Of an organization that has set none. The waits are this project's own choice: soon where only a line was down, when
 * money may have come in, when a limit of the issuer is over.
 */
export const builtInPolicy: RetryPolicy = {
  version: 0,
  max_retries: 4,
  initial_delay_minutes: DAY,
  backoff_multiplier: 2,
  max_delay_minutes: 7 * DAY,
  enabled_channels: ['email'],
  categories: {
    insufficient_funds: { waits_minutes: [3 * DAY, 3 * DAY, 5 * DAY, 7 * DAY] },
    issuer_decline: { max_retries: 3, waits_minutes: [DAY, 2 * DAY, 3 * DAY] },
    velocity_limit: { max_retries: 3, waits_minutes: [DAY, 3 * DAY, 7 * DAY] },
    network_error: { waits_minutes: [HOUR, 6 * HOUR, DAY] },
    issuer_risk: { max_retries: 1, waits_minutes: [3 * DAY] },
    unknown: { max_retries: 2, waits_minutes: [DAY, 3 * DAY] },
  },
  payday_days: [1, 15],
  quiet_hours: { from: 21, to: 8 },
  psp_retries: 'watch',
};
