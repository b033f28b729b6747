import type { Position } from '../../events/envelope.js';

export type RebuildPhase =
  'reading' | 'writing' | 'indexing' | 'catching up' | 'waiting for lock' | 'swapped';

export interface RebuildProgress {
  readonly phase: RebuildPhase;
  /** The projection the phase is about; absent while the log is read for all of them. */
  readonly projection?: string;
  /** Events read so far. */
  readonly events: number;
  readonly eventsPerSecond: number;
  /** Of the log, 0..1: by position, so a guess where positions are not even. */
  readonly fraction: number;
  readonly etaSeconds?: number;
  readonly rowsInMemory: number;
  readonly elapsedSeconds: number;
}

const EVERY_MS = 200;

/** Tells the listener how far a rebuild is, at most five times a second and at every change of phase. */
export class Progress {
  readonly #startedAt = performance.now();
  #toldAt = -Infinity;
  #phase: RebuildPhase = 'reading';
  events = 0;
  rowsInMemory = 0;
  position: Position = 0n;

  constructor(
    private readonly head: Position,
    private readonly listener: (progress: RebuildProgress) => void = () => undefined,
  ) {}

  tell(phase: RebuildPhase, projection?: string): void {
    const now = performance.now();
    if (phase === this.#phase && now - this.#toldAt < EVERY_MS) return;
    this.#phase = phase;
    this.#toldAt = now;
    this.listener(this.#current(phase, (now - this.#startedAt) / 1000, projection));
  }

  get elapsedSeconds(): number {
    return (performance.now() - this.#startedAt) / 1000;
  }

  #current(phase: RebuildPhase, elapsedSeconds: number, projection: string | undefined): RebuildProgress {
    const fraction = this.head === 0n ? 1 : Math.min(1, Number(this.position) / Number(this.head));
    return {
      phase,
      ...(projection !== undefined && { projection }),
      events: this.events,
      eventsPerSecond: elapsedSeconds > 0 ? Math.round(this.events / elapsedSeconds) : 0,
      fraction,
      ...(fraction > 0 &&
        phase === 'reading' && { etaSeconds: (elapsedSeconds * (1 - fraction)) / fraction }),
      rowsInMemory: this.rowsInMemory,
      elapsedSeconds,
    };
  }
}
