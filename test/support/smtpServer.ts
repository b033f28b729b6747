import type { AddressInfo, Socket } from 'node:net';
import { SMTPServer, type SMTPServerSession } from 'smtp-server';

export interface ReceivedMail {
  readonly raw: string;
  readonly recipients: readonly string[];
}

export interface TestSmtpServer {
  readonly port: number;
  readonly received: ReceivedMail[];
  stop(): Promise<void>;
}

const refusal = (responseCode: number, message: string): Error =>
  Object.assign(new Error(message), { responseCode });

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * A real SMTP exchange. The recipient's local part says what happens: `bounce` 550 and `busy` 451 at RCPT TO,
 * `spam` 554 and `full` 452 after the message, `cut` takes the message and cuts the link, `silent` never answers.
 */
export const startSmtpServer = async (
  options: { readonly user?: string; readonly password?: string } = {},
): Promise<TestSmtpServer> => {
  const received: ReceivedMail[] = [];
  const cut = (session: SMTPServerSession): void => {
    const connections = (server as unknown as { connections: Set<{ id: string; _socket: Socket }> })
      .connections;
    for (const connection of connections) if (connection.id === session.id) connection._socket.destroy();
  };
  const server: SMTPServer = new SMTPServer({
    disabledCommands: options.user === undefined ? ['STARTTLS', 'AUTH'] : ['STARTTLS'],
    allowInsecureAuth: true,
    authOptional: options.user === undefined,
    closeTimeout: 100,
    disableReverseLookup: true,
    onAuth: (auth, _session, done) =>
      auth.username === options.user && auth.password === options.password
        ? done(null, { user: auth.username })
        : done(refusal(535, '5.7.8 wrong password')),
    onRcptTo: ({ address }, _session, done) => {
      if (address.startsWith('bounce@')) return done(refusal(550, `5.1.1 <${address}> no such user`));
      if (address.startsWith('busy@')) return done(refusal(451, '4.7.1 greylisted, try again later'));
      return done();
    },
    onData: (stream, session, done) => {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const recipients = session.envelope.rcptTo.map(({ address }) => address);
        const first = recipients[0] ?? '';
        if (first.startsWith('spam@')) return done(refusal(554, '5.7.1 message refused'));
        if (first.startsWith('full@')) return done(refusal(452, '4.2.2 mailbox full'));
        received.push({ raw: Buffer.concat(chunks).toString('utf8'), recipients });
        if (first.startsWith('cut@')) return cut(session);
        if (first.startsWith('silent@')) return void wait(60_000);
        return done();
      });
    },
  });
  server.on('error', () => undefined);
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.server.address() as AddressInfo).port,
    received,
    stop: () => new Promise((resolve) => server.close(resolve)),
  };
};
