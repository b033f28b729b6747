import { expect } from 'chai';
import { IdentityWorld } from '../../../test/support/identityWorld.js';
import { type OrgId, orgIdOf } from '../../kernel/ids.js';
import type { Role } from '../../kernel/principal.js';
import { organizationReader } from '../organization/organizationReader.js';
import { adminsReader } from './admins.js';
import { changeUser } from './changeUser.js';
import { createUser } from './createUser.js';
import { registerOrganization } from './register.js';

const password = 'password of ours';

describe('the admins of an organization', () => {
  const setUp = async () => {
    const world = new IdentityWorld();
    const deps = world.process();
    const account = { email: 'ann@example.com', password, orgName: 'Acme', orgSlug: 'acme' };
    const { user: ann } = await registerOrganization(deps, account, world.origin());
    const invite = async (email: string, role: Role, fullName?: string) => {
      const input = { email, password, role, ...(fullName !== undefined && { fullName }) };
      return (await createUser(deps, input, world.by(ann))).user;
    };
    const change = (userId: string, to: { role?: Role; isActive?: boolean }) =>
      changeUser(deps, { userId, ...to }, world.by(ann));
    const adminsOf = adminsReader(world.store, organizationReader(world.store));
    return { invite, change, admins: (orgId: OrgId = orgIdOf('acme')) => adminsOf(orgId) };
  };

  it('are mailed by name where it is known, nobody else is', async () => {
    const { invite, admins } = await setUp();
    await invite('bob@example.com', 'admin', 'Bob');
    for (const role of ['user', 'viewer', 'auditor'] as const) await invite(`${role}@example.com`, role);
    expect(await admins()).to.deep.equal([
      { address: 'ann@example.com' },
      { address: 'bob@example.com', name: 'Bob' },
    ]);
  });

  it('are those of now: who left or was sent away is not mailed, who became one is', async () => {
    const { invite, change, admins } = await setUp();
    const bob = await invite('bob@example.com', 'admin');
    const eve = await invite('eve@example.com', 'user');
    await change(bob.id, { isActive: false });
    await change(eve.id, { role: 'admin' });
    const addresses = (await admins()).map(({ address }) => address);
    expect(addresses).to.deep.equal(['ann@example.com', 'eve@example.com']);
  });

  it('are none where there is no organization', async () => {
    const { admins } = await setUp();
    expect(await admins(orgIdOf('nobody'))).to.deep.equal([]);
  });
});
