import { Ajv } from 'ajv';
import formats from 'ajv-formats';
import { instantOf } from '../kernel/clock.js';

const isTimeZone = (name: string): boolean => {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return /^[A-Za-z][A-Za-z0-9_+/-]*$/.test(name);
  } catch {
    return false;
  }
};

/** A validator in which every format means the same, whether it looks at a request, an answer or an event. */
export const createAjv = ({ verbose = false } = {}): Ajv => {
  const ajv = new Ajv({ allErrors: true, verbose, keywords: ['x-personal', 'example'] });
  formats.default(ajv);
  ajv.addFormat('date-time', (text) => instantOf(text) !== undefined);
  ajv.addFormat('time-zone', isTimeZone);
  return ajv;
};
