import { createHash } from 'node:crypto';
import { StartRefused } from '../../kernel/errors.js';
import { developmentSecrets } from './developmentSecrets.js';
import { weaknessOf } from './weakness.js';

/** The settings that secrets come from, as the configuration names them. */
export interface SecretSettings {
  readonly environment: string;
  readonly dataDir: string;
  readonly jwtSecret: string | undefined;
  readonly masterKey: Buffer | undefined;
  readonly passwordPepper: Buffer | undefined;
}

export interface Secrets {
  readonly jwtSecret: Buffer;
  readonly masterKey: Buffer;
  readonly passwordPepper: Buffer;
}

const HOW = 'make one with: openssl rand -base64 32';
const MIN_BYTES = 32;

const keyProblem = (name: string, key: Buffer | undefined, environment: string): string | undefined => {
  if (!key) return `${name} is required when ENVIRONMENT is ${environment}; ${HOW}`;
  // 32 random bytes have about 30 different values and steps between them; fewer than 16 never happens by chance.
  const steps = key.subarray(1).map((byte, index) => byte - (key[index] ?? 0));
  const isRandom = new Set(key).size >= 16 && new Set(steps).size >= 16;
  return isRandom ? undefined : `${name} is not random; ${HOW}`;
};

const jwtProblem = (secret: string | undefined, environment: string): string | undefined => {
  if (secret === undefined) return `JWT_SECRET is required when ENVIRONMENT is ${environment}; ${HOW}`;
  const weakness = weaknessOf(secret);
  return weakness === undefined ? undefined : `JWT_SECRET ${weakness}; ${HOW}`;
};

const sharedProblem = ({ masterKey, passwordPepper, jwtSecret }: SecretSettings): string | undefined => {
  const keys = [masterKey?.toString('base64'), passwordPepper?.toString('base64'), jwtSecret];
  const given = keys.filter((key) => key !== undefined);
  return new Set(given).size < given.length
    ? 'MASTER_KEY, PASSWORD_PEPPER and JWT_SECRET must differ from each other'
    : undefined;
};

/** What keeps the secrets from being used, without making or writing any. */
export const secretProblems = (settings: SecretSettings): string[] => {
  const { environment, masterKey, passwordPepper, jwtSecret } = settings;
  if (environment === 'development') return [];
  return [
    keyProblem('MASTER_KEY', masterKey, environment),
    keyProblem('PASSWORD_PEPPER', passwordPepper, environment),
    jwtProblem(jwtSecret, environment),
    sharedProblem(settings),
  ].filter((problem) => problem !== undefined);
};

const strict = (settings: SecretSettings): Secrets => {
  const { masterKey, passwordPepper, jwtSecret } = settings;
  const problems = secretProblems(settings);
  if (problems.length > 0 || !masterKey || !passwordPepper || jwtSecret === undefined)
    throw new StartRefused(problems);
  return { masterKey, passwordPepper, jwtSecret: Buffer.from(jwtSecret) };
};

/** A short JWT_SECRET is let through in development, but a short key never signs: it is stretched. */
const longEnough = (secret: string): Buffer => {
  const bytes = Buffer.from(secret);
  return bytes.length >= MIN_BYTES ? bytes : createHash('sha256').update(bytes).digest();
};

/**
 * The secrets to run with. In development what is not given is made once and kept under the data directory;
 * elsewhere each must be given and fit for use.
 * @throws StartRefused
 */
export const resolveSecrets = async (settings: SecretSettings): Promise<Secrets> => {
  if (settings.environment !== 'development') return strict(settings);
  const { jwtSecret, masterKey, passwordPepper, dataDir } = settings;
  if (jwtSecret !== undefined && masterKey && passwordPepper)
    return { jwtSecret: longEnough(jwtSecret), masterKey, passwordPepper };
  const kept = await developmentSecrets(dataDir);
  return {
    jwtSecret: longEnough(jwtSecret ?? kept.jwt_secret),
    masterKey: masterKey ?? Buffer.from(kept.master_key, 'base64'),
    passwordPepper: passwordPepper ?? Buffer.from(kept.password_pepper, 'base64'),
  };
};
