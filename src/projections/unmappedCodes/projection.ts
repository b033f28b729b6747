import type { Fact, FactOf } from '../../events/envelope.js';
import type { Evidence, RecoveryEvent } from '../../events/recovery.js';
import { cardBrandOf } from '../../kernel/cardBrand.js';
import type { Draft, Projection } from '../engine/projection.js';
import { foldOf, idIn, occurredAt } from '../fold.js';

export type UnmappedCodeRow = Readonly<{
  /** `<org>/<field>/<brand>/<value>` */
  key: string;
  org_id: string;
  field: string;
  brand: string;
  value: string;
  count: number;
  first_seen: string;
  last_seen: string;
  /** One that it was seen in: the first. */
  recovery_id: string;
}>;

/** Postgres holds neither NUL nor lone surrogates, and a provider may send either. */
const storable = (text: string): string => text.replaceAll('\0', '').replace(/[\ud800-\udfff]/gu, '\ufffd');

const keysOf = (event: Fact): readonly string[] => {
  const { unmapped = [], raw } = (event.data as { evidence: Evidence }).evidence;
  if (unmapped.length === 0) return [];
  const brand = cardBrandOf(raw);
  const keys = unmapped.map((each) => {
    const colon = each.indexOf(':');
    return `${event.metadata.org_id}/${each.slice(0, colon)}/${brand}/${storable(each.slice(colon + 1))}`;
  });
  return [...new Set(keys)];
};

/** The value may hold slashes itself. */
const parts = (key: string): readonly [org: string, field: string, brand: string, value: string] => {
  const [org = '', field = '', brand = '', ...value] = key.split('/');
  return [org, field, brand, value.join('/')];
};

const counted = (
  event: FactOf<RecoveryEvent>,
  key: string,
  row: Draft<UnmappedCodeRow> | undefined,
): UnmappedCodeRow => {
  const at = occurredAt(event);
  if (row !== undefined) {
    row.count += 1;
    if (at < row.first_seen) row.first_seen = at;
    if (at > row.last_seen) row.last_seen = at;
    return row;
  }
  const [org_id, field, brand, value] = parts(key);
  const recovery_id = idIn(event.stream);
  return { key, org_id, field, brand, value, count: 1, first_seen: at, last_seen: at, recovery_id };
};

/** Every code that no table knew when a failure was classified, per organization and brand. */
export const unmappedCodes: Projection<UnmappedCodeRow> = {
  version: 1,
  table: {
    name: 'unmapped_codes',
    columns: {
      key: 'text',
      org_id: 'uuid',
      field: 'text',
      brand: 'text',
      value: 'text',
      count: 'bigint',
      first_seen: 'timestamptz',
      last_seen: 'timestamptz',
      recovery_id: 'uuid',
    },
    indexes: [['org_id', 'count', 'key']],
  },
  keysOf,
  ...foldOf<UnmappedCodeRow, RecoveryEvent>(
    { RecoveryStarted: counted, FurtherFailureRecorded: counted, RetryDeclined: counted },
    {},
  ),
};
