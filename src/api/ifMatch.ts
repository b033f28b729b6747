import type { IncomingHttpHeaders } from 'node:http';
import { invalid } from './validation.js';

/** The version that If-Match names; undefined when any will do. */
export const versionIn = ({ 'if-match': header }: IncomingHttpHeaders): number | undefined => {
  if (header === undefined || header.trim() === '*') return undefined;
  const [, version] = /^\s*"?([0-9]{1,15})"?\s*$/.exec(header) ?? [];
  if (version === undefined) throw invalid('/header/if-match', 'must be a version in quotes, e.g. "7"');
  return Number(version);
};
