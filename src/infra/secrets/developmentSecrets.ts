import { randomBytes } from 'node:crypto';
import { chmod, link, mkdir, open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';

export interface StoredSecrets {
  readonly master_key: string;
  readonly password_pepper: string;
  readonly jwt_secret: string;
}

const FILE = 'secrets.json';

const makeSecrets = (): StoredSecrets => {
  const make = (): string => randomBytes(32).toString('base64');
  return { master_key: make(), password_pepper: make(), jwt_secret: make() };
};

const isStored = (value: unknown): value is StoredSecrets =>
  typeof value === 'object' &&
  value !== null &&
  (['master_key', 'password_pepper', 'jwt_secret'] as const).every((name) => {
    const text = (value as Partial<Record<string, unknown>>)[name];
    return typeof text === 'string' && Buffer.from(text, 'base64').length === 32;
  });

const codeOf = (error: unknown): unknown => (error as NodeJS.ErrnoException).code;

const read = async (path: string): Promise<StoredSecrets | undefined> => {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
  await chmod(path, 0o600);
  let stored: unknown;
  try {
    stored = JSON.parse(text);
  } catch {
    stored = undefined;
  }
  if (!isStored(stored))
    throw new Error(`${path} is damaged: restore it, or remove the data directory to start afresh`);
  return stored;
};

/** Durable before it has its name, so that a crash leaves either no file or a whole one. */
const write = async (path: string, secrets: StoredSecrets): Promise<void> => {
  const draft = `${path}.${randomBytes(8).toString('hex')}`;
  const file = await open(draft, 'wx', 0o600);
  try {
    await file.writeFile(`${JSON.stringify(secrets, undefined, 2)}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  try {
    // Unlike a rename, a link never replaces: of two processes that start together, both keep the first one's.
    await link(draft, path);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  } finally {
    await rm(draft, { force: true });
  }
};

/** The secrets of a development machine: made once, kept under the data directory, readable by the owner only. */
export const developmentSecrets = async (dataDir: string): Promise<StoredSecrets> => {
  const path = join(dataDir, FILE);
  const existing = await read(path);
  if (existing) return existing;
  await mkdir(dataDir, { recursive: true });
  await write(path, makeSecrets());
  const stored = await read(path);
  if (!stored) throw new Error(`${path} vanished while it was being made`);
  return stored;
};
