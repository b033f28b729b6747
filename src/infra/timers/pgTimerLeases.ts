import type { Db } from '../../kernel/db.js';
import type { OrgId, RecoveryId } from '../../kernel/ids.js';
import type { Claim, ClaimRequest, TimerLeases } from '../../kernel/timerLeases.js';

const LEASE = "interval '30 seconds'";

/** How many due timers a claim looks at to find other organizations beside the longest waiting one. */
const LOOK_AHEAD = 1_000;

/**
 * Claims due recoveries. The timer row is only a hint: rows older than what a worker has already seen of the stream
 * are passed over. Of two workers that pick the same row, ON CONFLICT lets the later one see the other's lease.
 *
 * Fair shares: an organization whose places are taken is passed over, and `place` counts the others' next places, so
 * that one with many due timers, or with a PSP that hangs, leaves room for the rest.
 */
const claimSql = `
  WITH held AS (
    SELECT org_id, count(*) AS places FROM unnest($5::uuid[]) AS org_id GROUP BY org_id
  ), waiting AS (
    SELECT timers.key, timers.org_id, timers.position, timers.due_at, coalesce(held.places, 0) AS places
    FROM timers
      LEFT JOIN timer_leases ON timer_leases.key = timers.key
      LEFT JOIN held ON held.org_id = timers.org_id
    WHERE timers.due_at <= $1
      AND (timers.kind IN ('notify', 'alert')) = $2
      AND coalesce(held.places, 0) < $4
      AND (timer_leases.key IS NULL
           OR (timers.position >= timer_leases.handled_position
               AND (timer_leases.leased_until IS NULL OR timer_leases.leased_until < clock_timestamp())))
    ORDER BY timers.due_at
    LIMIT ${LOOK_AHEAD}
  ), ranked AS (
    SELECT key, org_id, position, due_at,
           places + row_number() OVER (PARTITION BY org_id ORDER BY due_at) AS place
    FROM waiting
  ), due AS (
    SELECT key, org_id, position FROM ranked WHERE place <= $4 ORDER BY place, due_at LIMIT $3
  ), claimed AS (
    INSERT INTO timer_leases (key, lease_id, leased_until)
    SELECT due.key, gen_random_uuid(), clock_timestamp() + ${LEASE} FROM due
    ON CONFLICT (key) DO UPDATE SET lease_id = excluded.lease_id, leased_until = excluded.leased_until
      WHERE timer_leases.leased_until IS NULL OR timer_leases.leased_until < clock_timestamp()
    RETURNING key, lease_id
  )
  SELECT claimed.key, claimed.lease_id, due.org_id, due.position FROM claimed JOIN due ON due.key = claimed.key`;

const claimDue = async (db: Db, request: ClaimRequest): Promise<Claim[]> => {
  const { now, work, limit, perOrganization, held } = request;
  const { rows } = await db.query<{ key: string; lease_id: string; org_id: string; position: string }>({
    name: 'timer-claim',
    text: claimSql,
    values: [now, work === 'mail', limit, perOrganization, held],
  });
  return rows.map((row) => ({
    recoveryId: row.key as RecoveryId,
    orgId: row.org_id as OrgId,
    leaseId: row.lease_id,
    timerPosition: BigInt(row.position),
  }));
};

const renewLease = async (db: Db, { recoveryId, leaseId }: Claim): Promise<boolean> => {
  const { rowCount } = await db.query({
    name: 'timer-renew',
    text: `UPDATE timer_leases SET leased_until = clock_timestamp() + ${LEASE}
           WHERE key = $1 AND lease_id = $2 AND leased_until > clock_timestamp()`,
    values: [recoveryId, leaseId],
  });
  return rowCount === 1;
};

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
export const pgTimerLeases = (db: Db): TimerLeases & { dropOrphans: () => Promise<number> } => ({
  claim: (request) => claimDue(db, request),
  renew: (claim) => renewLease(db, claim),
  release: (claim, seen) => releaseLease(db, claim, seen),
  dropOrphans: () => dropOrphanedLeases(db),
});
