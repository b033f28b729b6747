import { declineHistory, recoveryOf } from '../../../test/support/declines/history.js';
import { given } from '../../../test/support/projectionSpec.js';
import { orgIdOf } from '../../kernel/ids.js';
import { unmappedCodes } from './projection.js';

const [acme, other] = [orgIdOf('acme'), orgIdOf('other')];
const at = '2026-12-01T10:00:00.000Z';
const later = (day: number): string => `2026-12-0${day}T10:00:00.000Z`;

describe('unmapped codes', () => {
  const one = { org: acme, ref: 'one', at };
  it('counts each code per organization, field and brand, with when it was seen and an example', () => {
    const history = declineHistory([
      {
        ...one,
        failures: [
          { decline_code: 'flux', card_brand: 'Visa' },
          { decline_code: 'flux', card_brand: 'visa' },
        ],
      },
      { org: acme, ref: 'two', at: later(3), failures: [{ decline_code: 'flux', card_brand: 'VISA' }] },
      {
        org: acme,
        ref: 'three',
        at,
        failures: [{ decline_code: 'flux' }, { code: 'flux', card_brand: 'mc' }],
        declined: true,
      },
      { org: other, ref: 'one', at, failures: [{ decline_code: 'flux', card_brand: 'visa' }] },
    ]);
    const spec = given(unmappedCodes, ...history);
    spec.thenRows(4);
    spec.thenRow(`${acme}/decline_code/visa/flux`, {
      key: `${acme}/decline_code/visa/flux`,
      org_id: acme,
      field: 'decline_code',
      brand: 'visa',
      value: 'flux',
      count: 3,
      first_seen: at,
      last_seen: later(3),
      recovery_id: recoveryOf(one),
    });
    spec.thenRow(`${acme}/decline_code/unknown/flux`, { count: 1 });
    spec.thenRow(`${acme}/code/mastercard/flux`, { count: 1, first_seen: later(2) });
    spec.thenRow(`${other}/decline_code/visa/flux`, { count: 1 });
  });

  it('counts what another code decided, and nothing that a table knows', () => {
    const failures = [{ decline_code: 'stolen_card', code: 'flux' }, { decline_code: 'insufficient_funds' }];
    const spec = given(unmappedCodes, ...declineHistory([{ ...one, failures }]));
    spec.thenRows(1);
    spec.thenRow(`${acme}/code/unknown/flux`, { count: 1 });
  });

  it('takes any word: slashes and colons, and none that a table cannot hold', () => {
    const failures = [{ code: 'a/b:c' }, { code: 'nul\0' }, { code: 'lone\ud800' }];
    const spec = given(unmappedCodes, ...declineHistory([{ ...one, failures }]));
    spec.thenRows(3);
    spec.thenRow(`${acme}/code/unknown/a/b:c`, { value: 'a/b:c', field: 'code' });
    spec.thenRow(`${acme}/code/unknown/nul`, { value: 'nul' });
    spec.thenRow(`${acme}/code/unknown/lone\ufffd`, { value: 'lone\ufffd' });
  });
});
