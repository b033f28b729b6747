import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { brandWords } from '../src/kernel/cardBrand.js';

const text = readFileSync(fileURLToPath(new URL('../docs/rules.md', import.meta.url)), 'utf8');

describe('docs/rules.md', () => {
  for (const [brand, words] of Object.entries(brandWords))
    it(`lists the words for ${brand}`, () => {
      const told = words.split(' ').map((word) => `\`${word}\``);
      expect(text).to.contain(`| \`${brand}\` | ${told.join(', ')}`);
    });
});
