/** The service of the test double, from the definitions that the client package ships. */
import gossipService from '@eventstore/db-client/generated/gossip_grpc_pb.js';
import gossip from '@eventstore/db-client/generated/gossip_pb.js';
import featuresService from '@eventstore/db-client/generated/serverfeatures_grpc_pb.js';
import features from '@eventstore/db-client/generated/serverfeatures_pb.js';
import streamsService from '@eventstore/db-client/generated/streams_grpc_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import {
  type handleClientStreamingCall,
  type handleServerStreamingCall,
  type handleUnaryCall,
  type Metadata,
  Server,
  ServerCredentials,
  type ServerWritableStream,
  status,
} from '@grpc/grpc-js';
import { randomUUID } from 'node:crypto';
import type { EsdbLog, StoredRecord } from './log.js';
import * as messages from './messages.js';

type ReadCall = ServerWritableStream<streams.ReadReq, streams.ReadResp>;

/** What the double does other than a healthy server, until it is set back. */
export interface Quirks {
  /** Where the leader is: this node is not. */
  leader: { readonly host: string; readonly port: number } | undefined;
  /** Who this node says is in the cluster. */
  cluster: readonly messages.ClusterMember[];
  /** So many appends are written and never answered. */
  unanswered: number;
  /** What is appended meanwhile makes subscriptions fall silent for good, without an error. */
  mute: boolean;
  /** caughtUp and a checkpoint at the head come before the events that they are about. */
  eager: boolean;
  /** How long answers to reads (not subscriptions) and appends take, in milliseconds. */
  slow: { readonly reads: number; readonly appends: number };
  /** Appends and stream reads tell no position. */
  positionless: 'nothing' | 'appends' | 'all';
}

export interface Calls {
  append: number;
  batchAppend: number;
  subscribe: number;
  /** Deletions and tombstones. */
  remove: number;
}

export const healthy = (): Quirks => ({
  leader: undefined,
  cluster: [],
  unanswered: 0,
  mute: false,
  eager: false,
  slow: { reads: 0, appends: 0 },
  positionless: 'nothing',
});

export class EsdbService {
  readonly quirks: Quirks = healthy();
  readonly calls: Calls = { append: 0, batchAppend: 0, subscribe: 0, remove: 0 };

  constructor(private readonly log: EsdbLog) {}

  /** Listens on a free port of this machine. */
  async listen(): Promise<{ readonly port: number; readonly stop: () => void }> {
    const server = new Server();
    server.addService(streamsService.StreamsService, {
      append: this.#append,
      read: this.#read,
      delete: this.#remove('delete', streams.DeleteResp),
      tombstone: this.#remove('tombstone', streams.TombstoneResp),
      batchAppend: (call: ReadCall) => {
        this.calls.batchAppend += 1;
        call.emit('error', messages.refusal(status.UNIMPLEMENTED, 'unknown', {}));
      },
    });
    server.addService(gossipService.GossipService, { read: this.#gossip });
    server.addService(featuresService.ServerFeaturesService, { getSupportedMethods: supported });
    const port = await new Promise<number>((resolve, reject) =>
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
        error ? reject(error) : resolve(bound),
      ),
    );
    return { port, stop: () => server.forceShutdown() };
  }

  readonly #append: handleClientStreamingCall<streams.AppendReq, streams.AppendResp> = (call, answer) => {
    this.calls.append += 1;
    const parts: streams.AppendReq[] = [];
    call.on('data', (part: streams.AppendReq) => parts.push(part));
    call.on('end', () =>
      setImmediate(() => {
        // A call that was cut ends too, with some of its parts, and only then says so: no server writes half an append.
        if (call.cancelled) return;
        const refused = this.#notLeader(call.metadata);
        if (refused) return answer(refused);
        const request = messages.appendCallOf(parts);
        const appended = this.log.append(request.stream, request.expected, request.events);
        if (appended.kind === 'deleted') return answer(messages.deletedRefusal(request.stream));
        if (this.quirks.unanswered > 0) return void (this.quirks.unanswered -= 1);
        const { slow, positionless } = this.quirks;
        const response = messages.appendResponse(request, appended, positionless === 'nothing');
        afterMs(slow.appends, () => answer(null, response));
      }),
    );
  };

  readonly #gossip: handleUnaryCall<unknown, gossip.ClusterInfo> = (_call, answer) =>
    answer(null, new gossip.ClusterInfo().setMembersList(this.quirks.cluster.map(messages.memberOf)));

