import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { meanings } from '../src/commands/recovery/classification/meaning.js';
import { allTables } from '../src/commands/recovery/classification/tables.js';
import { tablesDoc, writtenTables } from './support/declines/tablesDoc.js';

const text = readFileSync(fileURLToPath(new URL('../docs/declines.md', import.meta.url)), 'utf8');

describe('docs/declines.md', () => {
  it('holds the newest tables (npm run docs:declines writes them)', () =>
    expect(writtenTables()).to.equal(tablesDoc()));

  it('tells every category, how it is treated, and what it means', () => {
    const { categories } = allTables.at(-1) ?? expect.fail();
    for (const [category, { hardness, retry }] of Object.entries(categories)) {
      const meaning = meanings[category as keyof typeof meanings];
      expect(text).to.contain(`| ${category} | ${hardness} | ${retry} | ${meaning} |`);
    }
  });
});
