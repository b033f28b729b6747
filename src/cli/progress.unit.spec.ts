import { expect } from 'chai';
import { Writable } from 'node:stream';
import type { RebuildProgress } from '../projections/engine/progress.js';
import type { Io } from './io.js';
import { createProgress, duration } from './progress.js';

const reading: RebuildProgress = {
  phase: 'reading',
  events: 1_234_567,
  eventsPerSecond: 98_765,
  fraction: 0.426,
  etaSeconds: 95,
  rowsInMemory: 50,
  elapsedSeconds: 12.5,
};
const writing: RebuildProgress = {
  ...reading,
  phase: 'writing',
  projection: 'timers',
  fraction: 0.8,
  etaSeconds: 4,
};

/** What is said beside the answer, and on the terminal. */
const stage = (told: Partial<Io>) => {
  const notes: string[] = [];
  let drawn = '';
  const write = (chunk: Buffer, _encoding: string, done: () => void): void => {
    drawn += chunk.toString();
    done();
  };
  const terminal = Object.assign(new Writable({ write }), { isTTY: true, columns: 120 });
  const io: Io = {
    json: false,
    interactive: false,
    showsProgress: false,
    print: () => Promise.resolve(),
    note: (text) => void notes.push(text),
    ...told,
  };
  let time = 0;
  const progress = createProgress(io, 'all', { now: () => time, terminal });
  return { notes, drawn: () => drawn, progress, wait: (ms: number) => void (time += ms) };
};

describe('the progress of a rebuild', () => {
  it('is a bar for a person', () => {
    const { notes, drawn, progress } = stage({ showsProgress: true });
    progress.update(reading);
    progress.update(writing);
    progress.end();
    expect(notes).to.deep.equal([]);
    expect(drawn())
      .to.contain('80% | 1,234,567 events | 98,765 events/s | ETA 4s | writing timers')
      .and.not.contain('100%');
  });

  it('is a line every few seconds without a terminal, and one at the end', () => {
    const { notes, drawn, progress, wait } = stage({});
    progress.update(reading);
    wait(3_000);
    progress.update(reading);
    progress.update(writing);
    const { etaSeconds: _none, ...done } = writing;
    progress.update({ ...done, phase: 'swapped', fraction: 1 });
    progress.end();
    progress.end();
    expect(drawn()).to.equal('');
    expect(notes).to.deep.equal([
      'all: reading: 42%, 1,234,567 events, 98,765 events/s, 1m 35s to go',
      'all: swapped timers: 100%, 1,234,567 events, 98,765 events/s',
    ]);
  });

  it('is the same figures as JSON, a line each, with --json', () => {
    const { notes, progress, wait } = stage({ json: true });
    wait(3_000);
    progress.update(reading);
    progress.end();
    expect(notes.map((line) => JSON.parse(line) as unknown)).to.deep.equal([
      { progress: { label: 'all', ...reading } },
    ]);
  });

  it('tells durations as people do', () => {
    expect([0.4, 59, 95, 3_599, 3_660].map(duration)).to.deep.equal([
      '0s',
      '59s',
      '1m 35s',
      '59m 59s',
      '1h 1m',
    ]);
  });
});
