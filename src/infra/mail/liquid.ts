import { Liquid } from 'liquidjs';

/** Templates see their own data only, read no files, and cannot run away. */
const limits = {
  ownPropertyOnly: true,
  strictVariables: true,
  strictFilters: true,
  templates: {},
  parseLimit: 100_000,
  renderLimit: 500,
  memoryLimit: 1_000_000,
} as const;
export const plain = new Liquid(limits);
export const escaping = new Liquid({ ...limits, outputEscape: 'escape' });

/** One line without control characters or invisible direction marks, so that a name stays a name. */
export const line = (text: string): string =>
  text
    .replace(/[\p{Cc}\p{Zl}\p{Zp}\u200e\u200f\u202a-\u202e\u2066-\u2069]+/gu, ' ')
    .trim()
    .slice(0, 200);

/** Parts of a mail, each with the names put in. */
export const worded = (
  wording: Readonly<Record<string, string>>,
  names: Readonly<Record<string, string>>,
): Record<string, string> =>
  Object.fromEntries(
    Object.entries(wording).map(([part, liquid]) => [
      part,
      plain.parseAndRenderSync(liquid, names) as string,
    ]),
  );

/** @throws when it is no web address */
export const assertWebAddress = (link: string): void => {
  if (!/^https?:\/\/[^\s<>"']+$/.test(link)) throw new Error('the link is no web address');
};
