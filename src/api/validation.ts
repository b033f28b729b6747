import type { ValidateFunction } from 'ajv';
import type { TSchema } from 'typebox';
import { createAjv } from '../events/ajv.js';
import { toFieldErrors } from '../events/fieldErrors.js';
import { DomainError, type FieldError } from '../kernel/errors.js';

const ajv = createAjv({ verbose: true });

export type Validator = (value: unknown) => readonly FieldError[];
const NONE: readonly FieldError[] = [];

/** Compiles a schema. @param prefix goes before every pointer: '' for a body, '/query', '/path' */
export const compile = (schema: TSchema, prefix: string): Validator => {
  const validate: ValidateFunction = ajv.compile(schema);
  return (value) => (validate(value) ? NONE : toFieldErrors(validate.errors ?? [], prefix));
};

/** @throws DomainError `validation_failed` naming every fault */
export const refuseFaults = (errors: readonly FieldError[]): void => {
  if (errors.length > 0)
    throw new DomainError('validation_failed', 'The request does not meet its schema', errors);
};

export const invalid = (pointer: string, detail: string): DomainError =>
  new DomainError('validation_failed', 'The request does not meet its schema', [{ pointer, detail }]);

/** Texts of a query or path become integers where the schema wants integers; all else stays text. */
export const coercion = (schema: TSchema): ((values: Record<string, string>) => Record<string, unknown>) => {
  const properties = (schema as { properties?: Record<string, { type?: string }> }).properties ?? {};
  const integers = Object.keys(properties).filter((name) => properties[name]?.type === 'integer');
  return (values) => {
    const coerced: Record<string, unknown> = { ...values };
    for (const name of integers) {
      const text = values[name];
      if (text !== undefined && /^-?[0-9]{1,15}$/.test(text)) coerced[name] = Number(text);
    }
    return coerced;
  };
};
