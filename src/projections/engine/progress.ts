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
  /** Of the whole rebuild, 0..1: 1 only when the last table is swapped in. A guess, as is what is left. */
  readonly fraction: number;
  readonly etaSeconds?: number;
  readonly rowsInMemory: number;
  readonly elapsedSeconds: number;
}

const EVERY_MS = 200;
/** What reading and folding takes of a rebuild; writing, indexes and swaps take the rest. */
const READING_SHARE = 0.8;
/** How many of a table's three steps after reading are done when a phase begins. */
const STEPS: Readonly<Record<RebuildPhase, number>> = {
  reading: 0,
  writing: 0,
  indexing: 1,
  'catching up': 2,
  'waiting for lock': 2,
  swapped: 3,
};

/** Tells the listener how far a rebuild is, at most five times a second and at every change of phase. */
export class Progress {
  readonly #startedAt = performance.now();
  #toldAt = -Infinity;
  #phase: RebuildPhase = 'reading';
  readonly #steps = new Map<string, number>();
  events = 0;
  rowsInMemory = 0;
  position: Position = 0n;

  constructor(
    private readonly head: Position,
    private readonly tables: number,
    private readonly listener: (progress: RebuildProgress) => void = () => undefined,
  ) {}

  tell(phase: RebuildPhase, projection?: string): void {
    const now = performance.now();
    if (projection !== undefined) this.#steps.set(projection, STEPS[phase]);
    if (phase === 'reading' && phase === this.#phase && now - this.#toldAt < EVERY_MS) return;
    this.#phase = phase;
    this.#toldAt = now;
    this.listener(this.#current(phase, (now - this.#startedAt) / 1000, projection));
  }

  get elapsedSeconds(): number {
    return (performance.now() - this.#startedAt) / 1000;
  }

  get #fraction(): number {
    const read = this.head === 0n ? 1 : Math.min(1, Number(this.position) / Number(this.head));
    const steps = [...this.#steps.values()].reduce((sum, done) => sum + done, 0);
    const finished = steps / (STEPS.swapped * this.tables);
    return finished === 1 ? 1 : READING_SHARE * read + (1 - READING_SHARE) * finished;
  }

  #current(phase: RebuildPhase, elapsedSeconds: number, projection: string | undefined): RebuildProgress {
    const fraction = this.#fraction;
    return {
      phase,
      ...(projection !== undefined && { projection }),
      events: this.events,
      eventsPerSecond: elapsedSeconds > 0 ? Math.round(this.events / elapsedSeconds) : 0,
      fraction,
      ...(fraction > 0 && fraction < 1 && { etaSeconds: (elapsedSeconds * (1 - fraction)) / fraction }),
      rowsInMemory: this.rowsInMemory,
      elapsedSeconds,
    };
  }
}
