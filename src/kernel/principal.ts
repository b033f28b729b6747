import type { OrgId } from './ids.js';

export const roles = ['admin', 'user', 'viewer', 'auditor'] as const;
export type Role = (typeof roles)[number];

/** Who did it, as written into every event. */
export interface Actor {
  readonly type: 'user' | 'system' | 'psp' | 'customer';
  readonly id: string;
}

/** Who asks, and for which organization: the organization comes from a verified token, signature or stream. */
export interface Principal {
  readonly actor: Actor;
  readonly orgId: OrgId;
  /** Present for users only; the others are limited by the commands they are wired to. */
  readonly role?: Role;
}
