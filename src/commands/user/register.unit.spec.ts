import { expect } from 'chai';
import fc from 'fast-check';
import { codeOf, IdentityWorld } from '../../../test/support/identityWorld.js';
import { organizationStream } from '../../events/organization.js';
import { userStream } from '../../events/user.js';
import { MINUTE } from '../../kernel/clock.js';
import { orgIdOf, userIdOf } from '../../kernel/ids.js';
import { isHeld } from '../organization/state.js';
import { createUser } from './createUser.js';
import { login } from './login.js';
import { asUser, loadOrganization, loadUser } from './member.js';
import type { IdentityDeps } from './ports.js';
import { registerOrganization } from './register.js';

let world: IdentityWorld;
beforeEach(() => (world = new IdentityWorld()));

const key = Buffer.alloc(32, 9);
const idOf = (email: string) => userIdOf(email, key);
const input = (email: string, orgSlug: string, password = 'password of ours') => ({
  email,
  password,
  orgName: `The ${orgSlug}`,
  orgSlug,
});
const register = (email: string, slug: string, deps: IdentityDeps = world.process(), password?: string) =>
  registerOrganization(deps, input(email, slug, password), world.origin());
const signIn = (email: string, password = 'password of ours') =>
  login(world.process(), { email, password }, world.origin());
const founderOf = async (slug: string): Promise<string | undefined> => {
  const { state } = await loadOrganization(world.store, orgIdOf(slug));
  return state.status === 'active' ? state.founderId : undefined;
};
/** Points before and after each of the three appends. */
const POINTS = [0, 1, 2, 3, 4, 5];
const ann = 'ann@example.com';
const bob = 'bob@example.com';

describe('registration', () => {
  it('makes an organization and its first admin', async () => {
    const { user, organization, position } = await register(ann, 'acme');
    expect(user).to.include({
      id: idOf(ann),
      email: ann,
      role: 'admin',
      isActive: true,
      orgId: orgIdOf('acme'),
    });
    expect(organization).to.include({
      id: orgIdOf('acme'),
      slug: 'acme',
      status: 'active',
      founderId: user.id,
    });
    expect(organization.admins).to.deep.equal([user.id]);
    expect(position).to.equal(await world.store.head());
    expect(world.changed).to.include(user.id);
    expect((await signIn(ann)).organization.id).to.equal(organization.id);
  });

  it('refuses a taken address, in any spelling, and leaves the slug free', async () => {
    await register(ann, 'acme');
    expect(await codeOf(register(' ANN@Example.com', 'other'))).to.equal('email_taken');
    expect(await codeOf(register(ann, 'acme'))).to.equal('email_taken');
    expect(await codeOf(register(bob, 'other'))).to.equal('ok');
  });

  it('refuses a taken slug and leaves the address free', async () => {
    await register(ann, 'acme');
    expect(await codeOf(register(bob, 'acme'))).to.equal('slug_taken');
    expect(await codeOf(register(bob, 'other'))).to.equal('ok');
  });

  it('hashes nothing for an address or a slug that is taken for good', async () => {
    await register(ann, 'acme');
    let hashes = 0;
    const deps = world.process();
    const hasher = { ...world.hasher, decoy: '', hash: () => Promise.resolve(`hash ${++hashes}`) };
    expect(await codeOf(register(bob, 'acme', { ...deps, hasher }))).to.equal('slug_taken');
    expect(await codeOf(register(ann, 'other', { ...deps, hasher }))).to.equal('email_taken');
    expect(hashes).to.equal(0);
  });

  it('refuses the address of an invited user', async () => {
    const { user } = await register(ann, 'acme');
    const role = 'viewer' as const;
    await createUser(world.process(), { email: bob, password: 'pw of bob', role }, world.by(user));
    expect(await codeOf(register(bob, 'other'))).to.equal('email_taken');
  });
});

