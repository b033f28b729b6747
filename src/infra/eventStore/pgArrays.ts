// Arrays in Postgres' binary format: nothing to quote on this side, nothing to unquote on the other. `pg` sends a
// Buffer parameter as binary. Header: dimensions, has-nulls flag, element type; then length and lower bound of the
// one dimension; then each element as length and bytes.
const HEADER = 20;
const OID = { int8: 20, text: 25, json: 114, uuid: 2950 } as const;

const allocate = (oid: number, count: number, bytes: number): Buffer => {
  const buffer = Buffer.allocUnsafe(HEADER + 4 * count + bytes);
  buffer.writeInt32BE(1, 0);
  buffer.writeInt32BE(0, 4);
  buffer.writeInt32BE(oid, 8);
  buffer.writeInt32BE(count, 12);
  buffer.writeInt32BE(1, 16);
  return buffer;
};

const textual = (oid: number, texts: readonly string[]): Buffer => {
  let bytes = 0;
  for (const text of texts) bytes += Buffer.byteLength(text);
  const buffer = allocate(oid, texts.length, bytes);
  let at = HEADER;
  for (const text of texts) {
    const length = buffer.write(text, at + 4);
    buffer.writeInt32BE(length, at);
    at += 4 + length;
  }
  return buffer;
};

export const textArray = (texts: readonly string[]): Buffer => textual(OID.text, texts);

/** @param texts JSON as text */
export const jsonArray = (texts: readonly string[]): Buffer => textual(OID.json, texts);

export const bigintArray = (numbers: readonly bigint[]): Buffer => {
  const buffer = allocate(OID.int8, numbers.length, 8 * numbers.length);
  let at = HEADER;
  for (const number of numbers) {
    buffer.writeInt32BE(8, at);
    buffer.writeBigInt64BE(number, at + 4);
    at += 12;
  }
  return buffer;
};

/** @param uuids hyphenated */
export const uuidArray = (uuids: readonly string[]): Buffer => {
  const buffer = allocate(OID.uuid, uuids.length, 16 * uuids.length);
  let at = HEADER;
  for (const uuid of uuids) {
    buffer.writeInt32BE(16, at);
    buffer.write(uuid.replaceAll('-', ''), at + 4, 'hex');
    at += 20;
  }
  return buffer;
};
