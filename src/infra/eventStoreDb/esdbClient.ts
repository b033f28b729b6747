import { convertToCommandError, LEADER } from '@eventstore/db-client';
import { discoverEndpoint } from '@eventstore/db-client/dist/Client/discovery.js';
import streamsService from '@eventstore/db-client/generated/streams_grpc_pb.js';
import type streams from '@eventstore/db-client/generated/streams_pb.js';
import { Metadata } from '@grpc/grpc-js';
import type { Endpoint, EsdbAddress } from './esdbAddress.js';

/** The server writes events of up to 16 MB. */
const MAX_MESSAGE_BYTES = 17 * 1024 * 1024;
/** Callers give up by a timer of their own; the call's deadline only tidies up after them. */
const GRACE_MS = 1000;
const GOSSIP = { gossipTimeout: 1, maxDiscoverAttempts: 3, nodePreference: LEADER } as const;

type StreamsClient = InstanceType<typeof streamsService.StreamsClient>;

/** grpc-js shares connections and their reconnect pauses (up to two minutes) between channels unless told not to. */
const channelOptions = ({ keepAliveMs: { interval, timeout } }: EsdbAddress) => ({
  'grpc.use_local_subchannel_pool': 1,
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 2000,
  'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
  ...(interval >= 0 && {
    'grpc.keepalive_time_ms': interval,
    'grpc.keepalive_timeout_ms': timeout < 0 ? Number.MAX_SAFE_INTEGER : timeout,
  }),
});

/**
 * One connection to one node, speaking the protocol by the client package's generated stubs. Its own `Client` class
 * is not used: appends of every instance share one process-wide batch, subscriptions announce checkpoints and
 * caughtUp ahead of the events they buffer, JSON is parsed before anybody can keep its digits, reads have no
 * deadline, and an error met while it discovers nodes is an unhandled rejection (docs/adr/0030).
 */
export class EsdbClient {
  #stub: Promise<StreamsClient> | undefined;
  #connected = false;
  #closed = false;

  /** @param node where to connect; undefined: as the address says */
  constructor(
    private readonly address: EsdbAddress,
    private readonly node?: Endpoint,
  ) {}

  /** False while the node is still being looked for. */
  get connected(): boolean {
    return this.#connected;
  }

  async append(messages: readonly streams.AppendReq[], deadlineMs: number): Promise<streams.AppendResp> {
    const stub = await this.#connect();
    return new Promise((resolve, reject) => {
      const fail = (error: Error) => reject(convertToCommandError(error));
      const call = stub.append(
        this.#metadata(),
        { deadline: Date.now() + deadlineMs + GRACE_MS },
        (error, response) => (error ? fail(error) : resolve(response)),
      );
      call.on('error', fail);
      for (const message of messages) call.write(message);
      call.end();
    });
  }

  /** The answers to a read or a subscription, one at a time; ends the call when the consumer stops or the signal aborts. */
  async *read(
    request: streams.ReadReq,
    { deadlineMs = Infinity, signal }: { readonly deadlineMs?: number; readonly signal?: AbortSignal },
  ): AsyncGenerator<streams.ReadResp> {
    const stub = await this.#connect();
    if (signal?.aborted) return;
    const call = stub.read(request, this.#metadata(), { deadline: Date.now() + deadlineMs + GRACE_MS });
    const cancel = () => call.cancel();
    // An error after the consumer left would otherwise end the process.
    call.on('error', () => undefined);
    signal?.addEventListener('abort', cancel, { once: true });
    try {
      for await (const response of call as AsyncIterable<streams.ReadResp>) yield response;
    } catch (error) {
      throw convertToCommandError(error as Error);
    } finally {
      signal?.removeEventListener('abort', cancel);
      cancel();
    }
  }

  /** Calls in flight may still end; no new one starts. */
  close(): void {
    this.#closed = true;
    this.#stub?.then((stub) => stub.close()).catch(() => undefined);
  }

  #connect(): Promise<StreamsClient> {
    if (this.#closed) return Promise.reject(new Error('the connection to the event store is closed'));
    return (this.#stub ??= this.#open());
  }

  async #open(): Promise<StreamsClient> {
    const { address, port } = this.node ?? (await this.#discover());
    const options = channelOptions(this.address);
    const stub = new streamsService.StreamsClient(`${address}:${port}`, this.address.channel, options);
    this.#connected = true;
    return stub;
  }

  async #discover(): Promise<Endpoint> {
    const { seeds, discover, channel } = this.address;
    const [first] = seeds;
    if (first === undefined) throw new RangeError('EVENTSTORE_URL names no host');
    if (discover === 'no') return first;
    return discover === 'dns'
      ? discoverEndpoint({ ...GOSSIP, discover: first }, channel)
      : discoverEndpoint({ ...GOSSIP, endpoints: [...seeds] }, channel);
  }

  /** A decision is taken from what is read: only the leader has all of it. */
  #metadata(): Metadata {
    const metadata = new Metadata();
    metadata.add('connection-name', this.address.connectionName);
    metadata.add('requires-leader', 'true');
    if (this.address.authorization !== undefined) metadata.add('authorization', this.address.authorization);
    return metadata;
  }
}
