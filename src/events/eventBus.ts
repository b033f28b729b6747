import type { PublicMessage } from './integration/message.js';

export interface ConsumeOptions {
  /** Consumers of one group share its progress; each group sees every message. */
  readonly group: string;
  /** Message types the group reads. */
  readonly types: readonly PublicMessage['type'][];
  /** Messages of different keys are handled side by side, at most this many; those of one key in order. */
  readonly concurrency: number;
  readonly signal: AbortSignal;
  /** At-least-once: throws to have the message handed over again (with backoff, the key's later messages wait). */
  readonly handle: (message: PublicMessage) => Promise<void>;
}

/** Carries public messages from the log to consumer groups. */
export interface EventBus {
  /** Runs until `signal` aborts; in-flight handlers are then awaited and their progress stored. */
  consume(options: ConsumeOptions): Promise<void>;
}
