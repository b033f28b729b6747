import type { Position } from '../../events/envelope.js';
import { type ExpectedRevision, isRevisionConflict } from '../../events/eventStore.js';
import type { Instant } from '../../kernel/clock.js';
import { deriveId } from '../../kernel/ids.js';
import type { EsdbAppender } from './esdbAppender.js';
import type { StoredEvent } from './esdbEvents.js';
import type { EsdbReader } from './esdbReader.js';

const STREAM = 'stealth-recovery-installation';
const TYPE = 'LogClaimed';

/** The installation that a log belongs to, and since when. */
export interface LogOwner {
  readonly installation: string;
  readonly since: Instant;
}

const ownerOf = ({ type, data, recordedAt: since }: StoredEvent): LogOwner => {
  const { installation } = JSON.parse(data) as { installation?: unknown };
  if (type !== TYPE || typeof installation !== 'string')
    throw new TypeError(`the stream ${STREAM} holds what this product did not write`);
  return { installation, since };
};

/**
 * Whose log it is: the newest event of one stream names the installation. It carries no organization, so it is no part
 * of the log that readers and copies see. (docs/adr/0033)
 */
export class EsdbOwnership {
  constructor(
    private readonly reader: EsdbReader,
    private readonly appender: EsdbAppender,
  ) {}

  /** EventStore.head, whoever the log belongs to. */
  head(): Promise<Position> {
    return this.reader.head();
  }

  /** Undefined: nobody has claimed the log yet. */
  async owner(): Promise<LogOwner | undefined> {
    const newest = await this.reader.newestOf(STREAM);
    return newest && ownerOf(newest);
  }

  /** Makes a log that is nobody's this installation's. Resolves with whose it is then. */
  async claim(installation: string): Promise<LogOwner | undefined> {
    const owner = await this.owner();
    if (owner !== undefined) return owner;
    try {
      await this.#name(installation, 'no_stream');
    } catch (error) {
      if (!isRevisionConflict(error)) throw error; // another was first
    }
    return this.owner();
  }

  /** Makes the log this installation's, whoever had it. @throws RevisionConflict when another took it meanwhile */
  async adopt(installation: string): Promise<void> {
    const newest = await this.reader.newestOf(STREAM);
    if (newest === undefined || ownerOf(newest).installation !== installation)
      await this.#name(installation, newest?.revision ?? 'no_stream');
  }

  async #name(installation: string, expected: ExpectedRevision): Promise<void> {
    const id = deriveId(TYPE, installation, String(expected));
    await this.appender.append(STREAM, expected, [{ id, type: TYPE, data: { installation }, metadata: {} }]);
  }
}
