import nodemailer from 'nodemailer';
import type { Logger } from '../../kernel/logger.js';
import type { Mail, Mailer, MailOutcome } from '../../kernel/ports.js';
import { faultOf, messageOf, parseSender, type Address } from './mailMessage.js';

export interface SmtpMailerOptions {
  readonly host: string;
  readonly port: number;
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  /** `Name <address>` */
  readonly from: string;
  readonly logger: Logger;
  readonly maxConnections?: number;
  /** For connecting, the greeting, and silence of the server, ms each. */
  readonly timeout?: number;
  /** For servers with a certificate of their own (tests). */
  readonly tls?: { readonly rejectUnauthorized: boolean };
}

interface SmtpError {
  readonly code?: string;
  readonly command?: string;
  readonly responseCode?: number;
  readonly response?: string;
}

const isLoopback = (host: string): boolean => ['localhost', '127.0.0.1', '::1'].includes(host);

/** Steps at which a 5xx is about this mail; at the others (login, sender) it is about us, and will pass. */
const ABOUT_THE_MAIL = ['RCPT TO', 'DATA'];

/** Codes only: what a server writes beside them often repeats the customer's address. */
const outcomeOf = (error: SmtpError): MailOutcome => {
  const enhanced = /^\d{3}[ -](\d\.\d{1,3}\.\d{1,3})\b/.exec(error.response ?? '')?.[1];
  const words = [
    error.responseCode === undefined ? (error.code ?? 'unknown').toLowerCase() : `smtp_${error.responseCode}`,
    enhanced,
    error.command === undefined ? undefined : `at ${error.command}`,
  ];
  return {
    status: 'failed',
    permanent: (error.responseCode ?? 0) >= 500 && ABOUT_THE_MAIL.includes(error.command ?? ''),
    reason: words.filter((word) => word !== undefined).join(' '),
  };
};

/**
 * Sends through a pool of SMTP connections.
 *
 * The pool's own second tries are off: a link cut after DATA may have delivered the mail, and whether to risk a second
 * copy is for the recovery to decide, which keeps count.
 */
export class SmtpMailer implements Mailer {
  readonly #from: Address;
  readonly #logger: Logger;
  readonly #transport;

  /** @throws when `from` is not one address */
  constructor(options: SmtpMailerOptions) {
    const { host, port, user, password, timeout = 30_000 } = options;
    this.#from = parseSender(options.from);
    this.#logger = options.logger.child({ component: 'smtp' });
    this.#transport = nodemailer.createTransport({
      pool: true,
      maxRequeues: 0,
      maxConnections: options.maxConnections ?? 5,
      host,
      port,
      secure: port === 465,
      // A password must not travel in the clear.
      requireTLS: user !== undefined && !isLoopback(host),
      ...(user !== undefined && { auth: { user, pass: password ?? '' } }),
      ...(options.tls && { tls: options.tls }),
      connectionTimeout: timeout,
      greetingTimeout: timeout,
      socketTimeout: timeout,
      disableFileAccess: true,
      disableUrlAccess: true,
    });
  }

  async send(mail: Mail, signal?: AbortSignal): Promise<MailOutcome> {
    const fault = faultOf(mail);
    if (fault !== undefined) return { status: 'failed', permanent: true, reason: fault };
    try {
      await this.#transport.sendMail({ ...messageOf(mail, this.#from), ...(signal && { signal }) });
      return { status: 'sent' };
    } catch (error) {
      const outcome = outcomeOf(error as SmtpError);
      this.#logger.warn({ outcome, message_id: mail.messageId }, 'mail not sent');
      return outcome;
    }
  }

  /** Connects and logs in, without sending. @throws when that fails */
  async verify(): Promise<void> {
    await this.#transport.verify();
  }

  close(): void {
    this.#transport.close();
  }
}
