import type { Dependencies } from '../dependencies.js';
import type { Route } from '../route.js';
import { analyticsRoutes } from './analytics.js';
import { auditRoutes } from './audit.js';
import { authRoutes } from './auth.js';
import { devMailRoutes } from './devMail.js';
import { declineRoutes } from './declines.js';
import { eventRoutes } from './events.js';
import { healthRoutes } from './health.js';
import { linkRoutes } from './links.js';
import { organizationRoutes } from './organization.js';
import { paymentRoutes } from './payments.js';
import { recoveryRoutes } from './recoveries.js';
import { ruleRoutes } from './rules.js';
import { simulationRoutes } from './simulation.js';
import { sandboxRoutes } from './sandbox.js';
import { userRoutes } from './users.js';
import { webhookRoutes } from './webhooks.js';

/** Express tries routes in this order: the busiest first. */
export const allRoutes = ({ environment, sandbox, mailCatcher }: Dependencies): readonly Route[] => [
  ...eventRoutes,
  ...recoveryRoutes,
  ...webhookRoutes,
  ...paymentRoutes,
  ...authRoutes,
  ...userRoutes,
  ...organizationRoutes,
  ...simulationRoutes, // before /v1/rules/{id}
  ...ruleRoutes,
  ...analyticsRoutes,
  ...declineRoutes,
  ...auditRoutes,
  ...healthRoutes,
  ...linkRoutes,
  ...(sandbox ? sandboxRoutes(sandbox) : []),
  ...(mailCatcher && environment === 'development' ? devMailRoutes(mailCatcher) : []),
];
