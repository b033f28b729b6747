import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { deriveKey } from './keys.js';
import { isStartRefused } from '../../kernel/errors.js';
import { resolveSecrets, type SecretSettings } from './resolveSecrets.js';
import { weaknessOf } from './weakness.js';

const strong = (): string => randomBytes(32).toString('base64');
let dataDir: string;
beforeEach(async () => (dataDir = await mkdtemp(join(tmpdir(), 'secrets-'))));
afterEach(() => rm(dataDir, { recursive: true }));

const settings = (given: Partial<SecretSettings> = {}): SecretSettings => ({
  environment: 'production',
  dataDir,
  jwtSecret: strong(),
  masterKey: randomBytes(32),
  passwordPepper: randomBytes(32),
  ...given,
});
const problemsOf = async (given: Partial<SecretSettings>): Promise<readonly string[]> => {
  try {
    await resolveSecrets(settings(given));
  } catch (error) {
    if (isStartRefused(error)) return error.problems;
    throw error;
  }
  return [];
};

describe('secrets outside development', () => {
  it('takes good ones as they are', async () => {
    const given = settings();
    const secrets = await resolveSecrets(given);
    expect(secrets.jwtSecret.toString()).to.equal(given.jwtSecret);
    expect(secrets.masterKey).to.equal(given.masterKey);
    expect(await readdir(dataDir)).to.deep.equal([]);
  });

  it('names every one that is missing and says how to make it', async () => {
    for (const environment of ['staging', 'production']) {
      const problems = await problemsOf({
        environment,
        jwtSecret: undefined,
        masterKey: undefined,
        passwordPepper: undefined,
      });
      expect(problems).to.have.length(3);
      for (const problem of problems)
        expect(problem).to.match(/^[A-Z_]+ is required .*openssl rand -base64 32$/);
    }
  });

  const weak = [
    'too-short',
    'a'.repeat(64),
    'abcdefgh'.repeat(8),
    '0123456789abcdefghijklmnopqrstuvwxyz',
    'change-me-change-me-change-me-please-1',
    'your-256-bit-secret-goes-in-here-ok?',
    'this_is_an_example_of_a_jwt_value_1234',
    'supersecretsupersecretsupersecret12345',
  ];
  for (const jwtSecret of weak)
    it(`refuses ${jwtSecret.slice(0, 20)} without repeating it`, async () => {
      const problems = await problemsOf({ jwtSecret });
      expect(problems).to.have.length(1);
      expect(problems[0]).to.match(/^JWT_SECRET (is shorter|looks like|has fewer|follows)/);
      expect(problems[0]).not.to.contain(jwtSecret);
    });

  it('refuses every JWT_SECRET that .env.example shows', async () => {
    const text = await readFile('.env.example', 'utf8').catch(() => '');
    for (const [, shown = ''] of text.matchAll(/^#?\s*JWT_SECRET=(.+)$/gm))
      expect(weaknessOf(shown.trim())).not.to.equal(undefined);
  });

  it('refuses keys that are not random or not their own', async () => {
    const sequence = Buffer.from(Array.from({ length: 32 }, (_, index) => index));
    for (const masterKey of [Buffer.alloc(32), sequence, sequence.map((byte) => 255 - 3 * byte)])
      expect(await problemsOf({ masterKey: Buffer.from(masterKey) })).to.have.length(1);
    const key = randomBytes(32);
    expect(await problemsOf({ masterKey: key, passwordPepper: key })).to.have.length(1);
    expect(await problemsOf({ masterKey: key, jwtSecret: key.toString('base64') })).to.have.length(1);
  });

  it('finds nothing wrong with random secrets', () => {
    for (let i = 0; i < 200; i++) {
      expect(weaknessOf(strong())).to.equal(undefined);
      expect(weaknessOf(randomBytes(32).toString('hex'))).to.equal(undefined);
    }
  });
});

describe('secrets in development', () => {
  const none = {
    environment: 'development',
    jwtSecret: undefined,
    masterKey: undefined,
    passwordPepper: undefined,
  };

  it('are made once, kept, and readable by the owner only', async () => {
    const first = await resolveSecrets(settings(none));
    const path = join(dataDir, 'secrets.json');
    expect((await stat(path)).mode & 0o777).to.equal(0o600);
    await chmod(path, 0o644);
    expect(await resolveSecrets(settings(none))).to.deep.equal(first);
    expect((await stat(path)).mode & 0o777).to.equal(0o600);
  });

  it('are the same for processes that start together', async () => {
    const all = await Promise.all(Array.from({ length: 16 }, () => resolveSecrets(settings(none))));
    for (const secrets of all) expect(secrets).to.deep.equal(all[0]);
    expect(await readdir(dataDir)).to.deep.equal(['secrets.json']);
  });

  it('give way to what is configured; a short JWT_SECRET is stretched', async () => {
    const masterKey = randomBytes(32);
    const secrets = await resolveSecrets(settings({ ...none, masterKey, jwtSecret: 'dev' }));
    expect(secrets.masterKey).to.equal(masterKey);
    expect(secrets.jwtSecret).to.have.length(32);
  });

  it('are not made anew over a damaged file', async () => {
    await writeFile(join(dataDir, 'secrets.json'), '{"master_key":"x"}');
    const error: unknown = await resolveSecrets(settings(none)).catch((reason: unknown) => reason);
    expect(String(error)).to.contain('is damaged');
  });
});

describe('derived keys', () => {
  it('differ by purpose and master, and stay the same', () => {
    const master = Buffer.alloc(32, 1);
    const keys = (['vault', 'links', 'identity'] as const).map((purpose) =>
      deriveKey(master, purpose).toString('hex'),
    );
    expect(new Set(keys).size).to.equal(3);
    expect(keys[0]).to.equal(deriveKey(master, 'vault').toString('hex'));
    expect(keys[0]).not.to.equal(deriveKey(Buffer.alloc(32, 2), 'vault').toString('hex'));
  });
});
