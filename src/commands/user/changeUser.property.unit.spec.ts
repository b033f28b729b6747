import { expect } from 'chai';
import fc from 'fast-check';
import { codeOf, IdentityWorld } from '../../../test/support/identityWorld.js';
import type { Role } from '../../kernel/principal.js';
import { changeUser } from './changeUser.js';
import { createUser } from './createUser.js';
import { loadOrganization, loadUser, type User } from './member.js';
import { registerOrganization } from './register.js';

const password = 'password of ours';
const names = ['bob', 'cid', 'dan'] as const;

/** An organization with one founder and three more users, of whom one is an admin. */
const makeOrganization = async (world: IdentityWorld): Promise<readonly User[]> => {
  const input = { email: 'ann@example.com', password, orgName: 'Acme', orgSlug: 'acme' };
  const { user: ann } = await registerOrganization(world.process(), input, world.origin());
  const users = [ann];
  for (const name of names) {
    const role: Role = name === 'bob' ? 'admin' : 'user';
    const given = { email: `${name}@example.com`, password, role };
    users.push((await createUser(world.process(), given, world.by(ann))).user);
  }
  return users;
};

/** Everybody whom the organization counts is an active admin, and there is one. */
const checkAdmins = async (world: IdentityWorld, users: readonly User[]): Promise<readonly string[]> => {
  const { state } = await loadOrganization(world.store, users[0]?.orgId ?? '');
  const admins = state.status === 'active' ? state.admins : [];
  const active: string[] = [];
  for (const { id } of users) {
    const { state: user } = await loadUser(world.store, id);
    if (user.status === 'registered' && user.role === 'admin' && user.isActive) active.push(id);
  }
  expect(active).to.include.members([...admins]);
  expect(admins).not.to.deep.equal([]);
  return active;
};

interface Change {
  readonly who: number;
  readonly changes: { readonly role?: Role; readonly isActive?: boolean };
  /** Dies at this point of its appends; beyond the last it lives. */
  readonly dies: number;
}
const anyChange: fc.Arbitrary<Change> = fc.record({
  who: fc.nat(3),
  changes: fc.record(
    { role: fc.constantFrom<Role>('admin', 'user', 'viewer'), isActive: fc.boolean() },
    { requiredKeys: [] },
  ),
  dies: fc.oneof(fc.nat(7), fc.constant(99)),
});

describe('changing users, killed and interleaved at random', () => {
  it('never counts an admin who is none, never loses the last one, and the same change again completes it', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyChange, { minLength: 2, maxLength: 8 }),
        fc.scheduler(),
        async (changes, scheduler) => {
          const world = new IdentityWorld();
          const users = await makeOrganization(world);
          const [ann] = users;
          if (!ann) throw new Error('no founder');
          const pause = scheduler.scheduleFunction(() => Promise.resolve());
          const run = ({ who, changes: wanted, dies }: Change): Promise<string> => {
            let appended = 0;
            const deps = world.process(async () => {
              await pause();
              await checkAdmins(world, users);
              if (appended++ >= dies) throw new Error('killed');
            });
            const input = { userId: users[who]?.id ?? '', ...wanted };
            return codeOf(changeUser(deps, input, world.by(ann))).catch(() => 'killed');
          };
          const all = Promise.all(changes.map(run));
          await scheduler.waitFor(all);
          await all;
          await checkAdmins(world, users);

          for (const { who, changes: wanted } of changes) {
            const input = { userId: users[who]?.id ?? '', ...wanted };
            const code = await codeOf(changeUser(world.process(), input, world.by(ann)));
            expect(code).to.be.oneOf(['ok', 'last_admin']);
            if (code !== 'ok') continue;
            const { state } = await loadUser(world.store, input.userId);
            expect(state).to.include(wanted);
          }
          for (const { id } of users)
            await codeOf(changeUser(world.process(), { userId: id }, world.by(ann)));
          const active = await checkAdmins(world, users);
          const { state } = await loadOrganization(world.store, ann.orgId);
          if (state.status === 'active') expect([...state.admins].sort()).to.deep.equal([...active].sort());
        },
      ),
      { numRuns: 150 },
    );
  });
});
