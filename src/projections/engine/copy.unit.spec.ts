import { expect } from 'chai';
import { Writable } from 'node:stream';
import type pg from 'pg';
import { copyRows } from './copy.js';

/** Takes COPYs as the server does: what came in each of them. */
const server = () => {
  const copies: string[] = [];
  const query = () => {
    const index = copies.push('') - 1;
    return new Writable({
      write: (bytes: Buffer, _encoding, done) => {
        copies[index] += bytes.toString();
        done();
      },
    });
  };
  return { copies, client: { query } as unknown as pg.ClientBase };
};

describe('copying rows', () => {
  const codec = { columnList: 'key', toCopy: ({ key }: { key: string }) => `${key}\n` };
  const line = (n: number) => `${String(n).padStart(7, '0')}${'x'.repeat(992)}`;
  const rows = (count: number) => Array.from({ length: count }, (_, n) => ({ key: line(n), org_id: 'o' }));
  const copied = async (count: number) => {
    const { copies, client } = server();
    await copyRows(client, codec as never, 't', rows(count));
    return copies;
  };

  it('goes in pieces of some 2 MiB and whole rows, so that a live one never looks as if it had stopped', async () => {
    const copies = await copied(5_000);
    expect(copies).to.have.length(3);
    expect(copies.every((copy) => copy.endsWith('\n'))).to.equal(true);
    expect(copies.join('')).to.equal(rows(5_000).map(codec.toCopy).join(''));
  });

  it('asks for nothing when there are none, and for one piece when they fit', async () => {
    expect(await copied(0)).to.deep.equal([]);
    expect(await copied(3)).to.have.length(1);
  });
});
