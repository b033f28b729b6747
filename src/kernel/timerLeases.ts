import type { Instant } from './clock.js';
import type { OrgId, RecoveryId } from './ids.js';

/** The two kinds of due steps: mails, and all else, most of which asks a PSP. */
export type Work = 'mail' | 'charge';

/** A due recovery that this worker holds for a while; `leaseId` is the fencing token. */
export interface Claim {
  readonly recoveryId: RecoveryId;
  readonly orgId: OrgId;
  readonly leaseId: string;
  /** The newest event the timer row was folded from. */
  readonly timerPosition: bigint;
}

export interface ClaimRequest {
  readonly now: Instant;
  readonly work: Work;
  readonly limit: number;
  /** The most that one organization may have in hand, what is in `held` included. */
  readonly perOrganization: number;
  /** Whose recoveries are in hand, once for each. */
  readonly held: readonly OrgId[];
}

/** Who works on which due recovery right now. */
export interface TimerLeases {
  /** The longest overdue first, but an organization's next one only after every other organization's first. */
  claim(request: ClaimRequest): Promise<readonly Claim[]>;
  /** Extends the lease; false when it ran out or somebody else holds it now. */
  renew(claim: Claim): Promise<boolean>;
  /** Hands the recovery back, noting how far its stream was seen. */
  release(claim: Claim, seen: bigint): Promise<void>;
}
