import type { Explanation } from '../../events/recovery.js';
import { retriesAllowed, type Situation } from './planRetry.js';
import type { RecoveryCase } from './state.js';

export type Chosen = 'retry' | 'notify' | 'wait' | 'close';

const candidates: readonly Chosen[] = ['retry', 'notify', 'wait', 'close'];

type Draft<T> = { -readonly [K in keyof T]: T[K] };

/** What was chosen where nothing but the recovery's own state decided, such as that its time is over. */
export const explainAlone = (
  known: RecoveryCase,
  chosen: Chosen,
  rejected: Explanation['rejected'],
  counters: Situation['used'] = {},
): Draft<Explanation> => ({
  chosen,
  candidates: [...candidates],
  rejected,
  evidence: known.classification.evidence,
  policy_version: known.policy.version,
  rules_version: 0,
  limits_version: 0,
  counters: {
    attempts: known.attempts,
    max_retries: known.policy.max_retries,
    mails: known.mailsSent,
    ...counters,
  },
});

export const explain = (
  situation: Situation,
  chosen: Chosen,
  rejected: Explanation['rejected'],
  because: readonly string[] = [],
): Explanation => {
  const { known, guidance, effects, used } = situation;
  const explanation = explainAlone(known, chosen, rejected, {
    max_retries: retriesAllowed(situation),
    ...used,
  });
  explanation.rules_version = guidance.rules.version;
  explanation.limits_version = guidance.limits.version;
  if (because.length > 0) explanation.because = [...because];
  if (effects.matched.length > 0) explanation.rules = [...effects.matched];
  explanation.read_at = { ...guidance.readAt };
  return explanation;
};
