import type { Check, LogAdmin } from '../cli/services.js';
import type { Config } from '../config.js';
import type { EventStore } from '../events/eventStore.js';
import type { EsdbOwnership } from '../infra/eventStoreDb/esdbOwnership.js';
import { isDomainError } from '../kernel/errors.js';
import type { Database } from './database.js';

/** A database and a log: do they belong together? */
export interface LogPair {
  readonly config: Config;
  readonly database: Database;
  readonly log: Pick<EventStore, 'head'> | EsdbOwnership;
  /** True: a log in EventStoreDB that is nobody's yet becomes this database's. */
  readonly claims: boolean;
}

type Mismatch = Required<Pick<Check, 'detail' | 'fix'>>;

/** Whose database it is, where its own log ends, and how far anything in it has read a log. */
const STANDING = `
  SELECT (SELECT id FROM installation) AS installation,
         (SELECT position FROM event_log_head)::text AS own,
         greatest((SELECT max(position) FROM projection_generations),
                  (SELECT max(position) FROM bus_checkpoints), 0)::text AS read`;

interface Standing {
  readonly installation: string;
  readonly own: string;
  readonly read: string;
}

const standingOf = async ({ pool }: Database): Promise<Standing> => {
  const { rows } = await pool.query<Standing>(STANDING);
  const [standing] = rows;
  if (standing === undefined) throw new Error('the database does not say which installation it is');
  return standing;
};

const PAIR =
  'Set EVENTSTORE_URL and DATABASE_URL to a pair that belongs together, or take an empty database.';

/** Checkpoints are positions of one log: with another one they would skip events, or wait for ever. */
const positionMismatch = async (
  { config, log }: LogPair,
  { own, read }: Standing,
): Promise<Mismatch | undefined> => {
  // After the readers' positions: others write and read on meanwhile.
  const head = await log.head();
  if (config.eventStoreUrl !== undefined && BigInt(own) > 0n)
    return { detail: 'the database holds a log of its own beside EVENTSTORE_URL', fix: PAIR };
  if (BigInt(read) > head)
    return { detail: `read models stand at ${read}, the log ends at ${head}`, fix: PAIR };
  return undefined;
};

const OTHERS =
  'Give each installation an event store of its own. If this database takes the place of the other, stop all that ' +
  'runs on the other and run `recovery events adopt`.';

const ownerMismatch = async (
  { log, claims }: LogPair,
  { installation }: Standing,
): Promise<Mismatch | undefined> => {
  if (!('owner' in log)) return undefined;
  const owner = await (claims ? log.claim(installation) : log.owner());
  if (owner === undefined || owner.installation === installation) return undefined;
  const detail = `the log belongs to installation ${owner.installation} since ${owner.since}, not to ${installation}`;
  return { detail, fix: OTHERS };
};

/** Why the database must not be used with this log; undefined when they belong together. */
export const mismatchOf = async (pair: LogPair): Promise<Mismatch | undefined> => {
  const standing = await standingOf(pair.database);
  return (await positionMismatch(pair, standing)) ?? (await ownerMismatch(pair, standing));
};

const answers = async ({ log }: LogPair): Promise<Check> => {
  const base = { name: 'event store', severity: 'error' } as const;
  try {
    await log.head();
    return { ...base, ok: true, detail: 'answers' };
  } catch (error) {
    const cause = isDomainError(error) ? error.cause : error;
    const detail = cause instanceof Error ? cause.message : String(cause);
    return { ...base, ok: false, detail, fix: 'See that the server runs, and that EVENTSTORE_URL is right.' };
  }
};

/** What there is to check about a log; one that does not answer is one failed check. */
export const logChecks = async (pair: LogPair): Promise<readonly Check[]> => {
  const answer = await answers(pair);
  if (!answer.ok) return [answer];
  const mismatch = await mismatchOf(pair);
  const detail = 'the read models come from this log';
  const oneLog: Check = { name: 'one log', severity: 'error', ok: !mismatch, detail, ...mismatch };
  return pair.config.eventStoreUrl === undefined ? [oneLog] : [answer, oneLog];
};

/** What an operator may do about whose log it is; undefined when it lies in the database itself. */
export const logAdmin = (pair: LogPair): LogAdmin | undefined => {
  const { log } = pair;
  if (!('owner' in log)) return undefined;
  return {
    status: async () => {
      const { installation } = await standingOf(pair.database);
      return { installation, owner: await log.owner() };
    },
    adopt: async () => {
      const standing = await standingOf(pair.database);
      const mismatch = await positionMismatch(pair, standing);
      if (mismatch) throw new Error(`The log cannot be used: ${mismatch.detail}. ${mismatch.fix}`);
      await log.adopt(standing.installation);
    },
  };
};
