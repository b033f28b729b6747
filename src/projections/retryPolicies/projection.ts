import type { OrganizationEvent, RetryPolicy } from '../../events/organization.js';
import type { Actor } from '../../kernel/principal.js';
import type { Projection } from '../engine/projection.js';
import { foldOf, idIn, instant } from '../fold.js';

export type RetryPolicyRow = Readonly<{
  /** `<org>/<version>` */
  key: string;
  org_id: string;
  version: number;
  policy: RetryPolicy;
  set_at: string;
  set_by: Actor;
}>;

/** Every version of every organization's retry policy; the highest is the active one. */
export const retryPolicies: Projection<RetryPolicyRow> = {
  version: 1,
  table: {
    name: 'retry_policies',
    columns: {
      key: 'text',
      org_id: 'uuid',
      version: 'integer',
      policy: 'jsonb',
      set_at: 'timestamptz',
      set_by: 'jsonb',
    },
    indexes: [['org_id', 'version', 'key']],
  },
  keysOf: (event) => [`${idIn(event.stream)}/${(event.data as { version: number }).version}`],
  ...foldOf<RetryPolicyRow, OrganizationEvent>(
    {},
    {},
    {
      RetryPolicySet: ({ stream, data: { set_at, ...policy }, metadata }, key) => ({
        key,
        org_id: idIn(stream),
        version: policy.version,
        policy,
        set_at: instant(set_at),
        set_by: metadata.actor,
      }),
    },
  ),
};
