import { createAjv } from '../../events/ajv.js';
import { Email } from '../../events/schema.js';

const validate = createAjv().compile(Email);

/** True for an address that events may hold. A PSP takes others too: those are left out rather than the event refused. */
export const isEmail = (text: string): boolean => validate(text);
