import { setTimeout as sleep } from 'node:timers/promises';
import { act, type ActDependencies } from '../commands/recovery/act.js';
import type { Position } from '../events/envelope.js';
import type { OrgId } from '../kernel/ids.js';
import { Signal } from '../kernel/signal.js';
import type { Claim, TimerLeases, Work } from '../kernel/timerLeases.js';

export interface SchedulerDependencies extends Omit<ActDependencies, 'stillMine' | 'leaseId'> {
  readonly leases: TimerLeases;
  /** Housekeeping of tables that are not domain facts, every quarter of an hour. */
  readonly tidy: () => Promise<void>;
  /** Told of every step that failed, beside the log. */
  readonly onError?: (error: unknown) => void;
}

interface Places {
  /** Recoveries worked on at the same time. */
  readonly total: number;
  readonly perOrganization: number;
}

/**
 * A PSP or mail server may take half a minute to answer. Mails and charges have places of their own, and an
 * organization a share of them, so that one slow server does not hold up what has nothing to do with it. The mails'
 * are as many as SmtpMailer has connections: a mail that was begun does not queue for one.
 */
export const PLACES: Readonly<Record<Work, Places>> = {
  charge: { total: 48, perOrganization: 8 },
  mail: { total: 8, perOrganization: 4 },
};
const POLL = 200;
const TIDY_EVERY = 15 * 60_000;

/** Undefined when a step failed, which is logged there. The lease runs out by itself: the pause before the next try. */
const worked = async (deps: SchedulerDependencies, claim: Claim): Promise<Position | undefined> => {
  const { leases, onError } = deps;
  const stillMine = () => leases.renew(claim);
  const principal = { actor: { type: 'system', id: 'scheduler' }, orgId: claim.orgId } as const;
  try {
    return await act({ ...deps, stillMine, leaseId: claim.leaseId }, claim.recoveryId, principal);
  } catch (error) {
    onError?.(error);
    return undefined;
  }
};

const step = async (deps: SchedulerDependencies, claim: Claim): Promise<void> => {
  const { leases, faults, logger, onError } = deps;
  try {
    faults('scheduler:after-lease');
    const seen = await worked(deps, claim);
    // Nothing was due although the timer is up to date: keep the lease, and look again when it ends.
    if (seen !== undefined && seen > claim.timerPosition) await leases.release(claim, seen);
    faults('scheduler:after-release');
  } catch (error) {
    const { recoveryId: recovery_id, orgId: org_id } = claim;
    logger.error({ err: error, recovery_id, org_id }, 'recovery not handed back');
    onError?.(error);
  }
};

const claimNext = async (
  { leases, clock, logger }: SchedulerDependencies,
  work: Work,
  held: readonly OrgId[],
): Promise<readonly Claim[]> => {
  const { total, perOrganization } = PLACES[work];
  const now = clock.now().toISOString();
  try {
    return await leases.claim({ now, work, limit: total - held.length, perOrganization, held });
  } catch (error) {
    logger.warn({ err: error, work }, 'due recoveries could not be read');
    return [];
  }
};

const runPlaces = async (deps: SchedulerDependencies, work: Work, signal: AbortSignal): Promise<void> => {
  const inHand = new Map<Promise<void>, OrgId>();
  const freed = new Signal();
  while (!signal.aborted) {
    const held = [...inHand.values()];
    const claims = await claimNext(deps, work, held);
    const nothingNew = claims.length === 0 && inHand.size === held.length;
    for (const claim of claims) {
      const done: Promise<void> = step(deps, claim).finally(() => {
        inHand.delete(done);
        freed.notify();
      });
      inHand.set(done, claim.orgId);
    }
    if (inHand.size >= PLACES[work].total) await freed.wait(signal);
    else if (nothingNew) await freed.wait(signal, POLL);
  }
  await Promise.all(inHand.keys());
};

const runTidying = async ({ tidy, logger }: SchedulerDependencies, signal: AbortSignal): Promise<void> => {
  while (!signal.aborted) {
    await tidy().catch((error: unknown) => logger.warn({ err: error }, 'tidying failed'));
    await sleep(TIDY_EVERY, undefined, { signal }).catch(() => undefined);
  }
};

/** Picks due recoveries and does what their streams say. Runs until the signal aborts, then finishes what is in hand. */
export const runScheduler = async (deps: SchedulerDependencies, signal: AbortSignal): Promise<void> => {
  await Promise.all([
    runPlaces(deps, 'charge', signal),
    runPlaces(deps, 'mail', signal),
    runTidying(deps, signal),
  ]);
};
