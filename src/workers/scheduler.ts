import { setTimeout as sleep } from 'node:timers/promises';
import { act, type ActDependencies } from '../commands/recovery/act.js';
import type { Position } from '../events/envelope.js';
import type { Instant } from '../kernel/clock.js';
import type { OrgId, RecoveryId } from '../kernel/ids.js';
import type { Logger } from '../kernel/logger.js';

/** A due recovery that this worker holds for a while; see infra/timers. */
export interface Claim {
  readonly recoveryId: RecoveryId;
  readonly orgId: OrgId;
  readonly leaseId: string;
  readonly timerPosition: Position;
}

export interface TimerLeases {
  claim(now: Instant, limit: number): Promise<readonly Claim[]>;
  renew(claim: Claim): Promise<boolean>;
  release(claim: Claim, seen: Position): Promise<void>;
}

export interface SchedulerDependencies extends Omit<ActDependencies, 'stillMine' | 'leaseId'> {
  readonly leases: TimerLeases;
  /** Housekeeping of tables that are not domain facts, every quarter of an hour. */
  readonly tidy: () => Promise<void>;
  readonly logger: Logger;
  /** Told of every step that failed, beside the log. */
  readonly onError?: (error: unknown) => void;
}

/** Recoveries worked on at the same time. */
const CONCURRENCY = 16;
const POLL = 200;
const TIDY_EVERY = 15 * 60_000;

const work = async (deps: SchedulerDependencies, claim: Claim): Promise<void> => {
  const { leases, faults, logger } = deps;
  faults('scheduler:after-lease');
  try {
    const stillMine = () => leases.renew(claim);
    const seen = await act({ ...deps, stillMine, leaseId: claim.leaseId }, claim.recoveryId, claim.orgId);
    // Nothing was due although the timer is up to date: keep the lease, and look again when it ends.
    if (seen > claim.timerPosition) await leases.release(claim, seen);
    faults('scheduler:after-release');
  } catch (error) {
    // The lease runs out by itself, which is the pause before the next try.
    logger.error({ err: error, recovery_id: claim.recoveryId, org_id: claim.orgId }, 'recovery step failed');
    deps.onError?.(error);
  }
};

/** Picks due recoveries and does what their streams say. Runs until the signal aborts, then finishes what is in hand. */
export const runScheduler = async (deps: SchedulerDependencies, signal: AbortSignal): Promise<void> => {
  const { leases, clock, logger } = deps;
  const inHand = new Set<Promise<void>>();
  let tidyAt = 0;
  while (!signal.aborted) {
    let claims: readonly Claim[] = [];
    try {
      claims = await leases.claim(clock.now().toISOString(), CONCURRENCY - inHand.size);
      if (performance.now() >= tidyAt) {
        tidyAt = performance.now() + TIDY_EVERY;
        await deps.tidy();
      }
    } catch (error) {
      logger.warn({ err: error }, 'due recoveries could not be read');
    }
    for (const claim of claims) {
      const done: Promise<void> = work(deps, claim).finally(() => inHand.delete(done));
      inHand.add(done);
    }
    const pause = sleep(POLL, undefined, { signal }).catch(() => undefined);
    await (inHand.size >= CONCURRENCY ? Promise.race(inHand) : claims.length > 0 ? undefined : pause);
  }
  await Promise.all(inHand);
};
