import type { Response } from 'express';
import type { Reply } from './route.js';

const JSON_TYPE = 'application/json; charset=utf-8';

const contentOf = ({ body, text }: Reply): { type?: string; content?: string | Buffer } => {
  if (text !== undefined) return text;
  return body === undefined ? {} : { type: JSON_TYPE, content: JSON.stringify(body) };
};

/** Writes the answer straight to node's response: no ETag, no content negotiation, one write. */
export const send = async (res: Response, reply: Reply): Promise<void> => {
  res.statusCode = reply.status;
  if (reply.position !== undefined) res.setHeader('X-Event-Position', String(reply.position));
  for (const name in reply.headers) res.setHeader(name, reply.headers[name] as string);
  if (reply.stream !== undefined) {
    res.setHeader('Content-Type', reply.stream.type);
    if (res.req.method !== 'HEAD') return reply.stream.write(res);
    res.end();
    return;
  }
  const { type, content } = contentOf(reply);
  if (content === undefined) {
    res.end();
    return;
  }
  if (type !== undefined) res.setHeader('Content-Type', type);
  res.setHeader('Content-Length', Buffer.byteLength(content));
  res.end(content);
};
