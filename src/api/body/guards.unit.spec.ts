import { expect } from 'chai';
import fc from 'fast-check';
import { isDomainError } from '../../kernel/errors.js';
import { parseJson } from './guards.js';

const refusal = (text: string): string => {
  try {
    parseJson(text);
    return 'accepted';
  } catch (error) {
    if (!isDomainError(error)) throw error;
    return [error.code, ...error.errors.map(({ pointer }) => pointer)].join(' ');
  }
};

describe('strict JSON', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['{"a":[1,2.5,-3,true,null,"x"]}', 'accepted'],
    ['', 'not_parsable'],
    ['{"a":1,}', 'not_parsable'],
    ['NaN', 'not_parsable'],
    ['{"a":1e999}', 'validation_failed /a'],
    ['{"a":[0,-9007199254740993]}', 'validation_failed /a/1'],
    ['{"a":9007199254740991}', 'accepted'],
    ['{"a":{"b/c~d":"\\u0000"}}', 'validation_failed /a/b~1c~0d'],
    ['{"a\\u0000":1}', 'validation_failed '],
    ['["\\ud83d"]', 'validation_failed /0'],
    ['["\\ud83d\\ude00"]', 'accepted'],
    ['{"__proto__":1}', 'validation_failed '],
    ['{"a":{"\\u005f_proto__":1}}', 'validation_failed /a'],
    ['{"a":1,"a":1}', 'validation_failed '],
    ['{"a":1,"\\u0061":1}', 'validation_failed '],
    ['{"a":"x:{[\\"]}","b":":"}', 'accepted'],
    ['{"a\\\\":1,"b":"\\\\"}', 'accepted'],
    ['{"a":4111111111111111}', 'validation_failed /a'],
    ['{"4111 1111 1111 1111":{"b":1}}', 'validation_failed '],
    [`${'['.repeat(32)}${']'.repeat(32)}`, 'accepted'],
    [`${'['.repeat(33)}${']'.repeat(33)}`, 'validation_failed '],
    [`${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`, 'validation_failed '],
  ];
  for (const [text, expected] of cases)
    it(`${text.slice(0, 50)} → ${expected}`, () => expect(refusal(text)).to.equal(expected));

  it('reads every other document as JSON.parse does', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), fc.nat(3), (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        if (refusal(text) === 'accepted') expect(parseJson(text)).to.deep.equal(JSON.parse(text));
      }),
    );
  });

  it('refuses or reads, and never breaks', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => void refusal(text)));
    fc.assert(fc.property(fc.json(), (text) => void refusal(text)));
  });
});
