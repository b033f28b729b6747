import type { IncomingMessage, ServerResponse } from 'node:http';

import type { EventStore } from '../events/eventStore.js';
import type { Clock, Instant } from '../kernel/clock.js';
import type { Db } from '../kernel/db.js';
import type { Faults } from '../kernel/faults.js';
import type { OrgId, RecoveryId } from '../kernel/ids.js';
import type { Json } from '../kernel/json.js';
import type { Logger } from '../kernel/logger.js';
import type { Debt, Psp, Vault } from '../kernel/ports.js';
import type { Means } from '../commands/recovery/command.js';
import type { RulesReader } from '../commands/rules/reader.js';
import type { IdentityDeps } from '../commands/user/ports.js';
import type { AuthDependencies } from './auth/authenticate.js';
import type { ErrorOptions } from './errorMiddleware.js';
import type { IdempotencyKeys } from './idempotency.js';
import type { WaitFor } from './positions.js';

/** A part that requests depend on. */
export interface ReadinessCheck {
  readonly name: string;
  readonly ok: boolean;
  /** Without it no request should come here; otherwise it is told for whoever operates this. */
  readonly required: boolean;
  /** What is missing, in words fit for an operator; nothing secret. */
  readonly detail?: string;
}

export interface CaughtMail {
  readonly id: string;
  readonly to: string;
  readonly subject: string;
  readonly caughtAt: Instant;
}

/** The development mail catcher. */
export interface MailCatcher {
  list(): Promise<readonly CaughtMail[]>;
  read(id: string): Promise<(CaughtMail & { readonly html: string; readonly eml: string }) | undefined>;
}

export interface SandboxSession {
  readonly id: string;
  readonly org_id: OrgId;
  readonly transaction_ref: string;
  readonly amount: number;
  readonly currency: string;
  readonly return_url: string;
  readonly status: 'open' | 'paid' | 'expired';
  /** The charge that paid it. */
  readonly reference?: string;
}

/** The sandbox PSP's own checkout page. */
export interface SandboxCheckout {
  session(id: string): Promise<SandboxSession | undefined>;
  completeCheckout(
    id: string,
    choice: 'pay' | 'decline',
  ): Promise<
    | { readonly status: 'paid'; readonly session: SandboxSession; readonly reference: string }
    | { readonly status: 'declined' | 'expired'; readonly session: SandboxSession }
    | undefined
  >;
}

/** Watches requests from start to finish; `fieldsOf` tells what may be known about one. */
export type RequestObserver = (
  fieldsOf: (res: ServerResponse) => Record<string, unknown>,
) => (req: IncomingMessage, res: ServerResponse, next: () => void) => void;

/** Everything the HTTP interface needs of the rest: main.ts puts it together. */
export interface Dependencies extends ErrorOptions, AuthDependencies {
  readonly environment: string;
  readonly publicBaseUrl: string;
  readonly version: string;
  readonly logger: Logger;
  readonly clock: Clock;
  /** Makes UUIDs for requests and commands. */
  readonly newId: () => string;
  readonly db: Db;
  readonly store: EventStore;
  /** An organization's rules as they are now. */
  readonly rulesOf: RulesReader;
  /** How the PSP that an organization connected can collect a debt. */
  readonly meansOf: (debt: Debt) => Promise<Means>;
  /** How long a request may wait for the log in all, where it is somewhere else than the database. */
  readonly logTimeMs?: number;
  readonly identity: IdentityDeps;
  readonly waitFor: WaitFor;
  readonly idempotencyKeys: IdempotencyKeys;
  readonly vault: Vault;
  readonly psp: Psp;
  readonly faults: Faults;
  /** What a recovery link's token names; undefined when it is not ours or too old. */
  readonly readLink: (token: string, now: Date) => { readonly recoveryId: RecoveryId } | undefined;
  /** Fetches what newer Stripe API versions leave out of an event. */
  readonly completeStripeEvent?: (event: Json, apiKey: () => Promise<string | undefined>) => Promise<Json>;
  readonly sandbox?: SandboxCheckout;
  /** Given in development only. */
  readonly mailCatcher?: MailCatcher;
  readonly readiness: () => Promise<readonly ReadinessCheck[]>;
  /** Logs a line per finished request, with the fields it is given. */
  readonly accessLog?: RequestObserver;
  /** Traces requests. */
  readonly trace?: RequestObserver;
  /** On in tests: an answer that does not meet its documented schema is an error. */
  readonly validateResponses?: boolean;
}
