import { join, resolve } from 'node:path';
import type { OrganizationReader } from '../commands/organization/organizationReader.js';
import { isHeld } from '../commands/organization/state.js';
import type { RecoveryMail } from '../commands/recovery/act.js';
import type { Config } from '../config.js';
import { linkToken } from '../infra/links/linkToken.js';
import { CatcherMailer } from '../infra/mail/catcherMailer.js';
import { renderMail } from '../infra/mail/renderMail.js';
import { SmtpMailer } from '../infra/mail/smtpMailer.js';
import type { Logger } from '../kernel/logger.js';
import type { Mail, Mailer, MailOutcome } from '../kernel/ports.js';
import { PLACES } from '../workers/scheduler.js';
import type { Closers } from './closers.js';

export interface MailParts {
  readonly mailer: Mailer;
  /** The built-in catcher, when there is no SMTP host. */
  readonly catcher?: CatcherMailer;
}

export const openMail = (config: Config, logger: Logger, closers: Closers): MailParts => {
  if (config.smtpHost === undefined) {
    const catcher = new CatcherMailer(join(resolve(config.dataDir), 'mail'), config.smtpFrom);
    return { mailer: catcher, catcher };
  }
  const mailer = new SmtpMailer({
    host: config.smtpHost,
    port: config.smtpPort,
    user: config.smtpUser,
    password: config.smtpPassword,
    from: config.smtpFrom,
    maxConnections: PLACES.mail.total,
    logger,
  });
  closers.push('SMTP connections', () => mailer.close());
  return { mailer };
};

export interface RecoveryMailOptions {
  readonly organizationOf: OrganizationReader;
  readonly mailer: Mailer;
  readonly publicBaseUrl: string;
  readonly linkKey: Buffer;
  readonly logger: Logger;
  /** For all of it, ms. */
  readonly deadline?: number;
}

/** Well within the lease that was renewed just before: nobody else sends the mail meanwhile. */
const DEADLINE = 20_000;

const mailOf = async (options: RecoveryMailOptions, mail: RecoveryMail): Promise<Mail> => {
  const { organizationOf, publicBaseUrl, linkKey } = options;
  const state = await organizationOf(mail.orgId);
  const { template, category, amount, currency, messageId, to } = mail;
  const rendered = renderMail({
    template,
    merchantName: isHeld(state) ? state.name : '',
    amount,
    currency,
    link: `${publicBaseUrl}/r/${linkToken(mail.recoveryId, mail.linkExpiresAt, linkKey)}`,
    category,
    ...(to.name !== undefined && { customerName: to.name }),
  });
  return { messageId, to, ...rendered };
};

/** Renders a recovery mail with its signed link and sends it. Never throws: what failed on our side is logged. */
export const recoveryMailSender =
  (options: RecoveryMailOptions) =>
  async (recoveryMail: RecoveryMail): Promise<MailOutcome> => {
    const deadline = AbortSignal.timeout(options.deadline ?? DEADLINE);
    try {
      const mail = await mailOf(options, recoveryMail);
      return await options.mailer.send(mail, deadline);
    } catch (error) {
      options.logger.error({ err: error, recovery_id: recoveryMail.recoveryId }, 'mail not made');
      return { status: 'failed', permanent: false, reason: 'the mail could not be made' };
    }
  };
