import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import { DomainError } from '../../kernel/errors.js';
import { parseJson } from './guards.js';

export const MAX_BODY_BYTES = 256 * 1024;

/** The client hung up before its body was complete: there is nobody to answer. */
export class ClientGone extends Error {
  constructor() {
    super('the client closed the connection');
    this.name = 'ClientGone';
  }
}

export const isClientGone = (error: unknown): boolean =>
  error instanceof Error && error.name === 'ClientGone';

const tooLarge = (): DomainError =>
  new DomainError('payload_too_large', `The body must not exceed ${MAX_BODY_BYTES} bytes`);

/** The bytes of the body, exactly as sent. */
export const readRaw = (req: IncomingMessage): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    if (Number(req.headers['content-length'] ?? 0) > MAX_BODY_BYTES) return reject(tooLarge());
    if (req.destroyed && !req.complete) return reject(new ClientGone());
    const chunks: Buffer[] = [];
    let size = 0;
    req.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= MAX_BODY_BYTES) return chunks.push(chunk);
      req.removeAllListeners('data');
      req.pause();
      return reject(tooLarge());
    });
    req.on('end', () => resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)));
    req.on('error', () => reject(new ClientGone()));
    // After a whole body, too, the request closes: then there is nothing to tell.
    req.on('close', () => {
      if (!req.complete) reject(new ClientGone());
    });
  });

const MEDIA_TYPE =
  /^\s*([a-z0-9!#$&^_.+-]+\/[a-z0-9!#$&^_.+-]+)\s*(?:;\s*charset\s*=\s*("?)([^";\s]+)\2\s*)?;?\s*$/i;

/** @throws DomainError `unsupported_media_type` */
export const assertMediaType = (req: IncomingMessage, expected: string): void => {
  const [, type, , charset] = MEDIA_TYPE.exec(req.headers['content-type'] ?? '') ?? [];
  const encoding = req.headers['content-encoding'];
  if (type?.toLowerCase() !== expected)
    throw new DomainError('unsupported_media_type', `The body must be ${expected}`);
  if (charset !== undefined && !/^utf-?8$/i.test(charset))
    throw new DomainError('unsupported_media_type', 'The charset must be utf-8');
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity')
    throw new DomainError('unsupported_media_type', 'The body must not be compressed');
};

export const toText = (bytes: Buffer): string => {
  if (!isUtf8(bytes)) throw new DomainError('not_parsable', 'The body is not UTF-8');
  const text = bytes.toString('utf8');
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
};

const isEmpty = (req: IncomingMessage): boolean =>
  req.headers['transfer-encoding'] === undefined && Number(req.headers['content-length'] ?? 0) === 0;

/** Reads and parses a JSON body; undefined for an empty body where one is optional. */
export const readJson = async (req: IncomingMessage, optional: boolean): Promise<unknown> => {
  if (isEmpty(req)) {
    if (optional) return undefined;
    if (req.headers['content-type'] !== undefined) assertMediaType(req, 'application/json');
    throw new DomainError('not_parsable', 'A JSON body is required');
  }
  assertMediaType(req, 'application/json');
  return parseJson(toText(await readRaw(req)));
};

/** Reads a form of single-valued fields. */
export const readForm = async (req: IncomingMessage): Promise<unknown> => {
  if (isEmpty(req)) return {};
  assertMediaType(req, 'application/x-www-form-urlencoded');
  const fields = [...new URLSearchParams(toText(await readRaw(req)))];
  return parseJson(JSON.stringify(Object.fromEntries(fields)));
};
