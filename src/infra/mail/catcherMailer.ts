import { mkdir, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import nodemailer from 'nodemailer';
import type { Mail, Mailer, MailOutcome } from '../../kernel/ports.js';
import { faultOf, messageOf, parseSender, recipientsOf, type Address } from './mailMessage.js';

/** What the list of caught mails shows. */
export interface CaughtMail {
  readonly id: string;
  readonly messageId: string;
  readonly to: string;
  readonly subject: string;
  readonly caughtAt: string;
}

export interface CaughtMailBody extends CaughtMail {
  readonly html: string;
  readonly text: string;
  /** The message as it would have gone over the wire. */
  readonly eml: string;
}

const ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,200}$/;

/** A file name made of the message id: the same mail twice is one file. */
const fileIdOf = (messageId: string): string =>
  messageId
    .replace(/^<|>$/g, '')
    .replaceAll('@', '_at_')
    .replace(/[^A-Za-z0-9._-]/g, '_')
    .replace(/^[^A-Za-z0-9]+/, 'm')
    .slice(0, 200);

/**
 * For development: keeps each mail as `<dir>/<id>.eml`, with `<id>.json` beside it for the list at /dev/mail, instead
 * of sending it.
 */
export class CatcherMailer implements Mailer {
  readonly #dir: string;
  readonly #from: Address;
  readonly #transport = nodemailer.createTransport({ streamTransport: true, buffer: true, newline: 'unix' });

  constructor(dir: string, from = 'Payments <payments@localhost>') {
    this.#dir = dir;
    this.#from = parseSender(from);
  }

  async send(mail: Mail): Promise<MailOutcome> {
    const fault = faultOf(mail);
    if (fault !== undefined) return { status: 'failed', permanent: true, reason: fault };
    try {
      const { message } = await this.#transport.sendMail(messageOf(mail, this.#from));
      const id = fileIdOf(mail.messageId);
      const { messageId, subject, html, text } = mail;
      const caught: CaughtMail = {
        id,
        messageId,
        to: recipientsOf(mail)
          .map(({ address }) => address)
          .join(', '),
        subject,
        caughtAt: new Date().toISOString(),
      };
      await mkdir(this.#dir, { recursive: true });
      await this.#write(`${id}.eml`, message as Buffer);
      await this.#write(`${id}.json`, JSON.stringify({ ...caught, html, text }));
      return { status: 'sent' };
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      return { status: 'failed', permanent: false, reason: `catcher ${code ?? 'failed'}` };
    }
  }

  /** The newest first. */
  async list(limit = 200): Promise<CaughtMail[]> {
    const names = await readdir(this.#dir).catch(() => []);
    const written = await Promise.all(
      names.filter((name) => name.endsWith('.json')).map((name) => this.#writtenAt(name)),
    );
    const newest = written.sort((a, b) => b.at - a.at || a.name.localeCompare(b.name)).slice(0, limit);
    const mails = await Promise.all(newest.map(({ name }) => this.#summary(name)));
    return mails.filter((mail) => mail !== undefined);
  }

  async read(id: string): Promise<CaughtMailBody | undefined> {
    if (!ID.test(id)) return undefined;
    try {
      const [json, eml] = await Promise.all([
        readFile(join(this.#dir, `${id}.json`), 'utf8'),
        readFile(join(this.#dir, `${id}.eml`), 'utf8'),
      ]);
      return { ...(JSON.parse(json) as Omit<CaughtMailBody, 'eml'>), eml };
    } catch {
      return undefined;
    }
  }

  async #writtenAt(name: string): Promise<{ readonly name: string; readonly at: number }> {
    const found = await stat(join(this.#dir, name)).catch(() => undefined);
    return { name, at: found?.mtimeMs ?? 0 };
  }

  async #summary(name: string): Promise<CaughtMail | undefined> {
    try {
      const json = await readFile(join(this.#dir, name), 'utf8');
      const { id, messageId, to, subject, caughtAt } = JSON.parse(json) as CaughtMail;
      return { id, messageId, to, subject, caughtAt };
    } catch {
      return undefined;
    }
  }

  /** A reader never sees half a file. */
  async #write(name: string, content: string | Buffer): Promise<void> {
    const temporary = join(this.#dir, `.${name}.tmp`);
    await writeFile(temporary, content);
    await rename(temporary, join(this.#dir, name));
  }
}
