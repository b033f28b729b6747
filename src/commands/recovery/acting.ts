import type { EventStore } from '../../events/eventStore.js';
import { paymentStream } from '../../events/payment.js';
import { type Category, type RecoveryEvent, recoveryStream } from '../../events/recovery.js';
import type { Clock, Instant } from '../../kernel/clock.js';
import type { Faults } from '../../kernel/faults.js';
import { deriveId, type OrgId, type RecoveryId } from '../../kernel/ids.js';
import type { Logger } from '../../kernel/logger.js';
import type { MailOutcome, Psp } from '../../kernel/ports.js';
import type { Principal } from '../../kernel/principal.js';
import type { CommandContext } from '../context.js';
import type { Counted } from '../credential/attempts.js';
import { handle, type Handled, load, type Loaded } from '../handle.js';
import { paymentDecider } from '../payment/decide.js';
import type { Payment } from '../payment/state.js';
import type { RulesReader } from '../rules/reader.js';
import type { RecoveryCommand } from './command.js';
import { recoveryDecider } from './decide.js';
import type { Guidance } from './guidance.js';
import { readGuidance } from './readGuidance.js';
import type { KnownRecovery, Recovery } from './state.js';

/** What a recovery mail is made of. */
export interface RecoveryMail {
  readonly orgId: OrgId;
  readonly recoveryId: RecoveryId;
  readonly messageId: string;
  readonly step: number;
  readonly template: string;
  readonly category: Category;
  readonly to: { readonly name?: string; readonly address: string };
  readonly amount: number;
  readonly currency: string;
  readonly linkExpiresAt: Instant;
}

/** What a mail to the merchant is made of: nothing of the customer. */
export interface MerchantAlert {
  readonly orgId: OrgId;
  readonly recoveryId: RecoveryId;
  readonly messageId: string;
  /** The category, or the id of the rule. */
  readonly cause: string;
  readonly reason: string;
  readonly ruleName?: string;
  readonly transactionRef: string;
  readonly amount: number;
  readonly currency: string;
}

export interface ActDependencies {
  readonly store: EventStore;
  /** An organization's rules as they are now. */
  readonly rulesOf: RulesReader;
  readonly psp: Psp;
  /** Renders and sends. Never throws. */
  readonly sendMail: (mail: RecoveryMail) => Promise<MailOutcome>;
  /** The same, to the organization's admins. Never throws. */
  readonly sendAlert: (alert: MerchantAlert) => Promise<MailOutcome>;
  readonly clock: Clock;
  readonly faults: Faults;
  readonly logger: Logger;
  /** Unique to this claim of the recovery. */
  readonly leaseId: string;
  /** False once another worker may have taken the recovery over: stop before the next effect. */
  readonly stillMine: () => Promise<boolean>;
}

/** A recovery in hand, as it stood when it was last read or extended. */
export interface Acting {
  readonly deps: ActDependencies;
  readonly principal: Principal;
  readonly recoveryId: RecoveryId;
  readonly loaded: Loaded<Recovery>;
}

export type Done = Loaded<Recovery>;

export const nowOf = ({ deps }: Acting): Instant => deps.clock.now().toISOString();

/** How the outside calls what this step goes back to: the request that started the recovery, else the step itself. */
export const requestIdOf = ({ loaded, recoveryId }: Acting, step: string): string =>
  loaded.began?.requestId ?? `${recoveryId}.${step}`;

/** The lease and the state decided from name the command: two workers never append the same event ids. */
export const contextOf = (acting: Acting, type: string, now = nowOf(acting)): CommandContext => {
  const { deps, principal, recoveryId, loaded } = acting;
  const { correlationId, requestId } = loaded.began ?? {};
  return {
    principal,
    commandId: deriveId('act', deps.leaseId, recoveryId, type, String(loaded.position)),
    correlationId: correlationId ?? recoveryId,
    causationId: recoveryId,
    ...(requestId !== undefined && { requestId }),
    now,
  };
};

/** The event is of the very instant that was decided with, so that the decision can be taken again from the log. */
export const give = (acting: Acting, command: RecoveryCommand): Promise<Handled<Recovery, RecoveryEvent>> => {
  const { deps, recoveryId, loaded } = acting;
  const context = contextOf(acting, command.type, 'now' in command.data ? command.data.now : undefined);
  return handle(deps.store, recoveryDecider, recoveryStream(recoveryId), command, context, { from: loaded });
};

export const paymentOf = ({ deps: { store } }: Acting, known: KnownRecovery): Promise<Loaded<Payment>> =>
  load(store, paymentDecider, paymentStream(known.paymentId));

/** What the next decision heeds beside the recovery; `counted` where it was just read. */
export const guidanceFor = (acting: Acting, payment: Loaded<Payment>, counted?: Counted): Promise<Guidance> =>
  readGuidance(acting.deps, acting.principal.orgId, payment, nowOf(acting), counted);
