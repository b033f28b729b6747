import type { Position } from '../../events/envelope.js';
import { paymentStream } from '../../events/payment.js';
import { recoveryStream } from '../../events/recovery.js';
import { deriveId, paymentIdOf, recoveryIdOf } from '../../kernel/ids.js';
import { authorize } from '../authorize.js';
import { handle, load } from '../handle.js';
import { paymentDecider } from '../payment/decide.js';
import type { FactContext } from '../payment/record.js';
import { pspGaveUp } from '../payment/state.js';
import { recoveryDecider } from './decide.js';
import { type GuidanceSources, readGuidance } from './readGuidance.js';

/**
 * The PSP gave up, as the payment says that was told before: the recovery that watched it goes on. No message tells the
 * saga, whose failure came earlier; one that it has yet to follow finds the payment like this.
 * @returns the recovery's newest event, where this changed anything
 */
export const endPspRetries = async (
  sources: GuidanceSources,
  { transaction_ref, trigger_id }: { readonly transaction_ref: string; readonly trigger_id: string },
  context: FactContext,
): Promise<Position | undefined> => {
  const { principal, now } = context;
  authorize(principal, 'payment.record_failure');
  const paymentId = paymentIdOf(principal.orgId, transaction_ref);
  const payment = await load(sources.store, paymentDecider, paymentStream(paymentId));
  if (payment.state.status !== 'failed' || !pspGaveUp(payment.state.last)) return undefined;
  const recoveryId = recoveryIdOf(paymentId);
  const stream = recoveryStream(recoveryId);
  const loaded = await load(sources.store, recoveryDecider, stream);
  if (loaded.state.status === 'none' || loaded.state.pspRetries !== 'watched') return undefined;
  const guidance = await readGuidance(sources, principal.orgId, payment, now);
  const full = { ...context, commandId: deriveId('EndPspRetries', recoveryId, trigger_id) };
  const command = { type: 'EndPspRetries', data: { guidance, now } } as const;
  const done = await handle(sources.store, recoveryDecider, stream, command, full, { from: loaded });
  return done.events.length === 0 ? undefined : done.position;
};
