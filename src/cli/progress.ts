import cliProgress from 'cli-progress';
import type { Io } from './io.js';
import { toJson } from './output.js';

export interface Progress {
  update(done: number, total: number | undefined, phase: string): void;
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

interface Pace {
  readonly rate: number;
  /** Seconds to go; undefined while it cannot be told. */
  readonly eta: number | undefined;
}

/** The pace since the start: steadier than that of the last page, and fair, because rebuilds run at an even speed. */
export const paceOf = (done: number, total: number | undefined, ms: number): Pace => {
  const rate = ms > 0 ? (done * 1000) / ms : 0;
  return { rate, eta: total === undefined || rate === 0 ? undefined : Math.max(0, total - done) / rate };
};

const barProgress = (label: string, now: () => number): Progress => {
  const bar = new cliProgress.SingleBar({
    format: `${label} {bar} {percentage}% | {value}/{total} events | {rate} events/s | ETA {left} | {phase}`,
    stream: process.stderr,
    hideCursor: true,
    clearOnComplete: false,
  });
  const start = now();
  bar.start(0, 0, { rate: '-', left: '-', phase: '' });
  return {
    update: (done, total, phase) => {
      const { rate, eta } = paceOf(done, total, now() - start);
      bar.setTotal(Math.max(total ?? done, done));
      bar.update(done, { rate: number.format(rate), left: eta === undefined ? '-' : duration(eta), phase });
    },
    end: () => bar.stop(),
  };
};

const lineProgress = (io: Io, label: string, now: () => number): Progress => {
  const start = now();
  let last = start;
  let latest: Parameters<Progress['update']> | undefined;
  const say = (): void => {
    if (latest === undefined) return;
    const [done, total, phase] = latest;
    const { rate, eta } = paceOf(done, total, now() - start);
    if (io.json) {
      const progress = { label, phase, events: done, total, rate: Math.round(rate), eta_seconds: eta };
      return io.note(toJson({ progress }));
    }
    const of = total === undefined ? '' : ` of ${number.format(total)}`;
    const left = eta === undefined ? '' : `, ${duration(eta)} to go`;
    io.note(`${label}: ${phase}: ${number.format(done)}${of} events, ${number.format(rate)} events/s${left}`);
  };
  return {
    update: (...update) => {
      latest = update;
      if (now() - last < PLAIN_EVERY_MS) return;
      last = now();
      say();
    },
    end: say,
  };
};

/** On stderr: a bar for a person, else a line every few seconds (JSON with --json) and one at the end. */
export const createProgress = (io: Io, label: string, now: () => number = Date.now): Progress =>
  io.showsProgress ? barProgress(label, now) : lineProgress(io, label, now);
