import type { Dependencies } from '../dependencies.js';
import type { Route } from '../route.js';
import { analyticsRoutes } from './analytics.js';
import { auditRoutes } from './audit.js';
import { authRoutes } from './auth.js';
import { eventRoutes } from './events.js';
import { healthRoutes } from './health.js';
import { organizationRoutes } from './organization.js';
import { paymentRoutes } from './payments.js';
import { recoveryRoutes } from './recoveries.js';
import { userRoutes } from './users.js';
import { webhookRoutes } from './webhooks.js';

/** Express tries routes in this order: the busiest first. */
export const allRoutes = (_deps: Dependencies): readonly Route[] => [
  ...eventRoutes,
  ...recoveryRoutes,
  ...webhookRoutes,
  ...paymentRoutes,
  ...authRoutes,
  ...userRoutes,
  ...organizationRoutes,
  ...analyticsRoutes,
  ...auditRoutes,
  ...healthRoutes,
];