  readonly #read: handleServerStreamingCall<streams.ReadReq, streams.ReadResp> = (call) => {
    const refused = this.#notLeader(call.metadata);
    const options = call.request.getOptions();
    if (refused) call.emit('error', refused);
    else if (options === undefined) call.end();
    else if (options.hasSubscription()) this.#subscribe(call, options);
    else
      afterMs(this.quirks.slow.reads, () => {
        if (options.hasStream()) this.#readStream(call, options);
        else this.#readAll(call, options);
      });
  };

  #readStream(call: ReadCall, options: streams.ReadReq.Options): void {
    const from = options.getStream();
    const stream = messages.nameOf(from?.getStreamIdentifier());
    if (this.log.isTombstoned(stream)) return void call.emit('error', messages.deletedRefusal(stream));
    const records = this.log.visible(stream);
    if (records.length === 0) {
      call.write(messages.notFoundResponse(stream));
      return void call.end();
    }
    const start = from?.hasRevision() ? BigInt(from.getRevision()) : undefined;
    this.#send(call, options, records, (record) => record.revision, start);
  }

  #readAll(call: ReadCall, options: streams.ReadReq.Options): void {
    const at = options.getAll()?.getPosition();
    const start = at && BigInt(at.getCommitPosition());
    this.#send(call, options, this.log.records, (record) => record.position, start);
  }

  /** Inclusive, in the direction asked for. */
  #send(
    call: ReadCall,
    options: streams.ReadReq.Options,
    records: readonly StoredRecord[],
    placeOf: (record: StoredRecord) => bigint,
    start: bigint | undefined,
  ): void {
    const backwards = options.getReadDirection() === streams.ReadReq.Options.ReadDirection.BACKWARDS;
    const inRange = records.filter(
      (record) => start === undefined || (backwards ? placeOf(record) <= start : placeOf(record) >= start),
    );
    const ordered = backwards ? inRange.toReversed() : inRange;
    for (const record of ordered.slice(0, Number(options.getCount())))
      call.write(messages.eventResponse(record, this.quirks.positionless !== 'all'));
    call.end();
  }

  /** Exclusive of the position given. */
  #subscribe(call: ReadCall, options: streams.ReadReq.Options): void {
    this.calls.subscribe += 1;
    const at = options.getAll()?.getPosition();
    let sent = at ? BigInt(at.getCommitPosition()) : 0n;
    let silent = false;
    const send = () => {
      silent ||= this.quirks.mute;
      if (silent) return;
      for (const record of this.#recordsAfter(sent)) {
        call.write(messages.eventResponse(record));
        sent = record.position;
      }
    };
    call.write(messages.confirmation(randomUUID()));
    if (this.quirks.eager) {
      call.write(messages.caughtUp());
      call.write(messages.checkpoint(this.log.records.at(-1)?.position ?? 0n));
    }
    send();
    if (!silent) call.write(messages.caughtUp());
    const forget = this.log.onAppend(send);
    for (const end of ['cancelled', 'close', 'error']) call.on(end, forget);
  }

  #recordsAfter(position: bigint): readonly StoredRecord[] {
    const { records } = this.log;
    let from = records.length;
    while (from > 0 && (records[from - 1]?.position ?? 0n) > position) from -= 1;
    return records.slice(from);
  }

  #remove<R extends streams.DeleteResp | streams.TombstoneResp>(
    how: 'delete' | 'tombstone',
    Response: new () => R,
  ): handleUnaryCall<streams.DeleteReq | streams.TombstoneReq, R> {
    return (call, answer) => {
      this.calls.remove += 1;
      this.log[how](messages.nameOf(call.request.getOptions()?.getStreamIdentifier()));
      answer(null, new Response());
    };
  }

  #notLeader(metadata: Metadata) {
    const { leader } = this.quirks;
    if (leader === undefined || !metadata.get('requires-leader').includes('true')) return undefined;
    return messages.refusal(status.NOT_FOUND, 'not-leader', {
      'leader-endpoint-host': leader.host,
      'leader-endpoint-port': String(leader.port),
    });
  }
}

const afterMs = (ms: number, work: () => void): void => {
  if (ms === 0) work();
  else setTimeout(work, ms);
};

/** What a server of the current line says it can do, as far as the double can. */
const supported: handleUnaryCall<unknown, features.SupportedMethods> = (_call, answer) => {
  const methods = ['append', 'read', 'delete', 'tombstone'].map((name) =>
    new features.SupportedMethod().setServiceName('event_store.client.streams.streams').setMethodName(name),
  );
  answer(null, new features.SupportedMethods().setEventStoreServerVersion('24.10.0').setMethodsList(methods));
};
