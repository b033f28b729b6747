/** Between the double's records and the protocol's messages. */
import gossip from '@eventstore/db-client/generated/gossip_pb.js';
import shared from '@eventstore/db-client/generated/shared_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import { Metadata, status } from '@grpc/grpc-js';
import type { Appended, Expected, Proposal, StoredRecord } from './log.js';

const { AppendReq, AppendResp, ReadResp } = streams;

const identifier = (stream: string) =>
  new shared.StreamIdentifier().setStreamName(Uint8Array.from(Buffer.from(stream)));

export const nameOf = (message: shared.StreamIdentifier | undefined): string =>
  Buffer.from(message?.getStreamName_asU8() ?? []).toString();

export const eventResponse = (record: StoredRecord, tellPosition = true): streams.ReadResp => {
  const position = tellPosition ? String(record.position) : String(2n ** 64n - 1n);
  const event = new ReadResp.ReadEvent.RecordedEvent()
    .setId(new shared.UUID().setString(record.id))
    .setStreamIdentifier(identifier(record.stream))
    .setStreamRevision(String(record.revision))
    .setCommitPosition(position)
    .setPreparePosition(position)
    .setData(record.data)
    .setCustomMetadata(record.metadata);
  event
    .getMetadataMap()
    .set('type', record.type)
    .set('content-type', record.contentType)
    .set('created', String(record.created));
  return new ReadResp().setEvent(new ReadResp.ReadEvent().setEvent(event).setCommitPosition(position));
};

export const notFoundResponse = (stream: string): streams.ReadResp =>
  new ReadResp().setStreamNotFound(new ReadResp.StreamNotFound().setStreamIdentifier(identifier(stream)));

export const confirmation = (id: string): streams.ReadResp =>
  new ReadResp().setConfirmation(new ReadResp.SubscriptionConfirmation().setSubscriptionId(id));

export const caughtUp = (): streams.ReadResp => new ReadResp().setCaughtUp(new ReadResp.CaughtUp());

export const checkpoint = (position: bigint): streams.ReadResp =>
  new ReadResp().setCheckpoint(
    new ReadResp.Checkpoint().setCommitPosition(String(position)).setPreparePosition(String(position)),
  );

export interface AppendCall {
  readonly stream: string;
  readonly expected: Expected;
  readonly events: readonly Proposal[];
}

const expectedOf = (options: streams.AppendReq.Options | undefined): Expected => {
  const { ExpectedStreamRevisionCase: cases } = AppendReq.Options;
  switch (options?.getExpectedStreamRevisionCase()) {
    case cases.REVISION:
      return BigInt(options.getRevision());
    case cases.NO_STREAM:
      return 'no_stream';
    case cases.STREAM_EXISTS:
      return 'exists';
    default:
      return 'any';
  }
};

const proposalOf = (message: streams.AppendReq.ProposedMessage): Proposal => ({
  id: message.getId()?.getString() ?? '',
  type: message.getMetadataMap().get('type') ?? '',
  contentType: message.getMetadataMap().get('content-type') ?? '',
  data: message.getData_asU8(),
  metadata: message.getCustomMetadata_asU8(),
});

export const appendCallOf = ([header, ...rest]: readonly streams.AppendReq[]): AppendCall => ({
  stream: nameOf(header?.getOptions()?.getStreamIdentifier()),
  expected: expectedOf(header?.getOptions()),
  events: rest.map((message) => proposalOf(message.getProposedMessage() ?? new AppendReq.ProposedMessage())),
});

const conflictResponse = (expected: Expected, current: bigint | undefined): streams.AppendResp => {
  const conflict = new AppendResp.WrongExpectedVersion();
  if (current === undefined) conflict.setCurrentNoStream(new shared.Empty());
  else conflict.setCurrentRevision(String(current));
  if (expected === 'no_stream') conflict.setExpectedNoStream(new shared.Empty());
  else if (expected === 'exists') conflict.setExpectedStreamExists(new shared.Empty());
  else if (expected === 'any') conflict.setExpectedAny(new shared.Empty());
  else conflict.setExpectedRevision(String(expected));
  return new AppendResp().setWrongExpectedVersion(conflict);
};

export const appendResponse = (
  { expected }: AppendCall,
  appended: Exclude<Appended, { kind: 'deleted' }>,
  tellPosition: boolean,
): streams.AppendResp => {
  if (appended.kind === 'conflict') return conflictResponse(expected, appended.current);
  const success = new AppendResp.Success().setCurrentRevision(String(appended.revision));
  const position = String(appended.position);
  if (tellPosition)
    success.setPosition(new AppendResp.Position().setCommitPosition(position).setPreparePosition(position));
  else success.setNoPosition(new shared.Empty());
  return new AppendResp().setSuccess(success);
};

/** A node as gossip tells of it. */
export interface ClusterMember {
  readonly port: number;
  readonly state: 'LEADER' | 'FOLLOWER';
}

export const memberOf = ({ port, state }: ClusterMember): gossip.MemberInfo =>
  new gossip.MemberInfo()
    .setInstanceId(new shared.UUID().setString('00000000-0000-4000-8000-000000000000'))
    .setIsAlive(true)
    .setState(gossip.MemberInfo.VNodeState[state])
    .setHttpEndPoint(new gossip.EndPoint().setAddress('127.0.0.1').setPort(port));

/** An error as the server's, which names its kind in a trailer. */
export const refusal = (code: status, exception: string, trailers: Readonly<Record<string, string>>) => {
  const metadata = new Metadata();
  metadata.set('exception', exception);
  for (const [name, value] of Object.entries(trailers)) metadata.set(name, value);
  return Object.assign(new Error(exception), { code, details: exception, metadata });
};

export const deletedRefusal = (stream: string) =>
  refusal(status.FAILED_PRECONDITION, 'stream-deleted', { 'stream-name': stream });
