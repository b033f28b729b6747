import { expect } from 'chai';
import { jsonFaultIn } from './jsonFault.js';

describe('jsonFaultIn', () => {
  it('is silent of what is JSON', () => {
    for (const text of ['{}', ' [1, "a"]\n', 'null']) expect(jsonFaultIn(text)).to.equal(undefined);
  });

  const places: readonly [string, string, number, number][] = [
    ['a word that is none', '{\n  "a": x\n}', 2, 8],
    ['a comma before the end', '{\n  "a": 1,\n}', 3, 1],
    ['a comma that is missing', '{\n  "a": 1\n  "b": 2\n}', 3, 3],
    ['a word far in', `[\n${'1,\n'.repeat(500)}Unexpected token]`, 502, 1],
    ['a line break in a text', '["a\nb"]', 1, 4],
    ['an end that comes too soon', '{\n  "version": ', 2, 14],
    ['nothing', '', 1, 1],
    ['something after the end', '{}\n{}', 2, 1],
  ];
  for (const [name, text, line, column] of places)
    it(`finds ${name}`, () => expect(jsonFaultIn(text)).to.deep.equal({ line, column }));
});
