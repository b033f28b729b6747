/** A TCP proxy in front of a server on this machine: where connections are cut, hang, or are refused. */
import { connect, createServer, type Server, type Socket } from 'node:net';

export class FaultyProxy {
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  #hangs = false;
  #port = 0;

  constructor(private readonly target: number) {}

  get port(): number {
    return this.#port;
  }

  /** Takes connections, the second time on the same port. */
  async start(): Promise<void> {
    if (this.#server !== undefined) return;
    const server = (this.#server = createServer((socket) => this.#join(socket)));
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(this.#port, '127.0.0.1', resolve);
    });
    this.#port = (server.address() as { port: number }).port;
  }

  /** Refuses connections and cuts those there are. */
  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    const closed = new Promise((resolve) => server.close(resolve));
    this.cut();
    await closed;
  }

  /** Cuts every connection; new ones are taken. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Connections stay open, are still taken, and pass nothing on. */
  hang(): void {
    this.#hangs = true;
    for (const socket of this.#sockets) socket.pause();
  }

  /** The machine behind the connections there are is gone without a word; new ones reach another. */
  vanish(): void {
    for (const socket of this.#sockets) socket.pause();
  }

  resume(): void {
    this.#hangs = false;
    for (const socket of this.#sockets) socket.resume();
  }

  #join(client: Socket): void {
    const server = connect(this.target, '127.0.0.1');
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(from.setNoDelay());
      from.on('data', (chunk) => to.write(chunk));
      from.on('error', () => undefined);
      from.on('close', () => {
        this.#sockets.delete(from);
        to.destroy();
      });
      if (this.#hangs) from.pause();
    }
  }
}