describe('registration killed', () => {
  for (const point of POINTS) {
    const isDone = point === 5;

    it(`at point ${point}: the same again finishes it`, async () => {
      expect(await codeOf(register(ann, 'acme', world.dyingAt(point)))).to.equal('killed');
      expect(await codeOf(register(ann, 'acme'))).to.equal(isDone ? 'email_taken' : 'ok');
      expect(await founderOf('acme')).to.equal(idOf(ann));
      expect((await signIn(ann)).user.role).to.equal('admin');
      expect(await world.types(userStream(idOf(ann)))).to.deep.equal(['UserRegistered', 'UserLoggedIn']);
    });

    it(`at point ${point}: the same again, killed again at every point, finishes it`, async () => {
      for (const again of POINTS) {
        world = new IdentityWorld();
        await codeOf(register(ann, 'acme', world.dyingAt(point)));
        await codeOf(register(ann, 'acme', world.dyingAt(again)));
        await codeOf(register(ann, 'acme'));
        expect(await founderOf('acme')).to.equal(idOf(ann));
        expect(await codeOf(signIn(ann))).to.equal('ok');
      }
    });

    it(`at point ${point}: the slug is kept for ten minutes, then another may have it unless the founder came`, async () => {
      await codeOf(register(ann, 'acme', world.dyingAt(point)));
      const founderCame = point >= 3;
      if (point > 0) expect(await codeOf(register(bob, 'acme'))).to.equal('slug_taken');
      world.now += 10 * MINUTE;
      expect(await codeOf(register(bob, 'acme'))).to.equal(founderCame ? 'slug_taken' : 'ok');
      expect(await founderOf('acme')).to.equal(idOf(founderCame ? ann : bob));
      expect(await codeOf(signIn(ann))).to.equal(founderCame ? 'ok' : 'invalid_credentials');
      if (!founderCame) expect(await codeOf(register(ann, 'elsewhere'))).to.equal('ok');
    });

    it(`at point ${point}: the address may go elsewhere unless it is taken already`, async () => {
      await codeOf(register(ann, 'acme', world.dyingAt(point)));
      const founderCame = point >= 3;
      expect(await codeOf(register(ann, 'elsewhere'))).to.equal(founderCame ? 'email_taken' : 'ok');
      // A founder who settled elsewhere frees the slug at once.
      expect(await codeOf(register(bob, 'acme'))).to.equal(founderCame ? 'slug_taken' : 'ok');
      expect(await codeOf(signIn(ann))).to.equal('ok');
    });
  }

  it('between user and confirmation: the first login completes it', async () => {
    await codeOf(register(ann, 'acme', world.dyingAt(3)));
    expect((await signIn(ann)).organization.admins).to.deep.equal([idOf(ann)]);
  });

  it('between user and confirmation: another password does not get in', async () => {
    await codeOf(register(ann, 'acme', world.dyingAt(3)));
    expect(await codeOf(register(ann, 'acme', world.process(), 'another password'))).to.equal('email_taken');
    expect(await codeOf(signIn(ann, 'another password'))).to.equal('invalid_credentials');
    expect(await codeOf(register(ann, 'acme'))).to.equal('ok');
  });
});

