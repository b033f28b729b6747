import { analytics } from './analytics/projection.js';
import type { Projection, Row } from './engine/projection.js';
import { organizations } from './organizations/projection.js';
import { payments } from './payments/projection.js';
import { recoveries } from './recoveries/projection.js';
import { retryPolicies } from './retryPolicies/projection.js';
import { rules } from './rules/projection.js';
import { timers } from './timers/projection.js';
import { unmappedCodes } from './unmappedCodes/projection.js';
import { users } from './users/projection.js';

/** Forgets the row type: safe, because the engine hands a fold only rows which that fold made. */
const untyped = <R extends Row>(projection: Projection<R>): Projection => projection as unknown as Projection;

/** Every read model. A release that changes several rebuilds them in this order: first what the scheduler waits for. */
export const projections: readonly Projection[] = [
  untyped(timers),
  untyped(recoveries),
  untyped(payments),
  untyped(organizations),
  untyped(users),
  untyped(retryPolicies),
  untyped(rules),
  untyped(analytics),
  untyped(unmappedCodes),
];
