import { createServer, type RequestListener, type Server } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Logger } from '../kernel/logger.js';

export interface HttpServerOptions {
  readonly logger: Logger;
  /** How long in-flight requests may go on after `close` before their connections are cut. */
  readonly drainMs?: number;
}

export interface HttpServer {
  readonly server: Server;
  /** Resolves with the port that was bound. */
  listen(port: number, host?: string): Promise<number>;
  /** Takes no new connection, finishes what is in flight, closes idle ones; resolves when all are gone. */
  close(): Promise<void>;
}

const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;
/** Longer than the idle time of common load balancers (60 s), so that they close first. */
const KEEP_ALIVE_MS = 65_000;
const MAX_HEADER_BYTES = 16 * 1024;
const SWEEP_MS = 50;
const DRAIN_MS = 15_000;

const REASONS: Readonly<Record<string, readonly [number, string]>> = {
  HPE_HEADER_OVERFLOW: [431, 'Request Header Fields Too Large'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'Request Timeout'],
};

/** Bytes that are no HTTP: said so in one line, and the connection ends. */
const refuseGarbage = (error: NodeJS.ErrnoException, socket: Duplex): void => {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, title] = REASONS[error.code ?? ''] ?? [400, 'Bad Request'];
  const problem = JSON.stringify({ type: 'about:blank', title, status, code: 'not_parsable' });
  socket.end(
    `HTTP/1.1 ${status} ${title}\r\nConnection: close\r\nContent-Type: application/problem+json\r\n` +
      `Content-Length: ${Buffer.byteLength(problem)}\r\n\r\n${problem}`,
  );
};

const closeGracefully = (server: Server, drainMs: number): Promise<void> =>
  new Promise((resolve, reject) => {
    const deadline = setTimeout(() => server.closeAllConnections(), drainMs);
    // A connection that falls idle after its last answer would otherwise be kept for its keep-alive time.
    const sweep = setInterval(() => server.closeIdleConnections(), SWEEP_MS);
    server.close((error) => {
      clearTimeout(deadline);
      clearInterval(sweep);
      if (error === undefined || (error as NodeJS.ErrnoException).code === 'ERR_SERVER_NOT_RUNNING')
        resolve();
      else reject(error);
    });
    server.closeIdleConnections();
  });

export const createHttpServer = (app: RequestListener, options: HttpServerOptions): HttpServer => {
  let closing = false;
  const server = createServer({ maxHeaderSize: MAX_HEADER_BYTES }, (req, res) => {
    // While draining, a kept connection ends with the answer it is waiting for.
    if (closing) res.setHeader('Connection', 'close');
    app(req, res);
  });
  server.headersTimeout = HEADERS_TIMEOUT_MS;
  server.requestTimeout = REQUEST_TIMEOUT_MS;
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  server.maxRequestsPerSocket = 0;
  server.on('clientError', refuseGarbage);
  server.on('error', (err) => options.logger.error({ err }, 'http server failed'));
  return {
    server,
    listen: (port, host) =>
      new Promise((resolve, reject) => {
        server.once('error', reject);
        server.listen(port, host, () => {
          server.off('error', reject);
          const address = server.address();
          resolve(typeof address === 'object' && address !== null ? address.port : port);
        });
      }),
    close: () => {
      closing = true;
      return closeGracefully(server, options.drainMs ?? DRAIN_MS);
    },
  };
};
