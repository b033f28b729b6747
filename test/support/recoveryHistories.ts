import type { RecordedEvent } from '../../src/events/envelope.js';
import { DAY, type Instant, plus } from '../../src/kernel/clock.js';
import { deriveId, eventIdOf, orgIdOf, type OrgId } from '../../src/kernel/ids.js';
import { randomOf } from './random.js';
import { type Draft, History } from './recoveryHistory.js';

export interface HistoryOptions {
  /** The same seed gives the same log. */
  readonly seed: number;
  readonly recoveries: number;
  /** Default 2. */
  readonly organizations?: number;
  /** The recoveries open within so many days of `start`; default 40. */
  readonly days?: number;
  readonly start?: Instant;
}

const historyOf = (random: () => number, org: OrgId, ref: string, openedAt: Instant): readonly Draft[] => {
  const history = new History(random, org, ref, openedAt);
  const steps = 2 + Math.floor(random() * 14);
  for (let step = 0; step < steps && history.status === 'active'; step++) history.live();
  history.afterlife();
  return history.drafts;
};

const byTime = (a: Draft, b: Draft): number => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0);

const recordedFrom = (drafts: readonly Draft[], seed: number): RecordedEvent[] => {
  const revisions = new Map<string, bigint>();
  return drafts.map(({ type, data, at, stream, org }, index) => {
    const revision = (revisions.get(stream) ?? -1n) + 1n;
    revisions.set(stream, revision);
    const command_id = deriveId('history', String(seed), String(index));
    const metadata = {
      org_id: org,
      actor: { type: 'system', id: 'test' },
      correlation_id: command_id,
      causation_id: command_id,
      command_id,
      schema_version: 1,
      occurred_at: at,
    } as const;
    const position = BigInt(index + 1);
    return {
      id: eventIdOf(command_id, 0),
      stream,
      revision,
      position,
      type,
      data,
      metadata,
      recorded_at: at,
    };
  });
};

/**
 * A log of payments that failed and what came of them, interleaved by time, with positions from 1 and revisions from
 * 0: valid by every schema and by the order that the deciders keep. About a dozen events per recovery. As a recorded
 * event is also a new one, it can be appended to any store, in this order, stream by stream.
 */
export const recoveryHistories = (options: HistoryOptions): RecordedEvent[] => {
  const { seed, recoveries, organizations = 2, days = 40, start = '2026-01-25T00:00:00.000Z' } = options;
  const random = randomOf(seed);
  const orgs = Array.from({ length: organizations }, (_, index) => orgIdOf(`org-${index + 1}`));
  const drafts: Draft[] = [];
  for (let index = 0; index < recoveries; index++) {
    const org = orgs[index % organizations] as OrgId;
    const openedAt = plus(start, Math.floor(random() * days * DAY));
    drafts.push(...historyOf(random, org, `order-${seed}-${index + 1}`, openedAt));
  }
  return recordedFrom(drafts.sort(byTime), seed);
};
