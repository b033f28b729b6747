import { Ajv } from 'ajv';
import formats from 'ajv-formats';
import { Email } from '../../events/schema.js';

const ajv = new Ajv({ keywords: ['x-personal'] });
formats.default(ajv);
const validate = ajv.compile(Email);

/** True for an address that events may hold. A PSP takes others too: those are left out rather than the event refused. */
export const isEmail = (text: string): boolean => validate(text);
