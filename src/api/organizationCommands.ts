import type { CommandContext } from '../commands/context.js';
import type { PspProvider, RetryPolicy } from '../events/organization.js';
import type { RetryPolicyValues } from '../commands/organization/decide.js';
import type { Position } from '../events/envelope.js';

export interface PspSecrets {
  readonly provider: PspProvider;
  readonly api_key?: string;
  readonly webhook_secret?: string;
}

/** Commands on the organization. */
export interface OrganizationCommands {
  setRetryPolicy(
    policy: RetryPolicyValues,
    context: CommandContext,
  ): Promise<{ policy: RetryPolicy; position: Position }>;
  connectPsp(connection: PspSecrets, context: CommandContext): Promise<Position>;
}
