import { expect } from 'chai';
import { isDomainError } from '../../kernel/errors.js';
import { BcryptHasher } from './bcryptHasher.js';
import { Limiter } from './limiter.js';

const pepper = Buffer.alloc(32, 7);
const hasher = new BcryptHasher({ pepper, cost: 4 });

describe('password hashing', () => {
  it('verifies the password it hashed and no other', async () => {
    const hash = await hasher.hash('correct horse');
    expect(hash).to.match(/^\$2b\$04\$.{53}$/);
    expect(await hasher.verify('correct horse', hash)).to.equal(true);
    expect(await hasher.verify('correct hors', hash)).to.equal(false);
  });

  it('tells passwords apart beyond 72 bytes', async () => {
    const long = '😀'.repeat(40);
    const hash = await hasher.hash(`${long}a`);
    expect(await hasher.verify(`${long}a`, hash)).to.equal(true);
    expect(await hasher.verify(`${long}b`, hash)).to.equal(false);
  });

  it('takes composed and decomposed letters for the same', async () => {
    expect(await hasher.verify('pässword', await hasher.hash('pa\u0308ssword'))).to.equal(true);
  });

  it('needs the pepper', async () => {
    const hash = await hasher.hash('secret');
    const other = new BcryptHasher({ pepper: Buffer.alloc(32, 8), cost: 4 });
    expect(await other.verify('secret', hash)).to.equal(false);
  });

  it('has a decoy of its own cost that nothing meets', async () => {
    expect(hasher.decoy).to.match(/^\$2b\$04\$.{53}$/);
    expect(new BcryptHasher({ pepper }).decoy).to.match(/^\$2b\$12\$.{53}$/);
    expect(await hasher.verify('', hasher.decoy)).to.equal(false);
  });
});

describe('limiter', () => {
  it('runs a few at once, lets a few wait and refuses the rest', async () => {
    const limiter = new Limiter({ concurrency: 2, queue: 3 });
    let running = 0;
    let most = 0;
    const work = async (): Promise<void> => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setImmediate(resolve));
      running--;
    };
    const results = await Promise.allSettled(Array.from({ length: 8 }, () => limiter.run(work)));
    const refused = results.flatMap((result) =>
      result.status === 'rejected' ? [result.reason as unknown] : [],
    );
    expect(most).to.equal(2);
    expect(refused).to.have.length(3);
    for (const error of refused) expect(isDomainError(error) && error.code).to.equal('too_busy');
    await limiter.run(work);
  });

  it('frees the place of work that fails', async () => {
    const limiter = new Limiter({ concurrency: 1, queue: 0 });
    await limiter.run(() => Promise.reject(new Error('no'))).catch(() => undefined);
    expect(await limiter.run(() => Promise.resolve(1))).to.equal(1);
  });
});
