import { readFileSync } from 'node:fs';
import {
  type ConnectionOptions,
  parseConnectionString,
} from '@eventstore/db-client/dist/Client/parseConnectionString.js';
import { type ChannelCredentials, credentials } from '@grpc/grpc-js';

export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** Where the server is and how to speak to it: what EVENTSTORE_URL says. */
export interface EsdbAddress {
  readonly seeds: readonly Endpoint[];
  /** True when the nodes are found by asking the seeds (gossip), false when the one seed is the server. */
  readonly discover: 'dns' | 'seeds' | 'no';
  readonly channel: ChannelCredentials;
  /** The Authorization header; sent over TLS only. */
  readonly authorization: string | undefined;
  readonly connectionName: string;
  readonly keepAliveMs: { readonly interval: number; readonly timeout: number };
}

const SCHEME = /^(?:esdb|kurrentdb|kurrent|kdb)(\+discover)?:\/\//;
const USER = /^([^:/?#]+):([^@]*)@/;
const KEEP_ALIVE_MS = 10_000;

const fileOf = (path: string | undefined): Buffer | null => (path === undefined ? null : readFileSync(path));

const channelOf = ({ tls, tlsCAFile, userCertFile, userKeyFile }: ConnectionOptions): ChannelCredentials =>
  tls === false
    ? credentials.createInsecure()
    : credentials.createSsl(fileOf(tlsCAFile), fileOf(userKeyFile), fileOf(userCertFile));

const parsed = (text: string): ConnectionOptions => {
  try {
    return parseConnectionString(text);
  } catch (cause) {
    throw new Error('EVENTSTORE_URL cannot be understood: esdb://host:2113?tls=false, for example', {
      cause,
    });
  }
};

/**
 * Reads a connection string of EventStoreDB or KurrentDB. User and password are taken off before the client's parser
 * sees it, because that one prints the whole text when it meets an option it does not know.
 * @throws Error that tells nothing of the password
 */
export const parseAddress = (url: string, defaultName: string): EsdbAddress => {
  const rest = url.replace(SCHEME, '');
  if (rest === url) throw new Error('EVENTSTORE_URL must start with esdb:// or esdb+discover://');
  const [all, user, password] = USER.exec(rest) ?? ['', undefined, undefined];
  const options = parsed(`esdb${SCHEME.exec(url)?.[1] ?? ''}://${rest.slice(all.length)}`);
  const { hosts: seeds, dnsDiscover, tls } = options;
  const login = `${decodeURIComponent(user ?? '')}:${decodeURIComponent(password ?? '')}`;
  return {
    seeds,
    discover: dnsDiscover ? 'dns' : seeds.length > 1 ? 'seeds' : 'no',
    channel: channelOf(options),
    authorization:
      user === undefined || tls === false ? undefined : `Basic ${Buffer.from(login).toString('base64')}`,
    connectionName: options.connectionName ?? defaultName,
    keepAliveMs: {
      interval: options.keepAliveInterval ?? KEEP_ALIVE_MS,
      timeout: options.keepAliveTimeout ?? KEEP_ALIVE_MS,
    },
  };
};
