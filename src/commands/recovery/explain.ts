import type { Explanation } from '../../events/recovery.js';
import type { Situation } from './planRetry.js';
import type { RecoveryCase } from './state.js';

export type Chosen = 'retry' | 'notify' | 'wait' | 'close';

const candidates: readonly Chosen[] = ['retry', 'notify', 'wait', 'close'];

/** What was chosen where nothing but the recovery's own state decided, such as that its time is over. */
export const explainAlone = (
  known: RecoveryCase,
  chosen: Chosen,
  rejected: Explanation['rejected'],
): Explanation => ({
  chosen,
  candidates: [...candidates],
  rejected,
  evidence: known.classification.evidence,
  policy_version: known.policy.version,
  rules_version: 0,
  limits_version: 0,
  counters: { attempts: known.attempts, max_retries: known.policy.max_retries, mails: known.mailsSent },
});

export const explain = (
  situation: Situation,
  chosen: Chosen,
  rejected: Explanation['rejected'],
  because: readonly string[] = [],
): Explanation => {
  const { known, guidance, effects, used } = situation;
  const alone = explainAlone(known, chosen, rejected);
  return {
    ...alone,
    rules_version: guidance.rules.version,
    limits_version: guidance.limits.version,
    counters: { ...alone.counters, ...used },
    ...(because.length > 0 && { because: [...because] }),
    ...(effects.matched.length > 0 && { rules: [...effects.matched] }),
    read_at: { ...guidance.readAt },
  };
};
