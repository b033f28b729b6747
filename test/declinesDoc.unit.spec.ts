import { expect } from 'chai';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { classify } from '../src/commands/recovery/classification/classify.js';
import { compileTables } from '../src/commands/recovery/classification/compileTables.js';
import { type TableFile, TableFileSchema } from '../src/commands/recovery/classification/tableFile.js';
import { meanings } from '../src/commands/recovery/classification/meaning.js';
import { allTables } from '../src/commands/recovery/classification/tables.js';
import { runCli } from './support/cli.js';
import { tablesDoc, writtenTables } from './support/declines/tablesDoc.js';

const text = readFileSync(fileURLToPath(new URL('../docs/declines.md', import.meta.url)), 'utf8');
const newest = allTables.at(-1) ?? expect.fail();

/** What follows a command line in the document. */
const shownAfter = (line: string): string =>
  /^\$ .*\n([^]*?)\n```/m.exec(text.slice(text.indexOf(`$ ${line}\n`)))?.[1] ?? expect.fail(line);

describe('docs/declines.md', () => {
  it('holds the newest tables (npm run docs:declines writes them)', () =>
    expect(writtenTables()).to.equal(tablesDoc()));

  it('tells every category, how it is treated, and what it means', () => {
    for (const [category, { hardness, retry }] of Object.entries(newest.file.categories)) {
      const meaning = meanings[category as keyof typeof meanings];
      expect(text).to.contain(`| ${category} | ${hardness} | ${retry} | ${meaning} |`);
    }
  });

  it('shows what `declines classify` answers', async () => {
    const line = 'declines classify --network-code 83 --brand mastercard --decline-code flux';
    expect((await runCli(line.split(' '))).out).to.equal(shownAfter(`recovery ${line}`));
  });

  it('shows the form of a table file by one that can be used', () => {
    const [, shown] = /### The form of a table file[^]*?```json\n([^]*?)```/.exec(text) ?? [];
    const draft = JSON.parse(shown ?? '') as TableFile;
    const categories = { ...newest.file.categories, ...draft.categories };
    const tables = compileTables({ ...draft, categories });
    const [row] = draft.groups[0]?.rows ?? [];
    const at = '2027-01-02T00:00:00.000Z';
    expect(classify({ code: 'ACQ_51_A', card_brand: 'visa' }, at, tables).category).to.equal(row?.category);
    expect(draft.categories.issuer_risk).to.deep.equal(newest.file.categories.issuer_risk);
    for (const property of Object.keys(TableFileSchema.properties))
      expect(shown).to.contain(`"${property}":`);
  });

  it('shows how a table file is refused', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'recovery-draft-'));
    try {
      const [first, ...groups] = newest.file.groups;
      const [one, two, ...rows] = first?.rows ?? [];
      const messages = { source: 'own', patterns: [{ pattern: '(lost', category: 'lost_stolen_fraud' }] };
      const twice = { ...two, codes: [...(two?.codes ?? []), ...(one?.codes ?? [])] };
      const draft = {
        ...newest.file,
        groups: [{ ...first, rows: [one, twice, ...rows] }, ...groups],
        messages,
      };
      await writeFile(join(dir, 'draft.json'), JSON.stringify(draft));
      const { err } = await runCli([
        'declines',
        'reclassify',
        '--table',
        join(dir, 'draft.json'),
        '--dry-run',
      ]);
      expect(err).to.equal(shownAfter('recovery declines reclassify --table draft.json --dry-run'));
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
  });
});
