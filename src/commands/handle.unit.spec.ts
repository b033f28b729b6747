import { expect } from 'chai';
import { codeOf, IdentityWorld } from '../../test/support/identityWorld.js';
import type { NewEvent, StreamId } from '../events/envelope.js';
import type { EventStore, ExpectedRevision } from '../events/eventStore.js';
import type { UserEvent } from '../events/user.js';
import type { Decider } from '../kernel/decider.js';
import { DomainError } from '../kernel/errors.js';
import { orgIdOf } from '../kernel/ids.js';
import type { CommandContext } from './context.js';
import { absent, handle, load } from './handle.js';

/** Counts failed logins up to a number. */
const counter: Decider<number, number, UserEvent> = {
  initialState: 0,
  evolve: (count) => count + 1,
  decide: (upTo, count) =>
    count < upTo ? [{ type: 'LoginFailed', data: { failed_at: '2026-01-01T00:00:00.000Z' } }] : [],
};
const stream = 'user-7c9e6679-7425-40de-944b-e07fc1f90ae7';

describe('handle', () => {
  let world: IdentityWorld;
  let appends: { expected: ExpectedRevision; events: readonly NewEvent[] }[];
  let overtaken = 0;
  let store: EventStore;
  const context = (): CommandContext => ({
    ...world.origin(),
    principal: { actor: { type: 'system', id: 'test' }, orgId: orgIdOf('acme') },
  });

  beforeEach(() => {
    world = new IdentityWorld();
    appends = [];
    overtaken = 0;
    store = new Proxy(world.store, {
      get: (target, name) => {
        if (name === 'append')
          return async (to: StreamId, expected: ExpectedRevision, events: readonly NewEvent[]) => {
            appends.push({ expected, events });
            if (overtaken-- > 0) await handle(target, counter, to, 1000, context());
            return target.append(to, expected, events);
          };
        const value: unknown = Reflect.get(target, name);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
  });

  it('decides from the stream and appends at its revision', async () => {
    const first = await handle(store, counter, stream, 2, context());
    expect(first).to.deep.include({ state: 1, revision: 0n, position: 1n });
    const second = await handle(store, counter, stream, 2, context());
    expect(second).to.deep.include({ state: 2, revision: 1n, position: 2n });
    const third = await handle(store, counter, stream, 2, context());
    expect(third).to.deep.include({ state: 2, revision: 1n, position: 2n, events: [] });
    expect(appends.map(({ expected }) => expected)).to.deep.equal(['no_stream', 0n]);
  });

  it('decides again when it was overtaken, under the same event ids', async () => {
    overtaken = 3;
    const { state } = await handle(store, counter, stream, 1000, context());
    expect(state).to.equal(4);
    expect(appends.map(({ expected }) => expected)).to.deep.equal(['no_stream', 0n, 1n, 2n]);
    expect(new Set(appends.map(({ events }) => events[0]?.id)).size).to.equal(1);
  });

  it('gives up when the stream keeps moving', async () => {
    overtaken = Infinity;
    expect(await codeOf(handle(store, counter, stream, 1000, context()))).to.equal('version_conflict');
    expect(appends).to.have.length(20);
  });

  it('passes on what is no conflict', async () => {
    const broken = { append: () => Promise.reject(new Error('disk full')) } as unknown as EventStore;
    const from = absent(counter);
    const error: unknown = await handle(broken, counter, stream, 1, context(), { from }).catch(
      (reason: unknown) => reason,
    );
    expect(error).to.have.property('message', 'disk full');
  });

  it('starts from what is known already, and from the stream once that proves old', async () => {
    await handle(store, counter, stream, 1, context());
    let reads = 0;
    const counting = new Proxy(store, {
      get: (target, name) => {
        if (name === 'readStream') reads++;
        return Reflect.get(target, name) as unknown;
      },
    });
    const from = await load(store, counter, stream);
    await handle(counting, counter, stream, 2, context(), { from });
    expect(reads).to.equal(0);
    const { state } = await handle(counting, counter, stream, 3, context(), { from: absent(counter) });
    expect([state, reads]).to.deep.equal([3, 1]);
  });

  it('lets the guard look at what the decision is taken from, each time', async () => {
    await handle(store, counter, stream, 1, context());
    overtaken = 1;
    const seen: (string | number | undefined)[] = [];
    await handle(store, counter, stream, 1000, context(), {
      guard: ({ state, orgId }) => void seen.push(state, orgId),
    });
    expect(seen).to.deep.equal([1, orgIdOf('acme'), 2, orgIdOf('acme')]);
    const guard = (): never => {
      throw new DomainError('not_found', 'no such user');
    };
    expect(await codeOf(handle(store, counter, stream, 1000, context(), { guard }))).to.equal('not_found');
    expect(await codeOf(handle(store, counter, stream, 0, context(), { guard }))).to.equal('not_found');
  });

  it('appends no data that does not meet its schema', async () => {
    const faulty = {
      ...counter,
      decide: () => [{ type: 'LoginFailed', data: { failed_at: 'now' } } as const],
    };
    const error: unknown = await handle(store, faulty, stream, 1, context()).catch(
      (reason: unknown) => reason,
    );
    expect(error).to.have.property('message').that.contains('LoginFailed does not meet its schema');
    expect(await world.store.head()).to.equal(0n);
  });

  it('says who, on whose request, and when it happened', async () => {
    const asked = { ...context(), requestId: 'req-1', occurredAt: '2025-12-31T00:00:00.000Z' };
    const { events } = await handle(store, counter, stream, 1, asked);
    expect(events[0]?.metadata).to.deep.include({
      org_id: orgIdOf('acme'),
      actor: { type: 'system', id: 'test' },
      command_id: asked.commandId,
      request_id: 'req-1',
      schema_version: 1,
      occurred_at: '2025-12-31T00:00:00.000Z',
    });
    const next = await handle(store, counter, stream, 2, context());
    expect(next.events[0]?.metadata.occurred_at).to.match(/^2026-01-01T/);
  });
});
