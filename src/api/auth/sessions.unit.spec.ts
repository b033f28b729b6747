import { expect } from 'chai';
import { codeOf, IdentityWorld } from '../../../test/support/identityWorld.js';
import { changePassword } from '../../commands/user/changePassword.js';
import { changeUser } from '../../commands/user/changeUser.js';
import { createUser } from '../../commands/user/createUser.js';
import type { User } from '../../commands/user/member.js';
import type { IdentityDeps } from '../../commands/user/ports.js';
import { registerOrganization } from '../../commands/user/register.js';
import type { EventStore } from '../../events/eventStore.js';
import { DomainError } from '../../kernel/errors.js';
import { deriveId, type OrgId, orgIdOf } from '../../kernel/ids.js';
import { CachedSessions } from './sessions.js';
import type { Claims } from './tokens.js';

const password = 'password of ours';
let world: IdentityWorld;
let deps: IdentityDeps;
let sessions: CachedSessions;
let ann: User;
let bob: User;
let time: number;
let reads: number;

/** Counts the streams that are read, and lets a test hold a read up. */
const watched = (store: EventStore, hold: () => Promise<void> = () => Promise.resolve()): EventStore =>
  new Proxy(store, {
    get: (target, name) => {
      if (name === 'readStream')
        return async function* (...args: Parameters<EventStore['readStream']>) {
          reads++;
          const pages = [];
          for await (const page of target.readStream(...args)) pages.push(page);
          await hold();
          yield* pages;
        };
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
const claimsOf = (user: User): Claims => ({
  sub: user.id,
  org: user.orgId as OrgId,
  role: user.role,
  tv: user.tokenVersion,
  exp: 0,
});
const resolve = (user: User) => codeOf(sessions.resolve(claimsOf(user)));
const make = (maxUsers = 100, store = watched(world.store)) =>
  new CachedSessions({ store, maxUsers, monotonic: () => time });
const change = (by: IdentityDeps, changes: { role?: User['role']; isActive?: boolean }) =>
  changeUser(by, { userId: bob.id, ...changes }, world.by(ann));

beforeEach(async () => {
  world = new IdentityWorld();
  time = 0;
  reads = 0;
  sessions = make();
  deps = { ...world.process(), userChanged: (userId) => sessions.forget(userId) };
  const founder = { email: 'ann@example.com', password, orgName: 'Acme', orgSlug: 'acme' };
  ann = (await registerOrganization(deps, founder, world.origin())).user;
  const input = { email: 'bob@example.com', password, role: 'user' as const };
  bob = (await createUser(deps, input, world.by(ann))).user;
});

describe('sessions', () => {
  it('turn claims into a principal with the user', async () => {
    const session = await sessions.resolve(claimsOf(ann));
    expect(session).to.deep.include({
      actor: { type: 'user', id: ann.id },
      orgId: orgIdOf('acme'),
      role: 'admin',
    });
    expect(session.user).to.deep.equal(ann);
  });

  it('refuse claims that are not the user’s', async () => {
    const wrong: readonly Partial<Claims>[] = [
      { org: orgIdOf('other') },
      { role: 'viewer' },
      { tv: 1 },
      { sub: deriveId('nobody') as Claims['sub'] },
    ];
    for (const claims of wrong)
      expect(await codeOf(sessions.resolve({ ...claimsOf(ann), ...claims }))).to.equal('invalid_token');
  });

  it('end at once with a change of role, password or activity made here, and hold again with a new token', async () => {
    const changes: readonly (() => Promise<{ user: User }>)[] = [
      () => change(deps, { role: 'viewer' }),
      () => changePassword(deps, { current: password, next: 'the next one' }, world.by(bob)),
      () => change(deps, { role: 'auditor' }),
    ];
    for (const apply of changes) {
      expect(await resolve(bob)).to.equal('ok');
      const { user } = await apply();
      expect(await resolve(bob)).to.equal('invalid_token');
      bob = user;
      expect(await resolve(bob)).to.equal('ok');
    }
    const { user } = await change(deps, { isActive: false });
    expect(await resolve(user)).to.equal('invalid_token');
  });

  it('notice within a second what another process changed', async () => {
    expect(await resolve(bob)).to.equal('ok');
    await change(world.process(), { isActive: false });
    time = 999;
    expect(await resolve(bob)).to.equal('ok');
    time = 1000;
    expect(await resolve(bob)).to.equal('invalid_token');
  });

  it('read nothing while the state is trusted, and once for many requests', async () => {
    await resolve(bob);
    const before = reads;
    for (let n = 0; n < 100; n++) await resolve(bob);
    expect(reads).to.equal(before);
    time = 1000;
    await Promise.all(Array.from({ length: 100 }, () => resolve(bob)));
    expect(reads).to.equal(before + 1);
  });

  it('do not keep the answer of a read that a change overtook', async () => {
    let release = (): void => undefined;
    const held = new Promise<void>((done) => (release = done));
    sessions = make(
      100,
      watched(world.store, () => held),
    );
    const early = resolve(bob);
    await new Promise((done) => setImmediate(done));
    await change(deps, { isActive: false });
    release();
    await early;
    expect(await resolve(bob)).to.equal('invalid_token');
  });

  it('keep only as many users as they may, and none that does not exist', async () => {
    sessions = make(1);
    await resolve(ann);
    await codeOf(sessions.resolve({ ...claimsOf(ann), sub: deriveId('nobody') as Claims['sub'] }));
    const before = reads;
    await resolve(ann);
    expect(reads).to.equal(before);
    await resolve(bob);
    await resolve(ann);
    expect(reads).to.be.greaterThan(before + 1);
  });

  it('hold while the log cannot be reached, but not for ever, and not what was changed here', async () => {
    let down = false;
    sessions = make(
      100,
      watched(world.store, () =>
        down ? Promise.reject(new DomainError('unavailable', 'down')) : Promise.resolve(),
      ),
    );
    expect(await resolve(bob)).to.equal('ok');
    down = true;
    time += 2000;
    expect(await resolve(bob)).to.equal('ok');
    expect(await resolve(ann)).to.equal('unavailable');
    time += 16 * 60_000;
    expect(await resolve(bob)).to.equal('unavailable');
    down = false;
    expect(await resolve(bob)).to.equal('ok');
    sessions.forget(bob.id);
    down = true;
    expect(await resolve(bob)).to.equal('unavailable');
  });

  it('refuse a founder whose organization belongs to another', async () => {
    const input = { email: 'cid@example.com', password, orgName: 'Lost', orgSlug: 'lost' };
    let cid: User | undefined;
    let appends = 0;
    const slow = world.process(async (when, stream) => {
      if (when === 'before' && appends++ === 1) {
        world.now += 11 * 60_000;
        const taker = { ...input, email: 'eve@example.com' };
        await registerOrganization(world.process(), taker, world.origin());
      }
      if (when === 'after' && appends === 2) {
        cid = { ...ann, id: stream.slice('user-'.length) as User['id'], orgId: orgIdOf('lost') };
        throw new Error('killed');
      }
    });
    await registerOrganization(slow, input, world.origin()).catch(() => undefined);
    if (!cid) throw new Error('not registered');
    expect(await resolve(cid)).to.equal('invalid_token');
  });
});
