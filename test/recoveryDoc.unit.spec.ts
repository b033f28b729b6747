import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { categories } from '../src/events/recovery.js';
import { networkLimits } from '../src/commands/credential/networkLimits.js';
import { generatedPart, partNames, writtenPart } from './support/recoveryDoc.js';

const text = readFileSync(fileURLToPath(new URL('../docs/recovery.md', import.meta.url)), 'utf8');

describe('docs/recovery.md', () => {
  for (const name of partNames)
    it(`holds the ${name} of the code (npm run docs:recovery writes them)`, () =>
      expect(writtenPart(name)).to.equal(generatedPart(name)));

  it('tells of every category, and of every limit with its source and date', () => {
    for (const category of categories) expect(text).to.contain(`| ${category} |`);
    for (const { effectiveFrom, brands, others } of networkLimits) {
      expect(text).to.contain(effectiveFrom.slice(0, 10));
      for (const { name, source } of [...Object.values(brands).flat(), ...others])
        expect(text).to.contain(`\`${name}\``).and.contain(source);
    }
  });
});