describe('registration overtaken', () => {
  /** A process that runs `meanwhile` before the append to a stream of the kind given. */
  const slowBefore = (nth: number, meanwhile: () => Promise<unknown>): IdentityDeps => {
    let appends = 0;
    return world.process(async (when) => {
      if (when === 'before' && appends++ === nth) await meanwhile();
    });
  };

  it('before the user: a slow founder never becomes a member of the organization they lost', async () => {
    const slow = slowBefore(1, async () => {
      world.now += 11 * MINUTE;
      await register(bob, 'acme');
    });
    expect(await codeOf(register(ann, 'acme', slow))).to.equal('slug_taken');
    expect(await founderOf('acme')).to.equal(idOf(bob));
    expect(await codeOf(signIn(ann))).to.equal('invalid_credentials');
    expect(await codeOf(register(ann, 'elsewhere'))).to.equal('ok');
  });

  it('before the user, and killed there: the orphan cannot log in and is released for a new registration', async () => {
    let appends = 0;
    const doomed = world.process(async (when) => {
      if (when === 'before' && appends++ === 1) {
        world.now += 11 * MINUTE;
        await register(bob, 'acme');
      }
      if (when === 'after' && appends === 2) throw new Error('killed');
    });
    await register(ann, 'acme', doomed).catch(() => undefined);
    const { state } = await loadUser(world.store, idOf(ann));
    expect(state.status).to.equal('registered');
    expect(await codeOf(signIn(ann))).to.equal('invalid_credentials');
    expect(await codeOf(register(ann, 'acme'))).to.equal('slug_taken');
    const { state: acme } = await loadOrganization(world.store, orgIdOf('acme'));
    const admin = asUser(idOf(bob), (await loadUser(world.store, idOf(bob))).state);
    expect(isHeld(acme) && acme.founderId).to.equal(admin.id);
    const invited = { email: ann, password: 'password of ours', role: 'user' } as const;
    expect(await codeOf(createUser(world.process(), invited, world.by(admin)))).to.equal('ok');
    for await (const page of world.store.readStream(userStream(idOf(ann))))
      for (const { type, metadata } of page)
        if (type === 'UserReleased')
          expect(metadata.actor).to.deep.equal({ type: 'system', id: 'registration' });
    expect((await signIn(ann)).organization.slug).to.equal('acme');
  });

  it('before the confirmation: somebody else confirms, nobody takes the organization away', async () => {
    const slow = slowBefore(2, async () => {
      world.now += 11 * MINUTE;
      expect(await codeOf(register(bob, 'acme'))).to.equal('slug_taken');
    });
    expect(await codeOf(register(ann, 'acme', slow))).to.equal('email_taken');
    expect(await codeOf(signIn(ann))).to.equal('ok');
  });

  it('before the user, by the same address elsewhere: the claim is released', async () => {
    const slow = slowBefore(1, () => register(ann, 'elsewhere'));
    expect(await codeOf(register(ann, 'acme', slow))).to.equal('email_taken');
    expect(await world.types(organizationStream(orgIdOf('acme')))).to.deep.equal([
      'OrganizationRegistered',
      'OrganizationReleased',
    ]);
    expect(await codeOf(register(bob, 'acme'))).to.equal('ok');
  });
});

describe('sixteen registrations at once', () => {
  const races: Readonly<Record<string, (n: number) => readonly [string, string]>> = {
    'on one slug': (n) => [`user${n}@example.com`, 'acme'],
    'on one address': (n) => [ann, `acme-${n}`],
    'that are the same': () => [ann, 'acme'],
  };
  for (const [what, of] of Object.entries(races))
    it(`${what}: exactly one wins, in any order of steps`, async () => {
      await fc.assert(
        fc.asyncProperty(fc.scheduler(), async (scheduler) => {
          world = new IdentityWorld();
          const deps = (): IdentityDeps => world.process(scheduler.scheduleFunction(() => Promise.resolve()));
          const all = Promise.all(Array.from({ length: 16 }, (_, n) => codeOf(register(...of(n), deps()))));
          await scheduler.waitFor(all);
          const codes = await all;
          expect(codes.filter((code) => code === 'ok')).to.have.length(1);
          expect(codes.filter((code) => !['ok', 'email_taken', 'slug_taken'].includes(code))).to.deep.equal(
            [],
          );
          const [email, slug] = of(codes.indexOf('ok'));
          expect(await codeOf(signIn(email))).to.equal('ok');
          if (what !== 'that are the same') expect(await founderOf(slug)).to.equal(idOf(email));
          for (let n = 0; n < 16; n++) {
            const { state } = await loadOrganization(world.store, orgIdOf(of(n)[1]));
            expect(isHeld(state)).to.equal(of(n)[1] === slug);
          }
        }),
        { numRuns: 20 },
      );
    });
});
