import { join, resolve } from 'node:path';
import { organizationDecider } from '../commands/organization/decide.js';
import { isHeld } from '../commands/organization/state.js';
import { load } from '../commands/handle.js';
import type { RecoveryMail } from '../commands/recovery/act.js';
import type { Config } from '../config.js';
import type { EventStore } from '../events/eventStore.js';
import { organizationStream } from '../events/organization.js';
import { linkToken } from '../infra/links/linkToken.js';
import { CatcherMailer } from '../infra/mail/catcherMailer.js';
import { renderMail } from '../infra/mail/renderMail.js';
import { SmtpMailer } from '../infra/mail/smtpMailer.js';
import type { Logger } from '../kernel/logger.js';
import type { Mailer, MailOutcome } from '../kernel/ports.js';
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
    logger,
  });
  closers.push('SMTP connections', () => mailer.close());
  return { mailer };
};

export interface RecoveryMailOptions {
  readonly store: EventStore;
  readonly mailer: Mailer;
  readonly publicBaseUrl: string;
  readonly linkKey: Buffer;
}

/** Renders a recovery mail with its signed link and sends it. */
export const recoveryMailSender =
  ({ store, mailer, publicBaseUrl, linkKey }: RecoveryMailOptions) =>
  async (mail: RecoveryMail): Promise<MailOutcome> => {
    const { state } = await load(store, organizationDecider, organizationStream(mail.orgId));
    const link = `${publicBaseUrl}/r/${linkToken(mail.recoveryId, mail.linkExpiresAt, linkKey)}`;
    const { template, category, amount, currency, messageId, to } = mail;
    const merchantName = isHeld(state) ? state.name : '';
    const rendered = renderMail({
      template,
      merchantName,
      amount,
      currency,
      link,
      category,
      ...(to.name !== undefined && { customerName: to.name }),
    });
    return mailer.send({ messageId, to, ...rendered });
  };
