import { join, resolve } from 'node:path';
import type { OrganizationReader } from '../commands/organization/organizationReader.js';
import { isHeld } from '../commands/organization/state.js';
import type { MerchantAlert, RecoveryMail } from '../commands/recovery/act.js';
import { meanings } from '../commands/recovery/classification/meaning.js';
import type { AdminsReader } from '../commands/user/admins.js';
import type { Config } from '../config.js';
import { categories } from '../events/category.js';
import { linkToken } from '../infra/links/linkToken.js';
import { CatcherMailer } from '../infra/mail/catcherMailer.js';
import { renderAlert } from '../infra/mail/renderAlert.js';
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

/** What every mail of a recovery is made and sent with. */
interface Sending {
  readonly organizationOf: OrganizationReader;
  readonly mailer: Mailer;
  readonly publicBaseUrl: string;
  readonly logger: Logger;
  /** For all of it, ms. */
  readonly deadline?: number;
}
export interface RecoveryMailOptions extends Sending {
  readonly linkKey: Buffer;
}
export interface MerchantAlertOptions extends Sending {
  readonly adminsOf: AdminsReader;
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

const sendWithin = async (
  { mailer, logger, deadline = DEADLINE }: Sending,
  recoveryId: string,
  make: () => Promise<Mail | MailOutcome>,
): Promise<MailOutcome> => {
  const signal = AbortSignal.timeout(deadline);
  try {
    const made = await make();
    return 'status' in made ? made : await mailer.send(made, signal);
  } catch (error) {
    logger.error({ err: error, recovery_id: recoveryId }, 'mail not made');
    return { status: 'failed', permanent: false, reason: 'the mail could not be made' };
  }
};

/** Renders a recovery mail with its signed link and sends it. Never throws: what failed on our side is logged. */
export const recoveryMailSender =
  (options: RecoveryMailOptions) =>
  (mail: RecoveryMail): Promise<MailOutcome> =>
    sendWithin(options, mail.recoveryId, () => mailOf(options, mail));

const alertOf = async (
  { organizationOf, adminsOf, publicBaseUrl }: MerchantAlertOptions,
  { orgId, recoveryId, messageId, cause, reason, ...payment }: MerchantAlert,
): Promise<Mail | MailOutcome> => {
  const [state, to] = await Promise.all([organizationOf(orgId), adminsOf(orgId)]);
  if (to.length === 0) return { status: 'failed', permanent: true, reason: 'no admin can be mailed' };
  const category = categories.find((one) => one === cause);
  const rendered = renderAlert({
    ...payment,
    merchantName: isHeld(state) ? state.name : '',
    reason: category === undefined ? reason : meanings[category],
    ...(category !== undefined && { category }),
    link: `${publicBaseUrl}/v1/recoveries/${recoveryId}`,
  });
  return { messageId, to, ...rendered };
};

/** Renders a mail to the merchant and sends it to the organization's admins, all in one. Never throws. */
export const merchantAlertSender =
  (options: MerchantAlertOptions) =>
  (alert: MerchantAlert): Promise<MailOutcome> =>
    sendWithin(options, alert.recoveryId, () => alertOf(options, alert));
