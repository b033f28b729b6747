import addressparser from 'nodemailer/lib/addressparser';
import type { Mail, MailAddress } from '../../kernel/ports.js';

const ADDRESS = /^[^\s@<>(),;:"[\]\\\p{Cc}]{1,64}@[^\s@<>(),;:"[\]\\\p{Cc}]{1,253}$/u;
const MESSAGE_ID = /^<[^\s@<>\p{Cc}]{1,150}@[^\s@<>\p{Cc}]{1,100}>$/u;
const HEADER_NAME = /^[A-Za-z][A-Za-z0-9-]{0,60}$/;

/** One line of text: nothing in it can end a header. */
const line = (text: string): string =>
  text
    .replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ')
    .trim()
    .slice(0, 500);

export interface Address {
  readonly name: string;
  readonly address: string;
}

/** Reads the one address of SMTP_FROM, `Name <address>` or bare. @throws when it is not one */
export const parseSender = (text: string): Address => {
  const [sender, ...more] = addressparser(text);
  if (sender?.address === undefined || more.length > 0 || !ADDRESS.test(sender.address))
    throw new Error('SMTP_FROM must be one address, e.g. Payments <payments@example.com>');
  return { name: line(sender.name), address: sender.address };
};

/** Of several addresses those that are none are left out. */
export const recipientsOf = ({ to }: Mail): readonly MailAddress[] =>
  ('address' in to ? [to] : to).filter(({ address }) => ADDRESS.test(address));

/** Why a mail must not go out at all. */
export const faultOf = (mail: Mail): string | undefined => {
  if (recipientsOf(mail).length === 0) return 'invalid_address';
  if (!MESSAGE_ID.test(mail.messageId)) return 'invalid_message_id';
  return Object.keys(mail.headers ?? {}).every((name) => HEADER_NAME.test(name))
    ? undefined
    : 'invalid_header';
};

/**
 * The mail as nodemailer takes it. Addresses go in as objects: a string is parsed, and one with a comma or a group is
 * several addresses.
 */
export const messageOf = (mail: Mail, from: Address) => ({
  from,
  to: recipientsOf(mail).map(({ name, address }) => ({ name: line(name ?? ''), address })),
  messageId: mail.messageId,
  subject: line(mail.subject),
  text: mail.text,
  html: mail.html,
  headers: {
    // So that absence notices stay away (RFC 3834).
    'Auto-Submitted': 'auto-generated',
    ...Object.fromEntries(Object.entries(mail.headers ?? {}).map(([name, value]) => [name, line(value)])),
  },
  disableFileAccess: true,
  disableUrlAccess: true,
});
