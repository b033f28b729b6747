import { expect } from 'chai';
import { codeOf, IdentityWorld } from '../../../test/support/identityWorld.js';
import { userStream } from '../../events/user.js';
import { deriveId, orgIdOf } from '../../kernel/ids.js';
import { isHeld } from '../organization/state.js';
import { changePassword } from './changePassword.js';
import { changeUser } from './changeUser.js';
import { createUser } from './createUser.js';
import { login } from './login.js';
import { loadOrganization, loadUser, type User } from './member.js';
import { registerOrganization } from './register.js';

let world: IdentityWorld;
let ann: User;
const password = 'password of ours';
const register = async (email: string, orgSlug: string): Promise<User> => {
  const input = { email, password, orgName: orgSlug, orgSlug };
  return (await registerOrganization(world.process(), input, world.origin())).user;
};
beforeEach(async () => {
  world = new IdentityWorld();
  ann = await register('ann@example.com', 'acme');
});
const signIn = (email: string, given = password) =>
  login(world.process(), { email, password: given }, world.origin());
const invite = (by: User, email: string, role: User['role'] = 'user') =>
  createUser(world.process(), { email, password, role }, world.by(by)).then(({ user }) => user);
const settle = () => new Promise((resolve) => setTimeout(resolve, 5));

describe('login', () => {
  it('gives user, organization and position, and is recorded', async () => {
    const { user, organization, position } = await signIn('Ann@Example.com');
    expect(user.id).to.equal(ann.id);
    expect(organization.slug).to.equal('acme');
    expect(position).to.equal(await world.store.head());
    expect(await world.types(userStream(ann.id))).to.deep.equal(['UserRegistered', 'UserLoggedIn']);
  });

  it('answers every refusal alike, after exactly one comparison', async () => {
    const bob = await invite(ann, 'bob@example.com');
    await changeUser(world.process(), { userId: bob.id, isActive: false }, world.by(ann));
    const attempts = [
      ['ann@example.com', 'wrong'],
      ['nobody@example.com', password],
      ['bob@example.com', password],
      ['bob@example.com', 'wrong'],
    ] as const;
    const answers = [];
    for (const [email, given] of attempts) {
      world.hasher.comparisons = 0;
      const error: unknown = await signIn(email, given).catch((reason: unknown) => reason);
      expect(world.hasher.comparisons).to.equal(1);
      const { code, message, errors } = error as { code: string; message: string; errors: unknown };
      answers.push({ code, message, errors });
    }
    for (const answer of answers) expect(answer).to.deep.equal(answers[0]);
    expect(answers[0]?.code).to.equal('invalid_credentials');
  });

  it('looks up user, organization and credential of an unknown address too', async () => {
    const lookUps = async (email: string): Promise<number> => {
      let count = 0;
      const deps = world.process();
      const store = new Proxy(deps.store, {
        get: (target, name) => {
          if (name === 'readStream') count++;
          const value: unknown = Reflect.get(target, name);
          return typeof value === 'function' ? (value.bind(target) as unknown) : value;
        },
      });
      const vault = new Proxy(deps.vault, {
        get: (target, name) => {
          if (name === 'get') count++;
          const value: unknown = Reflect.get(target, name);
          return typeof value === 'function' ? (value.bind(target) as unknown) : value;
        },
      });
      const noRecord = { ...deps, store, vault };
      await login(noRecord, { email, password: 'wrong' }, world.origin()).catch(() => undefined);
      return count;
    };
    expect(await lookUps('nobody@example.com')).to.equal(3);
  });

  it('records failures of known users only', async () => {
    await codeOf(signIn('ann@example.com', 'wrong'));
    await codeOf(signIn('nobody@example.com', 'wrong'));
    await settle();
    expect(await world.types(userStream(ann.id))).to.deep.equal(['UserRegistered', 'LoginFailed']);
  });

  it('holds no password in any event', async () => {
    await signIn('ann@example.com');
    for await (const lines of world.store.readLines({ after: 0n }))
      for (const line of lines) expect(line).not.to.contain(password);
  });
});

describe('creating users', () => {
  it('makes members who can log in, with their role', async () => {
    for (const role of ['admin', 'user', 'viewer', 'auditor'] as const) {
      const made = await invite(ann, `${role}@example.com`, role);
      expect(made).to.include({ role, orgId: ann.orgId, invitedBy: ann.id, isActive: true });
      expect((await signIn(`${role}@example.com`)).user.id).to.equal(made.id);
    }
  });

  it('is for admins only', async () => {
    const user = await invite(ann, 'bob@example.com');
    expect(await codeOf(invite(user, 'cid@example.com'))).to.equal('forbidden');
  });

  it('refuses a taken address, also one of another organization', async () => {
    await register('dora@example.com', 'other');
    expect(await codeOf(invite(ann, 'dora@example.com'))).to.equal('email_taken');
    expect(await codeOf(invite(ann, 'ann@example.com'))).to.equal('email_taken');
  });

  it('gives one address to one of sixteen at once', async () => {
    const codes = await Promise.all(Array.from({ length: 16 }, () => codeOf(invite(ann, 'bob@example.com'))));
    expect(codes.filter((code) => code === 'ok')).to.have.length(1);
    expect(codes.filter((code) => code === 'email_taken')).to.have.length(15);
  });
});

