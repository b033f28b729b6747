import type { Category, Classification, Evidence, RetryPermission } from '../../../events/recovery.js';
import { type Instant, plus } from '../../../kernel/clock.js';
import type { Failure } from '../../../kernel/ports.js';
import * as tables from './tables.js';

interface Finding {
  readonly step: string;
  readonly value: string;
  readonly category?: Category;
  readonly retry?: RetryPermission;
  readonly wait?: number;
}

const strictness: Readonly<Record<RetryPermission, number>> = { allowed: 0, after_change: 1, never: 2 };

const adviceFinding = ({ advice_code: value }: Failure): Finding[] => {
  const advice = value === undefined ? undefined : tables.adviceCodes.get(value);
  return value === undefined || advice === undefined ? [] : [{ step: 'advice_code', value, ...advice }];
};

const networkFinding = ({ network_code: value }: Failure): Finding[] => {
  const category = value === undefined ? undefined : tables.networkCodes.get(value);
  if (value === undefined || category === undefined) return [];
  const never = tables.neverAgainNetworkCodes.has(value);
  return [{ step: 'network_code', value, category, ...(never && { retry: 'never' as const }) }];
};

const codeFinding = (
  step: string,
  table: ReadonlyMap<string, Category>,
  value: string | undefined,
): Finding[] => {
  const category = value === undefined ? undefined : table.get(value);
  if (value === undefined || category === undefined) return [];
  const never = tables.neverAgainDeclineCodes.has(value);
  return [{ step, value, category, ...(never && { retry: 'never' as const }) }];
};

const messageFinding = ({ message }: Failure): Finding[] => {
  const match =
    message === undefined ? undefined : tables.messagePatterns.find(([pattern]) => pattern.test(message));
  return match === undefined ? [] : [{ step: 'message', value: match[0].source, category: match[1] }];
};

/** Strongest evidence first; the message counts only when nothing else spoke. */
const findings = (failure: Failure): readonly Finding[] => {
  const coded = [
    ...adviceFinding(failure),
    ...networkFinding(failure),
    ...codeFinding('decline_code', tables.declineCodes, failure.decline_code),
    ...codeFinding('code', tables.errorCodes, failure.code),
    ...codeFinding('code', tables.declineCodes, failure.code),
  ];
  return coded.some(({ category }) => category !== undefined)
    ? coded
    : [...coded, ...messageFinding(failure)];
};

const rawOf = ({ code, decline_code, network_code, advice_code, card_brand }: Failure): Evidence['raw'] => ({
  ...(code !== undefined && { code }),
  ...(decline_code !== undefined && { decline_code }),
  ...(network_code !== undefined && { network_code }),
  ...(advice_code !== undefined && { advice_code }),
  ...(card_brand !== undefined && { card_brand }),
});

/**
 * What a failure means: the first evidence names the category, the strictest of all evidence gives the permission.
 * @param failedAt from when a network's waiting time counts
 */
export const classify = (failure: Failure, failedAt: Instant): Classification => {
  const found = findings(failure);
  const winner = found.find(({ category }) => category !== undefined);
  const category = winner?.category ?? 'unknown';
  const defaults = tables.categoryDefaults[category];
  const retry = found.reduce<RetryPermission>((strictest, { category: named, retry: said }) => {
    const permission = said ?? (named === undefined ? 'allowed' : tables.categoryDefaults[named].retry);
    return strictness[permission] > strictness[strictest] ? permission : strictest;
  }, defaults.retry);
  const deciding = winner ?? found[0];
  const wait = found.find((finding) => finding.wait !== undefined)?.wait;
  return {
    category,
    hardness: retry === 'never' ? 'hard' : defaults.hardness,
    retry,
    ...(wait !== undefined && { earliest_at: plus(failedAt, wait) }),
    evidence: {
      step: deciding?.step ?? 'none',
      ...(deciding !== undefined && { value: deciding.value.slice(0, 100) }),
      table_version: tables.TABLE_VERSION,
      raw: rawOf(failure),
    },
  };
};
