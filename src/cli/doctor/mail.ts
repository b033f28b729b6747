import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { Config } from '../../config.js';
import { SmtpMailer } from '../../infra/mail/smtpMailer.js';
import { silentLogger } from '../../kernel/logger.js';
import type { Check } from '../services.js';

const TIMEOUT_MS = 5_000;

/** The directory itself, or the nearest one above it that is there: what would be made is made in it. */
const nearest = async (directory: string): Promise<string> => {
  const there = await access(directory).then(
    () => true,
    () => false,
  );
  return there || dirname(directory) === directory ? directory : nearest(dirname(directory));
};

const catcherCheck = async ({ dataDir }: Config): Promise<Check> => {
  const directory = resolve(dataDir);
  const base = { name: 'mail', severity: 'error' } as const;
  try {
    await access(await nearest(directory), constants.W_OK);
    return { ...base, ok: true, detail: `no SMTP_HOST: mails are kept under ${directory}` };
  } catch {
    const detail = `mails cannot be kept: ${directory} is not writable`;
    return { ...base, ok: false, detail, fix: 'Make it writable, or set DATA_DIR to a directory that is.' };
  }
};

/** Connects, secures the connection and logs in as a mail would, and sends nothing. */
const serverCheck = async (config: Config & { smtpHost: string }): Promise<Check> => {
  const { smtpHost: host, smtpPort: port, smtpUser: user, smtpPassword: password, smtpFrom: from } = config;
  const base = { name: 'mail', severity: 'error' } as const;
  let mailer: SmtpMailer | undefined;
  try {
    mailer = new SmtpMailer({ host, port, user, password, from, logger: silentLogger, timeout: TIMEOUT_MS });
    await mailer.verify();
    return { ...base, ok: true, detail: `${host}:${port} takes mails` };
  } catch (error) {
    const detail = `${host}:${port}: ${(error as Error).message}`;
    return { ...base, ok: false, detail, fix: 'Check SMTP_HOST, SMTP_PORT, SMTP_USER and SMTP_PASSWORD.' };
  } finally {
    mailer?.close();
  }
};

export const mailCheck = (config: Config): Promise<Check> =>
  config.smtpHost === undefined
    ? catcherCheck(config)
    : serverCheck({ ...config, smtpHost: config.smtpHost });
