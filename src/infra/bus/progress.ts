import type { Position } from '../../events/envelope.js';

/** How far a log has been handled when its parts are finished out of order: up to before the first unfinished one. */
export class Progress {
  /** Insertion order is log order. */
  private readonly unfinished = new Map<Position, Position>();
  private readonly drained: (() => void)[] = [];
  private scanned: Position;

  constructor(start: Position) {
    this.scanned = start;
  }

  get outstanding(): number {
    return this.unfinished.size;
  }

  /** Everything up to here is handled. */
  get position(): Position {
    const first = this.unfinished.values().next();
    return first.done ? this.scanned : first.value;
  }

  begin(position: Position): void {
    this.unfinished.set(position, this.scanned);
    this.scanned = position;
  }

  finish(position: Position): void {
    this.unfinished.delete(position);
    this.#wake();
  }

  /** What lies up to here, and was not begun, needs no handling. */
  pass(position: Position): void {
    if (position > this.scanned) this.scanned = position;
  }

  /** Waits until fewer than `limit` are unfinished, or the signal aborts. */
  async room(limit: number, signal: AbortSignal): Promise<void> {
    const wake = (): void => this.#wake();
    signal.addEventListener('abort', wake);
    while (this.unfinished.size >= limit && !signal.aborted)
      await new Promise<void>((resume) => this.drained.push(resume));
    signal.removeEventListener('abort', wake);
  }

  #wake(): void {
    this.drained.splice(0).forEach((resume) => resume());
  }
}
