import { expect } from 'chai';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCli } from '../../test/support/cli.js';
import { tablesOfVersion } from '../commands/recovery/classification/tables.js';
import { printable, toJson } from './output.js';

describe('recovery declines', () => {
  let dir: string;
  before(async () => (dir = await mkdtemp(join(tmpdir(), 'recovery-declines-'))));
  after(() => rm(dir, { recursive: true, force: true }));

  const fileOf = async (name: string, content: unknown): Promise<string> => {
    const path = join(dir, name);
    await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content));
    return path;
  };
  const file = tablesOfVersion('2026-11-29')?.file ?? expect.fail();

  it('tables lists the versions with their sources, without a database', async () => {
    const { out, calls } = await runCli(['declines', 'tables']);
    expect(calls).to.deep.equal([]);
    expect(out.split('\n')).to.have.length(3);
    expect(out).to.match(/^2026-11-24\t2026-11-24T00:00:00.000Z\tfalse\t\d+\t.*Visa Core Rules/m);
    const { data } = JSON.parse((await runCli(['declines', 'tables', '--json'])).out) as {
      data: { version: string; sources: object }[];
    };
    expect(data.map(({ version }) => version)).to.deep.equal(['2026-11-24', '2026-11-29']);
    expect(data[1]?.sources).to.deep.equal(file.sources);
  });

  it('classify tells what codes mean, by the tables of a day', async () => {
    const codes = ['--network-code', '83', '--brand', 'MasterCard', '--code', 'fl\u001b[31mux'];
    const { out, calls } = await runCli(['declines', 'classify', ...codes]);
    expect(calls).to.deep.equal([]);
    expect(out.split('\n')).to.deep.equal([
      'issuer_risk (soft); the same method again: after_change',
      'The bank suspects fraud; one late attempt at most makes sense, or the customer confirms the payment.',
      'by network_code 83, tables 2026-11-29',
      'not in the tables: code:fl\\u{1b}[31mux',
    ]);
    const day = ['--code', 'card_decline_rate_limit_exceeded', '--on'];
    const frozen = await runCli(['declines', 'classify', ...day, '2026-12-01', '--json']);
    expect(JSON.parse(frozen.out)).to.include({
      earliest_at: '2026-12-02T00:00:00.000Z',
      category: 'velocity_limit',
    });
    const before = await runCli(['declines', 'classify', ...day, '2026-11-28', '--json']);
    expect(JSON.parse(before.out)).to.not.have.property('earliest_at');
  });

  const refused: readonly [string, string][] = [
    ['--code', 'x'.repeat(101)],
    ['--decline-code', ''],
    ['--brand', ''],
    ['--message', 'x'.repeat(1_001)],
    ['--on', '9999-12-31'],
  ];
  for (const [option, value] of refused)
    it(`classify refuses ${option} with "${value.slice(0, 10)}"`, async () => {
      const { code, err } = await runCli(['declines', 'classify', option, value]);
      expect(code).to.equal(2);
      expect(err).to.contain(option).and.contain('Give ');
    });

  it('classify tells truly what advice alone means', async () => {
    const { out } = await runCli(['declines', 'classify', '--advice-code', '03']);
    expect(out).to.contain('forbids another attempt').and.not.contain('careful attempts');
  });

  describe('reclassify', () => {
    const reclassify = (...args: string[]) => runCli(['declines', 'reclassify', ...args]);

    it('only looks, and says how tables are adopted', async () => {
      const { code, err, calls } = await reclassify('--table', '2026-11-29');
      expect({ code, calls }).to.deep.equal({ code: 2, calls: [] });
      expect(err).to.contain('adopted by shipping them').and.contain('--dry-run');
    });

    it('wants a table', async () => {
      const { code, err } = await reclassify('--dry-run');
      expect(code).to.equal(2);
      expect(err).to.contain('--table');
    });

    it('says which tables there are when there is none of that name', async () => {
      const { code, err } = await reclassify('--dry-run', '--table', '1999-01-01');
      expect(code).to.equal(2);
      expect(err).to.contain('no table version and no file 1999-01-01').and.contain('2026-11-24, 2026-11-29');
    });

    it('refuses a file that is no table, with the place and what is allowed', async () => {
      const text = await fileOf('text.json', '{ "version": ');
      expect((await reclassify('--dry-run', '--table', text)).err).to.contain('text.json is not JSON');
      const groups = [{ ...file.groups[0], rows: [{ codes: ['a', 'a'], category: 'poor' }] }];
      const bad = await reclassify('--dry-run', '--table', await fileOf('bad.json', { ...file, groups }));
      expect(bad.code).to.equal(3);
      expect(bad.calls).to.deep.equal([]);
      expect(bad.err).to.contain(
        '- /groups/0/rows/0/category: must be one of insufficient_funds, issuer_decline,',
      );
      const twice = [{ ...file.groups[0], rows: [{ codes: ['a', 'a'], category: 'unknown' }] }];
      const again = await reclassify(
        '--dry-run',
        '--json',
        '--table',
        await fileOf('twice.json', { ...file, groups: twice }),
      );
      const { error } = JSON.parse(again.err) as { error: { code: string; problems: string[] } };
      expect(error.code).to.equal('validation_failed');
      expect(error.problems).to.deep.equal([
        '/groups/0/rows/0/codes/1: is listed twice in this group: each code once',
      ]);
    });

    it('refuses a file that is no JSON, with its line and column', async () => {
      const path = await fileOf('broken.json', '{\n  "version": "v2",\n}');
      const { code, err } = await reclassify('--dry-run', '--table', path);
      expect(code).to.equal(2);
      expect(err).to.contain('broken.json is not JSON: line 3, column 1.').and.contain('docs/declines.md');
    });

    it('refuses other tables under the version of those that were shipped', async () => {
      const other = await fileOf('other.json', { ...file, summary: 'Ours.' });
      const { code, err } = await reclassify('--dry-run', '--table', other);
      expect(code).to.equal(3);
      expect(err).to.contain('/version: must be a version of its own');
      expect((await reclassify('--dry-run', '--table', await fileOf('same.json', file))).code).to.equal(0);
    });

    it('refuses a time that ends before it begins', async () => {
      const when = ['--from', '2026-12-02', '--to', '2026-12-01'];
      const { code, err, calls } = await reclassify('--dry-run', '--table', '2026-11-29', ...when);
      expect({ code, calls }).to.deep.equal({ code: 2, calls: [] });
      expect(err).to.contain('give a later --to');
    });

    it('takes a file that begins with a byte order mark', async () => {
      const path = await fileOf('bom.json', `\uFEFF${JSON.stringify({ ...file, version: 'v2' })}`);
      expect((await reclassify('--dry-run', '--table', path)).code).to.equal(0);
    });

    it('takes a file, and an empty history', async () => {
      const path = await fileOf('v2.json', { ...file, version: 'v2' });
      const { code, out } = await reclassify('--dry-run', '--table', path);
      expect({ code, out }).to.deep.equal({
        code: 0,
        out: '0 failures read by tables v2: 0 recoveries would have gone elsewhere.',
      });
    });
  });
});

describe('printable', () => {
  it('shows every sign that would steer a terminal', () => {
    expect(printable('a\u001b]0;x\u0007b\r\nc\u0085\u202ed\u200be\u2028')).to.equal(
      'a\\u{1b}]0;x\\u{7}b\\u{d}\\u{a}c\\u{85}\\u{202e}d\\u{200b}e\\u{2028}',
    );
    expect(printable('do_not_honor Ä 支付 😀')).to.equal('do_not_honor Ä 支付 😀');
  });

  it('JSON says the same in escapes that read back', () => {
    const value = { code: 'a\u009b31m\u202eb\u{e0001}\u0007', n: 4711n };
    const text = toJson(value);
    expect(text).to.equal('{"code":"a\\u009b31m\\u202eb\\udb40\\udc01\\u0007","n":"4711"}');
    expect(JSON.parse(text)).to.deep.equal({ ...value, n: '4711' });
  });
});
