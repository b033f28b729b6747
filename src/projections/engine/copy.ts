import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import type { Codec } from './codec.js';
import type { Row } from './projection.js';
import { quoted } from './table.js';

const CHUNK = 128 * 1024;

/** Lines of COPY's text format in pieces worth a system call. */
function* chunks(codec: Codec, rows: Iterable<Row>): Generator<Buffer> {
  let text = '';
  for (const row of rows) {
    text += codec.toCopy(row);
    if (text.length >= CHUNK) {
      yield Buffer.from(text);
      text = '';
    }
  }
  if (text.length > 0) yield Buffer.from(text);
}

/** Appends rows, none of which is in the table, three times as fast as INSERT does. */
export const copyRows = async (
  client: pg.ClientBase,
  codec: Codec,
  physical: string,
  rows: Iterable<Row>,
): Promise<void> => {
  const stream = client.query(copyFrom(`COPY ${quoted(physical)} (${codec.columnList}) FROM STDIN`));
  await pipeline(Readable.from(chunks(codec, rows)), stream);
};
