import { expect } from 'chai';
import { categories, type Category } from '../../events/recovery.js';
import type { CategoryPolicy } from '../../events/organization.js';
import { tablesInForceOn } from '../recovery/classification/tables.js';
import { builtInPolicy } from './builtInPolicy.js';
import { policyFaults } from './policyFaults.js';

const AT = '2026-12-01T00:00:00.000Z';
const { version: _, categories: __, ...plain } = builtInPolicy;
const faultsOf = (over: Partial<typeof builtInPolicy>) => policyFaults({ ...plain, ...over }, AT);
const pointersOf = (over: Partial<typeof builtInPolicy>) => faultsOf(over).map(({ pointer }) => pointer);
const ofCategory = (category: Category, own: CategoryPolicy) => faultsOf({ categories: { [category]: own } });

describe('faults of retry policies', () => {
  it('are none in the built-in one', () => expect(policyFaults(builtInPolicy, AT)).to.deep.equal([]));

  it('are waits that may grow to less than the first', () => {
    expect(pointersOf({ initial_delay_minutes: 61, max_delay_minutes: 60 })).to.deep.equal([
      '/max_delay_minutes',
    ]);
    expect(pointersOf({ initial_delay_minutes: 60, max_delay_minutes: 60 })).to.deep.equal([]);
  });

  it('are hours that begin and end at once', () => {
    const never = { from: 9, to: 9 };
    expect(pointersOf({ preferred_hours: never, quiet_hours: never })).to.deep.equal([
      '/preferred_hours/to',
      '/quiet_hours/to',
    ]);
    expect(
      pointersOf({ preferred_hours: { from: 22, to: 6 }, quiet_hours: { from: 0, to: 23 } }),
    ).to.deep.equal([]);
  });

  it('are retries of what must not be charged again, of every such category', () => {
    for (const category of categories) {
      const { retry } = tablesInForceOn(AT).categories[category];
      const pointers = ofCategory(category, { max_retries: 1, waits_minutes: [60] }).map(
        ({ pointer }) => pointer,
      );
      const both = [`/categories/${category}/max_retries`, `/categories/${category}/waits_minutes`];
      expect(pointers, category).to.deep.equal(retry === 'allowed' ? [] : both);
      expect(ofCategory(category, { max_retries: 0 }), category).to.deep.equal([]);
    }
    expect(ofCategory('lost_stolen_fraud', { max_retries: 1 })).to.deep.equal([
      {
        pointer: '/categories/lost_stolen_fraud/max_retries',
        detail:
          'must be 0 or left out: the network or the issuer forbids every further charge, whatever a policy says',
      },
    ]);
  });

  it('are more retries for a category than for all, or than it bears', () => {
    expect(ofCategory('network_error', { max_retries: 5 })).to.deep.equal([
      {
        pointer: '/categories/network_error/max_retries',
        detail: 'must be at most 4, the max_retries of all categories',
      },
    ]);
    expect(ofCategory('network_error', { max_retries: 4 })).to.deep.equal([]);
    expect(ofCategory('issuer_risk', { max_retries: 2 })[0]?.detail).to.equal(
      'must be at most 1: more do harm after issuer_risk',
    );
  });
});
