import type { Evidence } from '../../events/recovery.js';

/** The patterns of the first tables have no names and were recorded as they are: they are no words for people. */
export const inWords = (evidence: Evidence): Evidence => {
  const { value, ...rest } = evidence;
  return evidence.step === 'message' && value !== undefined && /[^\w ]/.test(value) ? rest : evidence;
};
