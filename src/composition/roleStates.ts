import type { ServeRole } from '../cli/services.js';
import type { Standing } from '../infra/postgres/leadership.js';

export type RoleState = 'starting' | 'working' | Standing | 'stopping';

/** What the roles of this process are doing, as its readiness tells. */
export class RoleStates {
  readonly #states = new Map<ServeRole, RoleState>();
  #stopping = false;

  begin(roles: readonly ServeRole[]): void {
    for (const role of roles) this.#states.set(role, 'starting');
  }

  set(role: ServeRole, state: 'working' | Standing): void {
    if (!this.#stopping) this.#states.set(role, state);
  }

  stop(): void {
    this.#stopping = true;
    for (const role of this.#states.keys()) this.#states.set(role, 'stopping');
  }

  has(role: ServeRole): boolean {
    return this.#states.has(role);
  }

  all(): readonly (readonly [ServeRole, RoleState])[] {
    return [...this.#states];
  }
}
