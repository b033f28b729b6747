import { duration } from '../progress.js';
import type { Check, ProjectionAdmin, ProjectionStatus } from '../services.js';

const LAG_SECONDS = 60;
const HEARTBEAT_SECONDS = 60;

type Finding = Pick<Check, 'ok' | 'severity' | 'detail' | 'fix'>;

const finding = (status: ProjectionStatus): Finding => {
  const { last_error: error, blocker, lag_events, lag_seconds, heartbeat_age_seconds: age } = status;
  if (error) {
    const detail = `stopped at ${error.type} (position ${error.position}): ${error.message}`;
    const fix = `Correct the fold or the event's cause, then run \`recovery projections resume ${status.name}\`.`;
    return { ok: false, severity: 'error', detail, fix };
  }
  if (blocker)
    return { ok: false, severity: 'warning', detail: blocker, fix: 'See `recovery projections status`.' };
  const behind = `${lag_events} events, ${duration(lag_seconds)} behind`;
  if (lag_events > 0 && (age == null || age > HEARTBEAT_SECONDS)) {
    const fix = 'Start one: `recovery serve`, or `recovery serve --role projector`.';
    return { ok: false, severity: 'warning', detail: `${behind}, and no projector is running`, fix };
  }
  if (lag_seconds > LAG_SECONDS) {
    return {
      ok: false,
      severity: 'warning',
      detail: behind,
      fix: 'Wait, or look at the load of the database.',
    };
  }
  return { ok: true, severity: 'warning', detail: `${status.state}, ${behind}` };
};

export const projectionChecks = async (admin: ProjectionAdmin): Promise<Check[]> =>
  (await admin.status()).map((status) => ({ name: `projection ${status.name}`, ...finding(status) }));
