import cliProgress from 'cli-progress';
import type { RebuildProgress } from '../projections/engine/progress.js';
import type { Io } from './io.js';
import { toJson } from './output.js';

/** What is shown of work that takes its time. */
export type Shown = Omit<RebuildProgress, 'phase' | 'rowsInMemory' | 'elapsedSeconds'> & {
  readonly phase: string;
};

export interface Progress {
  update(progress: Shown): void;
  end(): void;
}

const PLAIN_EVERY_MS = 3_000;
const number = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

/** `95` → `1m 35s` */
export const duration = (seconds: number): string => {
  const s = Math.round(seconds);
  if (s < 60) return `${s}s`;
  return s < 3600
    ? `${Math.floor(s / 60)}m ${s % 60}s`
    : `${Math.floor(s / 3600)}h ${Math.floor((s % 3600) / 60)}m`;
};

/** At the beginning there is nothing to go by. */
const eta = ({ etaSeconds }: Shown): string => (etaSeconds === undefined ? '-' : duration(etaSeconds));

const phaseOf = ({ phase, projection }: Shown): string =>
  projection === undefined ? phase : `${phase} ${projection}`;

const barProgress = (label: string, stream: NodeJS.WritableStream): Progress => {
  const bar = new cliProgress.SingleBar({
    format: `${label} {bar} {percentage}% | {events} events | {rate} events/s | ETA {left} | {phase}`,
    stream,
    hideCursor: true,
  });
  bar.start(100, 0, { events: '0', rate: '-', left: '-', phase: '' });
  return {
    update: (progress) =>
      bar.update(Math.floor(progress.fraction * 100), {
        events: number.format(progress.events),
        rate: number.format(progress.eventsPerSecond),
        left: eta(progress),
        phase: phaseOf(progress),
      }),
    end: () => bar.stop(),
  };
};

const lineOf = (label: string, progress: Shown): string => {
  const { events, eventsPerSecond, fraction, etaSeconds } = progress;
  const left = etaSeconds === undefined ? '' : `, ${duration(etaSeconds)} to go`;
  const done = `${Math.floor(fraction * 100)}%, ${number.format(events)} events`;
  return `${label}: ${phaseOf(progress)}: ${done}, ${number.format(eventsPerSecond)} events/s${left}`;
};

const lineProgress = (io: Io, label: string, now: () => number): Progress => {
  let last = now();
  let unsaid: Shown | undefined;
  const say = (): void => {
    if (unsaid === undefined) return;
    io.note(io.json ? toJson({ progress: { label, ...unsaid } }) : lineOf(label, unsaid));
    unsaid = undefined;
    last = now();
  };
  return {
    update: (progress) => {
      unsaid = progress;
      if (now() - last >= PLAIN_EVERY_MS) say();
    },
    end: say,
  };
};

/** On stderr: a bar for a person, else a line every few seconds (JSON with --json) and one at the end. */
export const createProgress = (
  io: Io,
  label: string,
  {
    now = Date.now,
    terminal = process.stderr,
  }: { now?: () => number; terminal?: NodeJS.WritableStream } = {},
): Progress => (io.showsProgress ? barProgress(label, terminal) : lineProgress(io, label, now));
