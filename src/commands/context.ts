import type { Instant } from '../kernel/clock.js';
import type { Principal } from '../kernel/principal.js';

/** What travels with a command into the metadata of the events it leads to. */
export interface CommandContext {
  readonly principal: Principal;
  /** Names this command: the same id again leads to the same event ids, hence to nothing new. */
  readonly commandId: string;
  readonly correlationId: string;
  readonly causationId: string;
  readonly requestId?: string;
  readonly traceparent?: string;
  /** The Clock's now when the command was made. */
  readonly now: Instant;
  /** When what the events tell happened, where that is not now: a fact reported afterwards. */
  readonly occurredAt?: Instant;
}
