import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { projections } from '../../src/projections/index.js';
import { bareRead } from '../lib/bareRead.js';
import { prepareEmmettRebuild } from '../lib/emmettRebuild.js';
import { type Bench, type Environment, type Figure, rateFigure, resultOf } from '../lib/figure.js';
import { alternate, type Contender, runOf } from '../lib/rounds.js';
import type { SeededLog } from '../lib/seededLog.js';

const unit = 'events/s' as const;
const BARE = 'bare read in pages, JSON parsed';
const EMMETT = 'emmett, Pongo projection';

/** Our work over the log beside the bare read of the same rows, turn by turn; and beside emmett's, if it is there. */
const besideBareRead = async (
  log: SeededLog,
  work: () => Promise<number>,
  types: readonly string[] | undefined,
  runs: number,
  emmett?: () => Promise<number>,
) => {
  const bare: Contender = { name: BARE, round: runOf(() => bareRead(log.pool, types)) };
  const own: Contender = { name: 'own', round: runOf(work) };
  const theirs: Contender | undefined = emmett && { name: EMMETT, round: runOf(emmett) };
  const results = await alternate([bare, own, ...(theirs ? [theirs] : [])], runs);
  return {
    ours: resultOf(results, own),
    baseline: resultOf(results, bare),
    emmett: theirs && resultOf(results, theirs),
  };
};

const rebuild = (log: SeededLog, names: readonly string[] | 'all') => async (): Promise<number> =>
  (await log.engine.rebuild(names)).events;

const typesOf = (table: string): readonly string[] =>
  projections.find((one) => one.table.name === table)?.events ?? [];

const runOne = async (environment: Environment): Promise<Figure[]> => {
  const { sizes, wants } = environment;
  const log = await environment.seededLog();
  const theirs = wants('rebuild_recoveries_emmett')
    ? await prepareEmmettRebuild(environment, log)
    : undefined;
  const work = rebuild(log, ['recoveries']);
  const { emmett, ...compared } = await besideBareRead(log, work, typesOf('recoveries'), sizes.runs, theirs);
  const figure = rateFigure('rebuild_recoveries', compared, { unit, baseline: BARE, goal: 0.6 });
  if (emmett === undefined) return [figure];
  const beside = { ours: compared.ours, baseline: emmett };
  return [figure, rateFigure('rebuild_recoveries_emmett', beside, { unit, baseline: EMMETT, goal: 20 })];
};

export const rebuildBench: Bench = {
  names: ['rebuild_recoveries', 'rebuild_recoveries_emmett'],
  run: runOne,
};

export const rebuildAllBench: Bench = {
  names: ['rebuild_all'],
  run: async ({ seededLog, sizes }) => {
    const log = await seededLog();
    const types = [...new Set(projections.flatMap(({ events }) => events))];
    const compared = await besideBareRead(log, rebuild(log, 'all'), types, sizes.runs);
    return [rateFigure('rebuild_all', compared, { unit, baseline: BARE, goal: 0.3 })];
  },
};

/** Every event as a line, as `recovery events export` writes it: joined per page, the reader sets the pace. */
const exportLines =
  ({ store }: SeededLog) =>
  async (): Promise<number> => {
    let events = 0;
    const text = async function* (): AsyncGenerator<string> {
      for await (const lines of store.readLines({ after: 0n, pageSize: 5_000 })) {
        events += lines.length;
        yield `${lines.join('\n')}\n`;
      }
    };
    await pipeline(Readable.from(text()), createWriteStream('/dev/null'));
    return events;
  };

export const exportBench: Bench = {
  names: ['export'],
  run: async ({ seededLog, sizes }) => {
    const log = await seededLog();
    const compared = await besideBareRead(log, exportLines(log), undefined, sizes.runs);
    return [rateFigure('export', compared, { unit, baseline: BARE, goal: 0.6 })];
  },
};
