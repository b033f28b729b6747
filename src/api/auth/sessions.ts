import { load, type Loaded } from '../../commands/handle.js';
import { organizationDecider } from '../../commands/organization/decide.js';
import { userDecider } from '../../commands/user/decide.js';
import { counts } from '../../commands/user/membership.js';
import type { RegisteredUser, UserState } from '../../commands/user/state.js';
import type { EventStore } from '../../events/eventStore.js';
import { organizationStream } from '../../events/organization.js';
import { userStream } from '../../events/user.js';
import { DomainError, isDomainError } from '../../kernel/errors.js';
import type { UserId } from '../../kernel/ids.js';
import type { Principal, Role } from '../../kernel/principal.js';
import { inTime } from '../../kernel/timeBudget.js';
import type { Claims } from './tokens.js';

export interface Session extends Principal {
  readonly role: Role;
  readonly user: RegisteredUser & { readonly id: UserId };
}

export interface Sessions {
  /** @throws DomainError `invalid_token` when the token no longer speaks for an active user */
  resolve(claims: Claims): Promise<Session>;
  /** To be called after every append to the user's stream: what is cached of it no longer holds. */
  forget(userId: string): void;
}

export interface SessionOptions {
  readonly store: EventStore;
  /** How long a state is trusted without looking at the stream: what other processes append shows after this. */
  readonly ttlMs?: number;
  readonly maxUsers?: number;
  /** How long a state is trusted while the log cannot be reached: what reads only read models goes on. */
  readonly graceMs?: number;
  /** Milliseconds that only ever go up. */
  readonly monotonic?: () => number;
}

/** While the log cannot be reached, a look at it that fails is made this much more rarely: it may take seconds. */
const LOOK_AGAIN = 5;

/** What is known of a user since `lookedAt`; `until` is when it has to be looked at again. */
interface Entry {
  readonly loaded: Loaded<UserState>;
  readonly isMember: boolean;
  readonly until: number;
  readonly lookedAt: number;
}

/** A user stays a member once they are one (commands/user/register.ts), so this is asked once per cached user. */
const isMember = async (store: EventStore, userId: string, state: UserState): Promise<boolean> => {
  if (state.status !== 'registered') return false;
  if (state.invitedBy !== undefined) return true;
  const { state: organization } = await load(store, organizationDecider, organizationStream(state.orgId));
  return organization.status === 'active' && counts(userId, state, organization);
};

const sessionOf = (claims: Claims, { loaded: { state }, isMember }: Entry): Session => {
  const holds =
    state.status === 'registered' &&
    isMember &&
    state.isActive &&
    state.orgId === claims.org &&
    state.role === claims.role &&
    state.tokenVersion === claims.tv;
  if (!holds) throw new DomainError('invalid_token', 'the access token is missing, expired or not valid');
  const { sub: id, org: orgId, role } = claims;
  return { actor: { type: 'user', id }, orgId, role, user: { ...state, id } };
};

/**
 * Compares each token with its user's stream, through a small cache:
 * - a state is trusted for `ttlMs`, then only the events after it are read;
 * - requests that come while a state is being read share the one read;
 * - while the log cannot be reached, a state that was looked at lately holds: nobody can change it there either;
 * - `forget` marks a state as old and detaches a read under way, whose answer may be from before the append.
 * The user looked at longest ago makes room for a new one.
 */
export class CachedSessions implements Sessions {
  readonly #store: EventStore;
  readonly #ttlMs: number;
  readonly #maxUsers: number;
  readonly #graceMs: number;
  readonly #monotonic: () => number;
  /** In order of use, the oldest first. */
  readonly #entries = new Map<string, Entry>();
  readonly #reads = new Map<string, Promise<Entry>>();

  constructor({
    store,
    ttlMs = 1000,
    maxUsers = 10_000,
    graceMs = 15 * 60_000,
    monotonic = () => performance.now(),
  }: SessionOptions) {
    this.#store = store;
    this.#ttlMs = ttlMs;
    this.#maxUsers = maxUsers;
    this.#graceMs = graceMs;
    this.#monotonic = monotonic;
  }

  async resolve(claims: Claims): Promise<Session> {
    const entry = this.#entries.get(claims.sub);
    if (entry && this.#monotonic() < entry.until) return sessionOf(claims, entry);
    return sessionOf(claims, await this.#read(claims.sub, entry));
  }

  forget(userId: string): void {
    const entry = this.#entries.get(userId);
    if (entry) this.#entries.set(userId, { ...entry, until: -Infinity, lookedAt: -Infinity });
    this.#reads.delete(userId);
  }

  #read(userId: string, known: Entry | undefined): Promise<Entry> {
    const underWay = this.#reads.get(userId);
    if (underWay) return inTime(underWay);
    const read = this.#refresh(userId, known)
      .then((entry) => {
        if (this.#reads.get(userId) === read) this.#keep(userId, entry);
        return entry;
      })
      .finally(() => {
        if (this.#reads.get(userId) === read) this.#reads.delete(userId);
      });
    this.#reads.set(userId, read);
    return read;
  }

  async #refresh(userId: string, known: Entry | undefined): Promise<Entry> {
    const lookedAt = this.#monotonic();
    try {
      const loaded = await load(this.#store, userDecider, userStream(userId), known?.loaded);
      const member = known?.isMember === true || (await isMember(this.#store, userId, loaded.state));
      return { loaded, isMember: member, until: lookedAt + this.#ttlMs, lookedAt };
    } catch (error) {
      const now = this.#monotonic();
      const down = isDomainError(error) && error.code === 'unavailable';
      if (!down || known === undefined || now - known.lookedAt > this.#graceMs) throw error;
      return { ...known, until: now + LOOK_AGAIN * this.#ttlMs };
    }
  }

  #keep(userId: string, entry: Entry): void {
    this.#entries.delete(userId);
    // A token for a stream that does not exist is not worth a place.
    if (entry.loaded.revision === 'no_stream') return;
    this.#entries.set(userId, entry);
    const [oldest] = this.#entries.keys();
    if (this.#entries.size > this.#maxUsers && oldest !== undefined) this.#entries.delete(oldest);
  }
}
