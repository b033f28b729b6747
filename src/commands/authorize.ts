import { DomainError } from '../kernel/errors.js';
import type { Actor, Principal, Role } from '../kernel/principal.js';

type Machine = Exclude<Actor['type'], 'user'>;
interface Rule {
  readonly roles: readonly Role[];
  readonly machines: readonly Machine[];
}

const rule = (roles: readonly Role[], ...machines: readonly Machine[]): Rule => ({ roles, machines });
const anyRole: readonly Role[] = ['admin', 'user', 'viewer', 'auditor'];
const nobody: readonly Role[] = [];

/** Who may do what: the roles of a logged-in user, and the machines that act by themselves. */
const rules = {
  'organization.set_retry_policy': rule(['admin'], 'system'),
  'organization.connect_psp': rule(['admin'], 'system'),
  'rules.change': rule(['admin'], 'system'),
  'user.create': rule(['admin']),
  'user.change': rule(['admin']),
  'user.change_password': rule(anyRole),
  'payment.record_failure': rule(['admin', 'user'], 'psp', 'system'),
  'payment.record_success': rule(['admin', 'user'], 'psp', 'system'),
  'recovery.start': rule(nobody, 'system'),
  'recovery.record_failure': rule(nobody, 'system'),
  'recovery.succeed': rule(nobody, 'system', 'psp'),
  'recovery.retry': rule(nobody, 'system'),
  'recovery.notify': rule(nobody, 'system'),
  'recovery.expire': rule(nobody, 'system'),
  'recovery.cancel': rule(['admin', 'user'], 'system'),
  'recovery.open_link': rule(nobody, 'customer'),
  'recovery.open_checkout': rule(nobody, 'customer'),
} as const satisfies Readonly<Record<string, Rule>>;

export type CommandName = keyof typeof rules;
export const commandNames = Object.keys(rules) as readonly CommandName[];

const allows = ({ roles, machines }: Rule, { actor, role }: Principal): boolean =>
  actor.type === 'user' ? role !== undefined && roles.includes(role) : machines.includes(actor.type);

/** @throws DomainError `forbidden` when this principal's role or kind may not give the command */
export const authorize = (principal: Principal, command: CommandName): void => {
  if (!allows(rules[command], principal))
    throw new DomainError('forbidden', `${principal.role ?? principal.actor.type} may not do ${command}`);
};

/**
 * The stream about to be touched belongs to the principal's organization.
 * @throws DomainError `not_found` otherwise: another tenant's id looks like an unknown one
 */
export const assertOwn = (principal: Principal, orgId: string | undefined, what: string): void => {
  if (orgId !== principal.orgId) throw new DomainError('not_found', `no such ${what}`);
};
