import type { Position } from '../../events/envelope.js';
import { paymentStream } from '../../events/payment.js';
import { recoveryStream } from '../../events/recovery.js';
import { deriveId, paymentIdOf, recoveryIdOf } from '../../kernel/ids.js';
import { handle, load } from '../handle.js';
import { paymentDecider } from '../payment/decide.js';
import { announcePspRetries, type FactContext } from '../payment/record.js';
import { type FailedData, pspGaveUp } from '../payment/state.js';
import { recoveryDecider } from './decide.js';
import { isPspExpected } from './pspRetries.js';
import { type GuidanceSources, readGuidance } from './readGuidance.js';

type Told = Pick<FailedData, 'transaction_ref' | 'trigger_id' | 'psp_retries'>;

/**
 * The PSP gave up, as the payment says: the recovery that left it to it, or was about to stop it, goes on. No message
 * tells the saga, whose failure came earlier; one that it has yet to follow finds the payment like this.
 */
const endPspRetries = async (
  sources: GuidanceSources,
  { transaction_ref, trigger_id }: Told,
  context: FactContext,
): Promise<Position | undefined> => {
  const { principal, now } = context;
  const paymentId = paymentIdOf(principal.orgId, transaction_ref);
  const payment = await load(sources.store, paymentDecider, paymentStream(paymentId));
  if (payment.state.status !== 'failed' || !pspGaveUp(payment.state.last)) return undefined;
  const recoveryId = recoveryIdOf(paymentId);
  const stream = recoveryStream(recoveryId);
  const loaded = await load(sources.store, recoveryDecider, stream);
  if (loaded.state.status === 'none' || !isPspExpected(loaded.state)) return undefined;
  const guidance = await readGuidance(sources, principal.orgId, payment, now);
  const full = { ...context, commandId: deriveId('EndPspRetries', recoveryId, trigger_id) };
  const command = { type: 'EndPspRetries', data: { guidance, now } } as const;
  const done = await handle(sources.store, recoveryDecider, stream, command, full, { from: loaded });
  return done.events.length === 0 ? undefined : done.position;
};

/**
 * Of the reports of one failure, any may be the one that tells of the PSP's own retries: that it will, or that it gave
 * up.
 * @returns the newest event that says so; undefined where the report tells nothing of them
 * @throws DomainError `forbidden`
 */
export const tellPspRetries = async (
  sources: GuidanceSources,
  told: Told,
  context: FactContext,
): Promise<Position | undefined> => {
  const { transaction_ref, trigger_id, psp_retries } = told;
  if (psp_retries === undefined) return undefined;
  const position = await announcePspRetries(
    sources.store,
    { transaction_ref, trigger_id, ...psp_retries },
    context,
  );
  return psp_retries.next_at === undefined
    ? ((await endPspRetries(sources, told, context)) ?? position)
    : position;
};
