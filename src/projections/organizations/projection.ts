import { type OrganizationEvent, organizationStream, type PspProvider } from '../../events/organization.js';
import type { Projection } from '../engine/projection.js';
import { foldOf, instant, keyOfStream } from '../fold.js';

export type OrganizationRow = Readonly<{
  /** The organization's id. */
  key: string;
  /** The same: an organization is its own tenant. */
  org_id: string;
  name: string;
  slug: string;
  is_active: boolean;
  /** The PSP connected last; null while none is. */
  psp_provider: PspProvider | null;
  psp_connected_at: string | null;
  created_at: string;
}>;

/** Organizations by id; one whose registration was given up leaves no row. */
export const organizations: Projection<OrganizationRow> = {
  version: 1,
  table: {
    name: 'organizations',
    columns: {
      key: 'uuid',
      org_id: 'uuid',
      name: 'text',
      slug: 'text',
      is_active: 'boolean',
      psp_provider: 'text',
      psp_connected_at: 'timestamptz',
      created_at: 'timestamptz',
    },
    indexes: [],
  },
  keysOf: keyOfStream,
  streamOf: organizationStream,
  ...foldOf<OrganizationRow, OrganizationEvent>(
    {
      OrganizationRegistered: ({ data }, key) => ({
        key,
        org_id: key,
        name: data.name,
        slug: data.slug,
        is_active: true,
        psp_provider: null,
        psp_connected_at: null,
        created_at: instant(data.registered_at),
      }),
    },
    {
      OrganizationReleased: () => null,
      PspConnected: (row, { data }) => ({
        ...row,
        psp_provider: data.provider,
        psp_connected_at: instant(data.connected_at),
      }),
    },
  ),
};
