import type { Fact, Position } from '../../events/envelope.js';
import type { EventStore } from '../../events/eventStore.js';
import { upcast } from '../../events/registry.js';
import { EventFailure } from './errors.js';
import { foldEvent, keysOf } from './fold.js';
import { setProgress } from './generations.js';
import type { Lane } from './lane.js';
import type { Progress } from './progress.js';
import type { Memory, Shadow } from './shadow.js';

export interface Range {
  readonly after: Position;
  readonly until?: Position;
  readonly orgId?: string;
  readonly pageSize: number;
  readonly signal: AbortSignal;
}

const SHOW_EVERY_MS = 1_000;

/**
 * Reads the log once and folds every event into every shadow that wants its type.
 * @returns how far the log was read
 */
export const foldLog = async (
  store: EventStore,
  lane: Lane,
  shadows: readonly Shadow[],
  memory: Memory,
  range: Range,
  progress: Progress,
): Promise<Position> => {
  const pass = new Pass(shadows, memory);
  const types = [...new Set(shadows.flatMap(({ model }) => [...model.types]))];
  const attributed = shadows.flatMap(({ model }) => model.projection.attributed ?? []);
  const { orgId, ...bounds } = range;
  const filter = { types, ...(orgId !== undefined && { orgId }) };
  let position = range.after;
  let shownAt = performance.now();
  for await (const delivery of store.readFacts({ ...bounds, filter, attributed })) {
    range.signal.throwIfAborted();
    if (delivery.kind === 'events') {
      await pass.fold(delivery.events);
      progress.events += delivery.events.length;
    }
    position = progress.position = delivery.position;
    progress.rowsInMemory = memory.rows;
    progress.tell('reading');
    if (performance.now() - shownAt > SHOW_EVERY_MS) {
      shownAt = performance.now();
      // Not waited for: it may stand behind rows that are being written.
      const shown = lane.run(async (client) => {
        for (const { target } of shadows) await setProgress(client, target, 'reading', position);
      });
      shown.catch(() => undefined); // a lost connection ends the rebuild by itself
    }
  }
  range.signal.throwIfAborted();
  return position;
};

/** One pass over the log for several shadows, within the memory they share. */
class Pass {
  readonly #wanting = new Map<string, Shadow[]>();

  constructor(
    private readonly shadows: readonly Shadow[],
    private readonly memory: Memory,
  ) {
    for (const shadow of shadows) {
      for (const type of shadow.model.types) {
        this.#wanting.set(type, [...(this.#wanting.get(type) ?? []), shadow]);
      }
    }
  }

  async fold(events: readonly Fact[]): Promise<void> {
    for (const [index, stored] of events.entries()) {
      const wanting = this.#wanting.get(stored.type);
      if (wanting === undefined) continue;
      const event = current(stored, wanting[0]);
      for (const shadow of wanting) {
        while (!foldEvent(shadow.model, shadow, event)) await this.#prepare(events.slice(index));
      }
      if (this.memory.room <= 0) await this.#endSpan();
    }
  }

  async #endSpan(): Promise<void> {
    const { memory, shadows } = this;
    for (const shadow of shadows) await shadow.writeIdle();
    for (; memory.full && memory.oldest < memory.span; memory.oldest++)
      for (const shadow of shadows) await shadow.forget(memory.oldest);
    memory.nextSpan();
  }

  /** Loads the rows that left memory and that these events want: for as many as there is room for, at least the first. */
  async #prepare(events: readonly Fact[]): Promise<void> {
    const wanted = new Map<Shadow, Set<string>>();
    let { room } = this.memory;
    for (const [index, stored] of events.entries()) {
      const wanting = this.#wanting.get(stored.type) ?? [];
      const missing = wanting.flatMap((shadow) => missingOf(shadow, current(stored, shadow), wanted));
      room -= missing.length;
      if (room < 0 && index > 0) break;
      for (const [shadow, key] of missing) wanted.set(shadow, (wanted.get(shadow) ?? new Set()).add(key));
    }
    for (const [shadow, keys] of wanted) await shadow.load([...keys]);
  }
}

const missingOf = (
  shadow: Shadow,
  event: Fact,
  wanted: ReadonlyMap<Shadow, ReadonlySet<string>>,
): [Shadow, string][] =>
  keysOf(shadow.model, event)
    .filter((key) => shadow.isMissing(key) && wanted.get(shadow)?.has(key) !== true)
    .map((key) => [shadow, key]);

const current = (event: Fact, shadow: Shadow | undefined): Fact => {
  try {
    return upcast(event);
  } catch (cause) {
    throw new EventFailure(shadow?.model.name ?? '', event, { cause });
  }
};
