import { fromWire, type WireMessage } from '../../events/integration/cloudEvents.js';
import type { PublicMessage } from '../../events/integration/message.js';

/** What is stored of a parked message. One that could not even be read is kept byte for byte. */
export type ParkedForm =
  | { readonly message: PublicMessage }
  | {
      readonly unreadable: {
        readonly key: string;
        readonly headers: Record<string, string>;
        readonly value: string;
      };
    };

const encoded = (text: string): string => Buffer.from(text).toString('base64');
const decoded = (text: string): string => Buffer.from(text, 'base64').toString();
const mapValues = (record: Readonly<Record<string, string>>, change: (text: string) => string) =>
  Object.fromEntries(Object.entries(record).map(([name, text]) => [name, change(text)]));

/** In base64, because jsonb does not take every text. */
export const unreadableForm = ({ key, headers, value }: WireMessage): ParkedForm => ({
  unreadable: { key: encoded(key), headers: mapValues(headers, encoded), value: encoded(value) },
});

/**
 * The message to be handled; undefined when it turns out to be of no interest.
 * @throws UnreadableMessage
 */
export const fromParked = (form: ParkedForm): PublicMessage | undefined => {
  if ('message' in form) return form.message;
  const { key, headers, value } = form.unreadable;
  return fromWire({ key: decoded(key), headers: mapValues(headers, decoded), value: decoded(value) });
};
