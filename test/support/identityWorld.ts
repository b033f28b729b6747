import { randomUUID } from 'node:crypto';
import type { NewEvent, StreamId } from '../../src/events/envelope.js';
import type { EventStore, ExpectedRevision } from '../../src/events/eventStore.js';
import type { CommandContext } from '../../src/commands/context.js';
import type { IdentityDeps, PasswordHasher } from '../../src/commands/user/ports.js';
import type { Origin, User } from '../../src/commands/user/member.js';
import { MemoryEventStore } from '../../src/infra/eventStore/memoryEventStore.js';
import { MemoryVault } from '../../src/infra/vault/memoryVault.js';
import type { OrgId } from '../../src/kernel/ids.js';
import { silentLogger } from '../../src/kernel/logger.js';

/** Thrown where a process is made to die. */
export class Killed extends Error {}

/** Passwords in plain view: fast, and every comparison is counted. */
export class PlainHasher implements PasswordHasher {
  comparisons = 0;
  readonly decoy = 'nothing';
  hash = (password: string): Promise<string> => Promise.resolve(`hash of ${password}`);
  verify = (password: string, hash: string): Promise<boolean> => {
    this.comparisons++;
    return Promise.resolve(hash === `hash of ${password}`);
  };
}

/** Where an append can be interfered with: before it is written, and after. */
export type AroundAppend = (when: 'before' | 'after', stream: StreamId) => void | Promise<void>;

const intercepted = (store: EventStore, around: AroundAppend): EventStore =>
  new Proxy(store, {
    get: (target, name) => {
      if (name === 'append')
        return async (stream: StreamId, expected: ExpectedRevision, events: readonly NewEvent[]) => {
          await around('before', stream);
          const result = await target.append(stream, expected, events);
          await around('after', stream);
          return result;
        };
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });

/** One log and one vault, and as many processes working on them as a test wants. */
export class IdentityWorld {
  readonly store = new MemoryEventStore();
  readonly vault = new MemoryVault();
  readonly hasher = new PlainHasher();
  readonly changed: string[] = [];
  now = Date.parse('2026-01-01T00:00:00.000Z');

  process(around: AroundAppend = () => undefined): IdentityDeps {
    return {
      store: intercepted(this.store, around),
      vault: this.vault,
      hasher: this.hasher,
      identityKey: Buffer.alloc(32, 9),
      logger: silentLogger,
      userChanged: (userId) => this.changed.push(userId),
    };
  }

  /** A process that dies at the n-th of the points before and after each append (0 is the first). */
  dyingAt(n: number): IdentityDeps {
    let point = 0;
    return this.process(() => {
      if (point++ >= n) throw new Killed();
    });
  }

  /** Every origin is a new command, a millisecond after the last. */
  origin(): Origin {
    const id = randomUUID();
    return { commandId: id, correlationId: id, causationId: id, now: new Date(this.now++).toISOString() };
  }

  by({ id, orgId, role }: Pick<User, 'id' | 'orgId' | 'role'>): CommandContext {
    return {
      ...this.origin(),
      principal: { actor: { type: 'user', id }, orgId: orgId as OrgId, role },
    };
  }

  async types(stream: StreamId): Promise<string[]> {
    const types: string[] = [];
    for await (const page of this.store.readStream(stream)) types.push(...page.map(({ type }) => type));
    return types;
  }
}

/** The code of the refusal, `ok`, or `killed`. */
export const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'ok',
    (error: unknown) => {
      if (error instanceof Killed) return 'killed';
      const { code } = error as { code?: unknown };
      if (typeof code !== 'string') throw error;
      return code;
    },
  );
