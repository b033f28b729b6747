import type { ErrorObject, ValidateFunction } from 'ajv';
import type { TSchema } from 'typebox';
import { createAjv } from '../events/ajv.js';
import { DomainError, type FieldError } from '../kernel/errors.js';

const MAX_ERRORS = 50;

const ajv = createAjv({ verbose: true });

const pointerOf = (error: ErrorObject): string => {
  const params = error.params as { missingProperty?: string; additionalProperty?: string };
  const extra = params.missingProperty ?? params.additionalProperty;
  if (extra === undefined) return error.instancePath;
  return `${error.instancePath}/${extra.replaceAll('~', '~0').replaceAll('/', '~1')}`;
};

/** What is wrong, in words that never repeat the value. */
const detailOf = (error: ErrorObject): string => {
  const params = error.params as Record<string, unknown>;
  const description = (error.parentSchema as { description?: string } | undefined)?.description;
  switch (error.keyword) {
    case 'required':
      return 'is required';
    case 'additionalProperties':
      return 'is not a known field';
    case 'enum':
      return `must be one of ${(params['allowedValues'] as readonly unknown[]).join(', ')}`;
    case 'type':
      return `must be of type ${String(params['type'])}`;
    case 'format':
      return `must be a valid ${String(params['format'])}`;
    case 'pattern':
      return description === undefined ? 'has the wrong form' : `must be: ${description}`;
    default:
      return error.message ?? 'is not valid';
  }
};

const toFieldErrors = (errors: readonly ErrorObject[], prefix: string): FieldError[] =>
  errors
    .slice(0, MAX_ERRORS)
    .map((error) => ({ pointer: prefix + pointerOf(error), detail: detailOf(error) }));

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
