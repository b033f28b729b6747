import shared from '@eventstore/db-client/generated/shared_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import type { NewEvent, Position, StreamId } from '../../events/envelope.js';
import type { ExpectedRevision } from '../../events/eventStore.js';

const { AppendReq, ReadReq } = streams;
const { Options } = ReadReq;
const { FORWARDS, BACKWARDS } = Options.ReadDirection;

const bytes = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'utf8'));

const identifier = (stream: StreamId) => new shared.StreamIdentifier().setStreamName(bytes(stream));

/** An event as the server takes it: what is in its metadata is our business. */
export type ProposedEvent = Omit<NewEvent, 'metadata'> & { readonly metadata: object };

const proposal = ({ id, type, data, metadata }: ProposedEvent): streams.AppendReq => {
  const message = new AppendReq.ProposedMessage()
    .setId(new shared.UUID().setString(id))
    .setData(bytes(JSON.stringify(data)))
    .setCustomMetadata(bytes(JSON.stringify(metadata)));
  message.getMetadataMap().set('type', type).set('content-type', 'application/json');
  return new AppendReq().setProposedMessage(message);
};

/** One append: what is expected, then each event. */
export const appendRequests = (
  stream: StreamId,
  expected: ExpectedRevision,
  events: readonly ProposedEvent[],
): streams.AppendReq[] => {
  const options = new AppendReq.Options().setStreamIdentifier(identifier(stream));
  if (expected === 'no_stream') options.setNoStream(new shared.Empty());
  else options.setRevision(String(expected));
  return [new AppendReq().setOptions(options), ...events.map(proposal)];
};

const options = () =>
  new Options()
    .setNoFilter(new shared.Empty())
    .setUuidOption(new Options.UUIDOption().setString(new shared.Empty()))
    .setResolveLinks(false);

const allFrom = (position: Position) => {
  const all = new Options.AllOptions();
  const at = new Options.Position().setCommitPosition(String(position)).setPreparePosition(String(position));
  return position === 0n ? all.setStart(new shared.Empty()) : all.setPosition(at);
};

/** A stream from a revision on, inclusive. */
export const streamRequest = (stream: StreamId, revision: bigint, count: number): streams.ReadReq =>
  new ReadReq().setOptions(
    options()
      .setStream(
        new Options.StreamOptions().setStreamIdentifier(identifier(stream)).setRevision(String(revision)),
      )
      .setCount(String(count))
      .setReadDirection(FORWARDS),
  );

/** The newest event of a stream. */
export const newestRequest = (stream: StreamId): streams.ReadReq =>
  new ReadReq().setOptions(
    options()
      .setStream(
        new Options.StreamOptions().setStreamIdentifier(identifier(stream)).setEnd(new shared.Empty()),
      )
      .setCount('1')
      .setReadDirection(BACKWARDS),
  );

/** The log from a position on, inclusive. */
export const allRequest = (position: Position, count: number): streams.ReadReq =>
  new ReadReq().setOptions(
    options().setAll(allFrom(position)).setCount(String(count)).setReadDirection(FORWARDS),
  );

/** The log from a position back, inclusive; undefined: from its end. */
export const backwardsRequest = (position: Position | undefined, count: number): streams.ReadReq => {
  const end = new Options.AllOptions().setEnd(new shared.Empty());
  const from = position === undefined ? end : allFrom(position);
  return new ReadReq().setOptions(options().setAll(from).setCount(String(count)).setReadDirection(BACKWARDS));
};

/** Everything after a position, exclusive, and what comes. */
export const subscribeRequest = (after: Position): streams.ReadReq =>
  new ReadReq().setOptions(
    options().setAll(allFrom(after)).setSubscription(new Options.SubscriptionOptions()),
  );
