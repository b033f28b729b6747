import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { categories } from '../src/events/category.js';
import { explained, explanationCases } from './support/explanationCases.js';

interface Told {
  readonly events: readonly { readonly type: string; readonly explanation?: { readonly chosen: string } }[];
  readonly otherwise: { readonly evidence: object };
}
const file = new URL('support/explanations.json', import.meta.url);
const golden = JSON.parse(readFileSync(file, 'utf8')) as Readonly<Record<string, Told>>;

/** `npm run docs:explanations` writes them anew. */
describe('explanations as merchants read them', () => {
  for (const [name, one] of Object.entries(explanationCases))
    it(name, () => expect(JSON.parse(JSON.stringify(explained(one)))).to.deep.equal(golden[name]));

  it('are of these cases and no others, of every category and of each kind of step', () => {
    expect(Object.keys(golden)).to.deep.equal(Object.keys(explanationCases));
    expect(Object.keys(golden)).to.include.members([...categories]);
    const chosen = Object.values(golden).flatMap(({ events }) =>
      events.flatMap(({ explanation }) => (explanation ? [explanation.chosen] : [])),
    );
    expect(chosen).to.include.members(['retry', 'notify', 'close']);
  });
});
