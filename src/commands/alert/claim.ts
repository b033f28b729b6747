import { type AlertEvent, alertStream } from '../../events/alert.js';
import type { EventStore } from '../../events/eventStore.js';
import type { Instant } from '../../kernel/clock.js';
import type { Decider } from '../../kernel/decider.js';
import { deriveId, type OrgId } from '../../kernel/ids.js';
import type { Message } from '../../kernel/message.js';
import type { CommandContext } from '../context.js';
import { handle } from '../handle.js';

/*
 * A wrong API key fails ten thousand payments at once, and the merchant is to be told once. Each of an organization's
 * causes has a stream of its own for each day, and the recovery whose append makes it is the one that mails: two that
 * ask at the same time cannot both be first. Who asks again gets the same answer, so that a worker that died between
 * the claim and the mail is followed by one that goes on.
 */

export type ClaimAlert = Message<
  'ClaimAlert',
  { readonly cause: string; readonly day: string; readonly recoveryId: string; readonly now: Instant }
>;
export interface AlertClaim {
  readonly recoveryId?: string;
}

export const alertDecider: Decider<AlertClaim, ClaimAlert, AlertEvent> = {
  initialState: {},
  evolve: (claim, { data }) => (claim.recoveryId === undefined ? { recoveryId: data.recovery_id } : claim),
  decide: ({ data: { cause, day, recoveryId: recovery_id, now: claimed_at } }, claim) =>
    claim.recoveryId === undefined
      ? [{ type: 'AlertClaimed', data: { cause, day, recovery_id, claimed_at } }]
      : [],
};

const dayOf = (now: Instant): string => now.slice(0, 10);

export const alertIdOf = (orgId: OrgId, cause: string, now: Instant): string =>
  deriveId('alert', orgId, cause, dayOf(now));

/** @returns the recovery that mails the merchant of the cause on the day of `now` */
export const claimAlert = async (
  store: EventStore,
  { cause, recoveryId, now }: Omit<ClaimAlert['data'], 'day'>,
  context: CommandContext,
): Promise<string> => {
  const stream = alertStream(alertIdOf(context.principal.orgId, cause, now));
  const command = { type: 'ClaimAlert', data: { cause, day: dayOf(now), recoveryId, now } } as const;
  const { state } = await handle(store, alertDecider, stream, command, context);
  return state.recoveryId ?? recoveryId;
};
