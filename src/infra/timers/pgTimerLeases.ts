import type { Db } from '../../kernel/db.js';
import type { Instant } from '../../kernel/clock.js';
import type { OrgId, RecoveryId } from '../../kernel/ids.js';

/** A due timer that this worker holds for LEASE_SECONDS; `leaseId` is the fencing token. */
export interface Claim {
  readonly recoveryId: RecoveryId;
  readonly orgId: OrgId;
  readonly leaseId: string;
  /** The newest event the timer row was folded from. */
  readonly timerPosition: bigint;
}

const LEASE = "interval '30 seconds'";

/**
 * Claims due recoveries. The timer row is only a hint: rows older than what a worker has already seen of the stream
 * are passed over. Of two workers that pick the same row, ON CONFLICT lets the later one see the other's lease.
 */
const claimSql = `
  WITH due AS (
    SELECT timers.key, timers.org_id, timers.position
    FROM timers LEFT JOIN timer_leases ON timer_leases.key = timers.key
    WHERE timers.due_at <= $1
      AND (timer_leases.key IS NULL
           OR (timers.position >= timer_leases.handled_position
               AND (timer_leases.leased_until IS NULL OR timer_leases.leased_until < clock_timestamp())))
    ORDER BY timers.due_at
    LIMIT $2
  ), claimed AS (
    INSERT INTO timer_leases (key, lease_id, leased_until)
    SELECT due.key, gen_random_uuid(), clock_timestamp() + ${LEASE} FROM due
    ON CONFLICT (key) DO UPDATE SET lease_id = excluded.lease_id, leased_until = excluded.leased_until
      WHERE timer_leases.leased_until IS NULL OR timer_leases.leased_until < clock_timestamp()
    RETURNING key, lease_id
  )
  SELECT claimed.key, claimed.lease_id, due.org_id, due.position FROM claimed JOIN due ON due.key = claimed.key`;

const claimDue = async (db: Db, now: Instant, limit: number): Promise<Claim[]> => {
  const { rows } = await db.query<{ key: string; lease_id: string; org_id: string; position: string }>({
    name: 'timer-claim',
    text: claimSql,
    values: [now, limit],
  });
  return rows.map((row) => ({
    recoveryId: row.key as RecoveryId,
    orgId: row.org_id as OrgId,
    leaseId: row.lease_id,
    timerPosition: BigInt(row.position),
  }));
};

/** Extends the lease; false when it ran out or somebody else holds it now. */
const renewLease = async (db: Db, { recoveryId, leaseId }: Claim): Promise<boolean> => {
  const { rowCount } = await db.query({
    name: 'timer-renew',
    text: `UPDATE timer_leases SET leased_until = clock_timestamp() + ${LEASE}
           WHERE key = $1 AND lease_id = $2 AND leased_until > clock_timestamp()`,
    values: [recoveryId, leaseId],
  });
  return rowCount === 1;
};

/** Hands the recovery back, noting how far its stream was seen. */
const releaseLease = async (db: Db, { recoveryId, leaseId }: Claim, seen: bigint): Promise<void> => {
  await db.query({
    name: 'timer-release',
    text: `UPDATE timer_leases SET leased_until = NULL, handled_position = greatest(handled_position, $3)
           WHERE key = $1 AND lease_id = $2`,
    values: [recoveryId, leaseId, String(seen)],
  });
};

/** Forgets leases whose timer is gone (the recovery is over). Returns how many. */
const dropOrphanedLeases = async (db: Db): Promise<number> => {
  const { rowCount } = await db.query(`
    DELETE FROM timer_leases
    WHERE (timer_leases.leased_until IS NULL OR timer_leases.leased_until < clock_timestamp() - interval '1 hour')
      AND NOT EXISTS (SELECT 1 FROM timers WHERE timers.key = timer_leases.key)`);
  return rowCount ?? 0;
};

/** Leases on due timers, kept in Postgres beside the read model. */
export const pgTimerLeases = (db: Db) => ({
  claim: (now: Instant, limit: number) => claimDue(db, now, limit),
  renew: (claim: Claim) => renewLease(db, claim),
  release: (claim: Claim, seen: bigint) => releaseLease(db, claim, seen),
  dropOrphans: () => dropOrphanedLeases(db),
});
