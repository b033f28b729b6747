import type { Position } from '../../events/envelope.js';
import { paymentStream } from '../../events/payment.js';
import { recoveryStream } from '../../events/recovery.js';
import { deriveId, paymentIdOf, recoveryIdOf } from '../../kernel/ids.js';
import { handle, load, type Loaded } from '../handle.js';
import { paymentDecider } from '../payment/decide.js';
import { announcePspRetries, type FactContext } from '../payment/record.js';
import { type FailedData, type Payment, pspRetriesOf } from '../payment/state.js';
import { recoveryDecider } from './decide.js';
import { isNews } from './pspRetries.js';
import { type GuidanceSources, readGuidance } from './readGuidance.js';

type Named = Pick<FailedData, 'transaction_ref' | 'trigger_id'>;
type Told = Named & Pick<FailedData, 'psp_retries'>;

/**
 * How it stands, as the payment says, is told to the recovery by whoever takes the report, since no message tells the
 * saga; and by the saga once it has followed a failure, since the report may have come between its two looks.
 * @param seen the payment as the recovery has heard of it
 */
export const tellRecovery = async (
  sources: GuidanceSources,
  { transaction_ref, trigger_id }: Named,
  context: FactContext,
  seen?: Loaded<Payment>,
): Promise<Position | undefined> => {
  const { principal, now } = context;
  const paymentId = paymentIdOf(principal.orgId, transaction_ref);
  const payment = await load(sources.store, paymentDecider, paymentStream(paymentId), seen);
  if (payment.position === seen?.position) return undefined;
  const pspRetries = pspRetriesOf(payment.state);
  if (payment.state.status !== 'failed' || pspRetries === undefined) return undefined;
  const recoveryId = recoveryIdOf(paymentId);
  const stream = recoveryStream(recoveryId);
  const loaded = await load(sources.store, recoveryDecider, stream);
  if (loaded.state.status === 'none' || !isNews(loaded.state, pspRetries)) return undefined;
  const guidance = await readGuidance(sources, principal.orgId, payment, now);
  const type = pspRetries === 'over' ? 'EndPspRetries' : 'FindPspRetries';
  const command = { type, data: { guidance, now } } as const;
  const full = { ...context, commandId: deriveId(type, recoveryId, trigger_id) };
  const done = await handle(sources.store, recoveryDecider, stream, command, full, { from: loaded });
  return done.events.length === 0 ? undefined : done.position;
};

/**
 * Of the reports of one failure, any may be the one that tells of the PSP's own retries: that it will, or that it gave
 * up. Told again, it tells the recovery what a crash kept from it.
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
  const data = { transaction_ref, trigger_id, ...psp_retries };
  const position = await announcePspRetries(sources.store, data, context);
  return (await tellRecovery(sources, told, context)) ?? position;
};
