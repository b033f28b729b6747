import { expect } from 'chai';
import { roles, type Actor, type Principal, type Role } from '../kernel/principal.js';
import { orgIdOf } from '../kernel/ids.js';
import { assertOwn, authorize, commandNames, type CommandName } from './authorize.js';

const orgId = orgIdOf('acme');
const user = (role?: Role): Principal => ({
  actor: { type: 'user', id: 'u' },
  orgId,
  ...(role !== undefined && { role }),
});
const machine = (type: Actor['type']): Principal => ({ actor: { type, id: 'm' }, orgId });
const may = (principal: Principal, command: CommandName): boolean => {
  try {
    authorize(principal, command);
    return true;
  } catch (error) {
    expect(error).to.have.property('code', 'forbidden');
    return false;
  }
};

describe('authorize', () => {
  const allowed: Readonly<Record<string, readonly Role[]>> = {
    'user.create': ['admin'],
    'user.change': ['admin'],
    'user.change_password': ['admin', 'user', 'viewer', 'auditor'],
    'organization.set_retry_policy': ['admin'],
    'organization.connect_psp': ['admin'],
    'rules.change': ['admin'],
    'payment.record_failure': ['admin', 'user'],
    'payment.record_success': ['admin', 'user'],
    'recovery.cancel': ['admin', 'user'],
  };

  for (const command of commandNames)
    it(`lets exactly the listed roles do ${command}`, () => {
      expect(roles.filter((role) => may(user(role), command))).to.deep.equal(allowed[command] ?? []);
    });

  it('refuses a user without a role, whatever the command', () => {
    for (const command of commandNames) expect(may(user(), command)).to.equal(false);
  });

  it('lets machines do only what is theirs', () => {
    const of = (type: Actor['type']) => commandNames.filter((command) => may(machine(type), command));
    expect(of('psp')).to.deep.equal(['payment.record_failure', 'payment.record_success', 'recovery.succeed']);
    expect(of('customer')).to.deep.equal(['recovery.open_link', 'recovery.open_checkout']);
    expect(of('system')).not.to.include.members(['user.create', 'user.change', 'user.change_password']);
  });

  it("answers another tenant's id like an unknown one", () => {
    expect(() => assertOwn(user('admin'), orgIdOf('other'), 'user')).to.throw('no such user');
    expect(() => assertOwn(user('admin'), undefined, 'user')).to.throw('no such user');
    assertOwn(user('admin'), orgId, 'user');
  });
});
