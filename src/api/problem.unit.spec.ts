import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { DomainError, errorCodes } from '../kernel/errors.js';
import { problems, toProblem } from './problem.js';

describe('problems', () => {
  it('are all explained in docs/errors.md, with their status, and no others', () => {
    const text = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8');
    const documented = [...text.matchAll(/^\| `(\w+)` \| (\d{3}) \| \S/gm)].map(([, code, status]) => [
      code,
      Number(status),
    ]);
    const known = [...errorCodes].sort().map((code) => [code, problems[code].status]);
    expect(documented).to.deep.equal(known);
  });

  it('tell a refusal', () => {
    const error = new DomainError('validation_failed', 'No', [{ pointer: '/a', detail: 'is required' }]);
    expect(toProblem(error, 'r-1')).to.deep.equal({
      type: '/docs/errors#validation_failed',
      title: 'Validation failed',
      status: 422,
      detail: 'No',
      code: 'validation_failed',
      request_id: 'r-1',
      errors: [{ pointer: '/a', detail: 'is required' }],
    });
  });

  it('tell nothing of the inside', () => {
    const { detail } = toProblem(new DomainError('internal', 'password of ada is x'), 'r-1');
    expect(detail).not.to.contain('ada');
  });
});