describe('changing users', () => {
  const change = (by: User, userId: string, changes: { role?: User['role']; isActive?: boolean }) =>
    changeUser(world.process(), { userId, ...changes }, world.by(by));

  it('changes role and activity, and tells whose sessions to drop', async () => {
    const bob = await invite(ann, 'bob@example.com');
    world.changed.length = 0;
    const { user, position } = await change(ann, bob.id, { role: 'viewer', isActive: false });
    expect(user).to.include({ role: 'viewer', isActive: false, tokenVersion: 2 });
    expect(world.changed).to.include(bob.id);
    expect(position).to.equal(await world.store.head());
    expect((await change(ann, bob.id, { isActive: true })).user.isActive).to.equal(true);
  });

  it('does nothing when there is nothing to change', async () => {
    const head = await world.store.head();
    await change(ann, ann.id, { role: 'admin', isActive: true });
    expect(await world.store.head()).to.equal(head);
  });

  it('keeps the last active admin', async () => {
    expect(await codeOf(change(ann, ann.id, { role: 'user' }))).to.equal('last_admin');
    expect(await codeOf(change(ann, ann.id, { isActive: false }))).to.equal('last_admin');
    const bob = await invite(ann, 'bob@example.com', 'admin');
    expect(await codeOf(change(ann, ann.id, { role: 'user' }))).to.equal('ok');
    expect(await codeOf(change(bob, bob.id, { isActive: false }))).to.equal('last_admin');
  });

  it("answers another organization's user like an unknown one", async () => {
    const dora = await register('dora@example.com', 'other');
    expect(await codeOf(change(ann, dora.id, { role: 'user' }))).to.equal('not_found');
    expect(await codeOf(change(ann, deriveId('nobody'), { role: 'user' }))).to.equal('not_found');
  });

  it('is for admins only', async () => {
    const bob = await invite(ann, 'bob@example.com');
    expect(await codeOf(change(bob, bob.id, { role: 'admin' }))).to.equal('forbidden');
  });
});

describe('changing users, killed', () => {
  const dying = (by: User, userId: string, changes: { role?: User['role'] }, point: number) =>
    codeOf(changeUser(world.dyingAt(point), { userId, ...changes }, world.by(by)));
  const adminsOf = async (user: User): Promise<readonly string[]> => {
    const { state } = await loadOrganization(world.store, user.orgId);
    return isHeld(state) ? state.admins : [];
  };

  it('between revocation and change: the same again completes it, the opposite takes it back', async () => {
    const bob = await invite(ann, 'bob@example.com', 'admin');
    expect(await dying(ann, bob.id, { role: 'user' }, 1)).to.equal('killed');
    expect(await adminsOf(ann)).to.deep.equal([ann.id]);
    await changeUser(world.process(), { userId: bob.id, role: 'admin' }, world.by(ann));
    expect(await adminsOf(ann)).to.deep.equal([ann.id, bob.id]);
    expect(await dying(ann, bob.id, { role: 'user' }, 1)).to.equal('killed');
    const { user } = await changeUser(world.process(), { userId: bob.id, role: 'user' }, world.by(ann));
    expect(user.role).to.equal('user');
  });

  it('between change and grant: the same again completes it', async () => {
    const bob = await invite(ann, 'bob@example.com');
    expect(await dying(ann, bob.id, { role: 'admin' }, 1)).to.equal('killed');
    expect(await adminsOf(ann)).to.deep.equal([ann.id]);
    await changeUser(world.process(), { userId: bob.id, role: 'admin' }, world.by(ann));
    expect(await adminsOf(ann)).to.deep.equal([ann.id, bob.id]);
  });
});

describe('changing the own password', () => {
  const change = (by: User, current: string, next = 'the next one') =>
    changePassword(world.process(), { current, next }, world.by(by));

  it('replaces it and raises the token version', async () => {
    expect((await change(ann, password)).user.tokenVersion).to.equal(1);
    expect(await codeOf(signIn('ann@example.com'))).to.equal('invalid_credentials');
    expect(await codeOf(signIn('ann@example.com', 'the next one'))).to.equal('ok');
  });

  it('needs the current one', async () => {
    expect(await codeOf(change(ann, 'wrong'))).to.equal('invalid_credentials');
    expect((await loadUser(world.store, ann.id)).state.tokenVersion).to.equal(0);
  });

  it('is not done in the name of another organization', async () => {
    expect(await codeOf(change({ ...ann, orgId: orgIdOf('other') }, password))).to.equal('not_found');
  });
});
