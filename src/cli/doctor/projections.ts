import { duration } from '../progress.js';
import { inWords } from '../../projections/engine/errors.js';
import type { ProjectionStatus } from '../../projections/engine/status.js';
import type { Check, ProjectionAdmin } from '../services.js';

const LAG_SECONDS = 60;
const HEARTBEAT_SECONDS = 60;

type Finding = Pick<Check, 'ok' | 'severity' | 'detail' | 'fix'>;

const finding = (status: ProjectionStatus): Finding => {
  const { name, state, error, blocker, lag, heartbeat_age_seconds: age } = status;
  if (error) {
    const detail = inWords(error);
    const fix = `Correct the fold, then run \`recovery projections resume ${name}\`.`;
    return { ok: false, severity: 'error', detail, fix };
  }
  const behind = `${lag.events} events, ${duration(lag.seconds)} behind`;
  if (lag.events > 0 && (age === null || age > HEARTBEAT_SECONDS)) {
    const fix = 'Start one: `recovery serve`, or `recovery serve --role projector`.';
    return { ok: false, severity: 'warning', detail: `${behind}, and no projector is running`, fix };
  }
  if (state === 'paused') {
    const fix = `Run \`recovery projections resume ${name}\`.`;
    return { ok: false, severity: 'warning', detail: `paused, ${behind}`, fix };
  }
  if (lag.seconds > LAG_SECONDS) {
    const fix = 'Wait, or look at the load of the database.';
    return { ok: false, severity: 'warning', detail: [behind, blocker].filter(Boolean).join('; '), fix };
  }
  return { ok: true, severity: 'warning', detail: `${state}, ${behind}` };
};

export const projectionChecks = async (admin: ProjectionAdmin): Promise<Check[]> =>
  (await admin.status()).map((status) => ({ name: `projection ${status.name}`, ...finding(status) }));
