import type { Instant } from '../kernel/clock.js';

/** The running system as the demo sees it: its address, like any client, and the hands on its clock. */
export interface DemoSystem {
  readonly baseUrl: string;
  /** Where the mail catcher keeps what it caught. */
  readonly mailFolder: string;
  now(): Date;
  advanceTo(instant: Date): void;
  /** When the next timer is due. */
  nextDue(): Promise<Instant | undefined>;
  /** Resolves when nothing is due and every read model has caught up. */
  settled(): Promise<void>;
}

export interface DemoSettings {
  /** End after the show instead of serving on. */
  readonly exit: boolean;
  /** Only the closing figures, as one line of JSON. */
  readonly json: boolean;
  readonly signal: AbortSignal;
}
