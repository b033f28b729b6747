import type { ErrorObject } from 'ajv';
import type { FieldError } from '../kernel/errors.js';

const MAX_ERRORS = 50;

/** One token of a JSON pointer (RFC 6901). */
export const pointerToken = (name: string): string => name.replaceAll('~', '~0').replaceAll('/', '~1');

const pointerOf = (error: ErrorObject): string => {
  const params = error.params as { missingProperty?: string; additionalProperty?: string };
  const extra = params.missingProperty ?? params.additionalProperty;
  return extra === undefined ? error.instancePath : `${error.instancePath}/${pointerToken(extra)}`;
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

/** The faults that a validator of `createAjv({ verbose: true })` found. @param prefix goes before every pointer */
export const toFieldErrors = (errors: readonly ErrorObject[], prefix = ''): FieldError[] =>
  errors
    .slice(0, MAX_ERRORS)
    .map((error) => ({ pointer: prefix + pointerOf(error), detail: detailOf(error) }));
