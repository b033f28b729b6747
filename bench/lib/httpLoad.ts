import { connect, type Socket } from 'node:net';
import type { Round } from './rounds.js';

/*
 * A load generator as lean as can be, so that it takes little of the machine from what is measured: raw sockets kept
 * open, one request at a time on each, answers recognised by Content-Length.
 */

export interface Target {
  readonly port: number;
  /** The bytes of the next request. */
  readonly request: () => string;
  readonly expectedStatus: number;
}

const HEAD_END = Buffer.from('\r\n\r\n');

/** One connection: sends a request, answers with its status once the whole response is there. */
class Connection {
  #received: Buffer = Buffer.alloc(0);
  #settle: { resolve: (status: number) => void; reject: (error: Error) => void } | undefined;

  private constructor(private readonly socket: Socket) {
    socket.setNoDelay(true);
    socket.on('data', (chunk) => this.#take(chunk));
    socket.on('error', (error) => this.#settle?.reject(error));
    socket.on('close', () => this.#settle?.reject(new Error('the server closed the connection')));
  }

  static open(port: number): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1' });
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.off('error', reject);
        resolve(new Connection(socket));
      });
    });
  }

  send(request: string): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
      this.socket.write(request);
    });
  }

  close(): void {
    this.#settle = undefined;
    this.socket.destroy();
  }

  #take(chunk: Buffer): void {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    const end = this.#received.indexOf(HEAD_END);
    if (end === -1) return;
    const head = this.#received.toString('latin1', 0, end);
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
    if (length === undefined) {
      this.#settle?.reject(new Error('an answer without Content-Length'));
      return;
    }
    if (this.#received.length < end + HEAD_END.length + Number(length)) return;
    this.#received = Buffer.alloc(0);
    this.#settle?.resolve(Number(head.slice(9, 12)));
  }
}

/** Requests over `connections` connections, each one after the other, for about `ms`. */
export const httpRound =
  ({ port, request, expectedStatus }: Target, connections: number, ms: number) =>
  async (): Promise<Round> => {
    const open = await Promise.all(Array.from({ length: connections }, () => Connection.open(port)));
    const latencies: number[] = [];
    const start = performance.now();
    const client = async (connection: Connection): Promise<void> => {
      for (let at = performance.now(); at - start < ms;) {
        const status = await connection.send(request());
        if (status !== expectedStatus) throw new Error(`port ${port} answered ${status}`);
        const now = performance.now();
        latencies.push(now - at);
        at = now;
      }
    };
    try {
      await Promise.all(open.map(client));
      return { operations: latencies.length, ms: performance.now() - start, latencies };
    } finally {
      for (const connection of open) connection.close();
    }
  };

/** A request as text; with a body, as JSON. */
export const requestText = (
  method: string,
  path: string,
  { token, body }: { token?: string; body?: string } = {},
): string =>
  [
    `${method} ${path} HTTP/1.1`,
    'Host: 127.0.0.1',
    ...(token === undefined ? [] : [`Authorization: Bearer ${token}`]),
    ...(body === undefined
      ? []
      : ['Content-Type: application/json', `Content-Length: ${Buffer.byteLength(body)}`]),
    '',
    body ?? '',
  ].join('\r\n');
