import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { parseAnyPresence } from '../../shared/collector/messages.ts';
import type { Broker, MqttSettings } from './broker.ts';
import type { Credentials } from './credentials.ts';
import { type Ending, REASON } from './ending.ts';
import { logMessage } from './messages.ts';
import { Connection, connect, type Protocol } from './mqtt.ts';
import type { OutboxEntry } from './outbox.ts';
import { foreignOnline, type Sessions } from './presence.ts';
import { TIMING } from './timing.ts';
import { follow, tlsOptions } from './tls.ts';
import { topicsOf } from './topics.ts';
import { endingOf } from './trouble.ts';

/** What is tried at the broker. */
export interface TrialOptions {
  readonly settings: MqttSettings;
  readonly credentials: Credentials;
  readonly gateway: string;
  /** Those of the store, so that presence of our own is told from that of somebody else. */
  readonly sessions: Sessions;
  /** An entry of the log that is sent once more, to learn whether it may be: whoever stores entries drops what it has. */
  readonly entry: OutboxEntry | undefined;
  readonly nowS: number;
}

/** How far one attempt to reach a broker came: what was found out on the way, and what ended it. */
export interface Trial {
  readonly addresses: readonly string[];
  /** When the certificate that the broker shows ends, Unix milliseconds. */
  readonly certificateEndsMs?: number;
  /** The version in which it accepted this gateway. */
  readonly protocol?: Protocol;
  /** Why it did not. */
  readonly ending?: Ending;
  /** What the port speaks, where that is not what the URL says. */
  readonly speaks?: 'TLS' | 'MQTT without TLS';
  /** The same user was let in under another client id. */
  readonly idRefused?: true;
  /** Who is online as this gateway, by what the broker has kept. */
  readonly online?: Online;
  /** What the gateway may do there; undefined where that was not tried. */
  readonly rights?: Rights;
}

/** A session that is online as this gateway, although no agent of it is known to run here. */
export interface Online {
  readonly session: string;
  /** Of this state folder: its agent was killed, or runs elsewhere with a copy of it. Else of somebody who is not known here. */
  readonly isOwn: boolean;
}

/** What the access list of a broker lets this gateway do, as far as it can be found out without saying anything new. */
export interface Rights {
  /** Reason of a refused subscription. */
  readonly filters?: number;
  /** Reason of a refused entry. Over 3.1.1 a broker cannot tell. */
  readonly log?: number;
  /** Whose presence was heard, by name. */
  readonly collectors: readonly string[];
}

const PATIENCE_MS = 8000;
/** For what a broker has kept to arrive. */
const LOOK_MS = 500;

/**
 * Goes the way of the uplink to one broker, once, and leaves again: name, TCP, TLS, MQTT, rights. First under a client id of
 * its own, to see who speaks as this gateway; only when nobody does under the id of the gateway, which a broker may treat in
 * another way. There is no will and no presence, and nothing is published but an entry that the log has.
 *
 * A broker that takes client ids from certificates or user names knows no id of its own for the first look: that puts out an agent that
 * runs elsewhere under this name, and takes back the will of one that was just killed. No look at such a broker avoids it.
 */
export const tryBroker = async (broker: Broker, options: TrialOptions): Promise<Trial> => {
  const addresses = await addressesOf(broker.host);
  if ('kind' in addresses) return { addresses: [], ending: addresses };
  const shown = broker.tls ? await handshake(broker, { ...options, tlsMin: options.settings.tls_min }) : {};
  if ('kind' in shown) return { addresses, ending: shown, ...(await otherwise(broker, shown, options)) };
  const met = await introduce(broker, options);
  const { ending } = met;
  return { addresses, ...shown, ...met, ...(ending === undefined ? {} : await otherwise(broker, ending, options)) };
};

const addressesOf = async (host: string): Promise<readonly string[] | Ending> => {
  try {
    return (await lookup(host, { all: true })).map(({ address }) => address);
  } catch (error) {
    return endingOf(error as Error, { host, port: 0, tls: false }, { waitsFor: 'TCP connection' });
  }
};

const handshake = (
  broker: Broker,
  options: Parameters<typeof tlsOptions>[0],
): Promise<Pick<Trial, 'certificateEndsMs'> | Ending> =>
  new Promise((resolve) => {
    const socket = connectTls({
      host: broker.host,
      port: broker.port,
      ...(isIP(broker.host) === 0 ? { servername: broker.host } : {}),
      ...tlsOptions(options),
    });
    const progress = follow(socket, true);
    const settle = (result: Pick<Trial, 'certificateEndsMs'> | Ending): void => {
      clearTimeout(late);
      socket.destroy();
      resolve(result);
    };
    const late = setTimeout(() => settle({ kind: 'timeout', waitedFor: progress.waitsFor }), PATIENCE_MS);
    socket.on('error', (error) => settle(endingOf(error, broker, progress)));
    // One that ends the connection in the middle gives no error.
    socket.on('close', () => settle({ kind: 'closed', connected: false }));
    socket.on('secureConnect', () => {
      const endsMs = Date.parse(progress.certificate?.validTo ?? '');
      settle(Number.isNaN(endsMs) ? {} : { certificateEndsMs: endsMs });
    });
  });

/** A port that breaks off, or answers nonsense, is asked whether it speaks what the URL does not say. No secret is shown to it. */
const otherwise = async (broker: Broker, ending: Ending, options: TrialOptions): Promise<Pick<Trial, 'speaks'>> => {
  const isStrange =
    ending.kind === 'closed' ||
    ending.kind === 'protocol' ||
    (ending.kind === 'network' && (ending.code === 'ECONNRESET' || ending.code === 'EPIPE')) ||
    (ending.kind === 'timeout' && ending.waitedFor !== 'TCP connection') ||
    (ending.kind === 'tls' && NO_TLS.includes(ending.code ?? ''));
  if (!isStrange) return {};
  if (broker.tls) {
    const plain = await once({ ...broker, tls: false }, '3.1.1', {
      ...options,
      credentials: {},
      clientId: own(options),
    });
    if (plain instanceof Connection) await plain.leave({ kind: 'left' });
    return plain instanceof Connection || plain.kind === 'refused' ? { speaks: 'MQTT without TLS' } : {};
  }
  const shown = await handshake({ ...broker, tls: true }, { credentials: {}, tlsMin: '1.2' });
  const speaksTls = !('kind' in shown) || (shown.kind === 'tls' && !NO_TLS.includes(shown.code ?? ''));
  return speaksTls ? { speaks: 'TLS' } : {};
};

const NO_TLS: readonly string[] = ['ERR_SSL_WRONG_VERSION_NUMBER', 'ERR_SSL_PACKET_LENGTH_TOO_LONG'];

/** The client id of this check. */
const own = ({ gateway }: TrialOptions): string => `${gateway}-doctor`;

const introduce = async (
  broker: Broker,
  options: TrialOptions,
): Promise<Pick<Trial, 'protocol' | 'ending' | 'online' | 'rights' | 'idRefused'>> => {
  const guest = await meet(broker, { ...options, clientId: own(options) });
  if (!(guest instanceof Connection)) {
    const isAboutWho = guest.kind === 'refused' && WHO.includes(guest.reason);
    return isAboutWho ? asItself(broker, options, false) : { ending: guest };
  }
  const { protocol } = guest;
  const online = await onlineAt(guest, options);
  // One that is put out at once has met somebody who wants the same client id, or a limit: no second try would say more.
  const ending = guest.open ? undefined : await guest.closed;
  await guest.leave({ kind: 'left' });
  if (online?.isOwn === false) return { protocol, online };
  if (ending !== undefined) return { ending };
  // One that was just killed has a will that its broker may still hold back: who comes as it would take that away.
  return online === undefined ? asItself(broker, options, true) : { protocol, online };
};

const WHO: readonly number[] = [REASON.clientIdInvalid, REASON.badCredentials, REASON.notAuthorised];

/** Who speaks as this gateway, by what the broker has kept. */
const onlineAt = async (
  connection: Connection,
  { settings, gateway, sessions, nowS }: TrialOptions,
): Promise<Online | undefined> => {
  const { conn } = topicsOf(settings.prefix, gateway);
  let kept: Uint8Array | undefined;
  connection.onMessage(({ topic, payload }) => {
    if (topic === conn) kept = payload;
    return undefined;
  });
  await connection.subscribe([conn]);
  await Promise.race([connection.closed, delay(LOOK_MS)]);
  if (kept === undefined) return undefined;
  const foreign = foreignOnline(kept, sessions, nowS, TIMING.rivalFreshS);
  if (foreign !== undefined) return { session: foreign.session, isOwn: false };
  const presence = parseAnyPresence(kept);
  const isOwn = presence?.state === 'online' && sessions.isOwn(presence.session);
  return isOwn ? { session: presence.session, isOwn } : undefined;
};

const asItself = async (
  broker: Broker,
  options: TrialOptions,
  wasLetIn: boolean,
): Promise<Pick<Trial, 'protocol' | 'ending' | 'rights' | 'idRefused'>> => {
  const connection = await meet(broker, { ...options, clientId: options.gateway });
  if (!(connection instanceof Connection))
    return { ending: connection, ...(wasLetIn && connection.kind === 'refused' ? { idRefused: true } : {}) };
  const rights = await rightsOn(connection, options);
  await connection.leave({ kind: 'left' });
  const ending = await connection.closed;
  return ending.kind === 'left' ? { protocol: connection.protocol, rights } : { ending };
};

const rightsOn = async (connection: Connection, { settings, gateway, entry }: TrialOptions): Promise<Rights> => {
  const topics = topicsOf(settings.prefix, gateway);
  const collectors = new Set<string>();
  connection.onMessage(({ topic, payload }) => {
    const channel = topics.read(topic);
    if (channel.kind === 'presence' && parseAnyPresence(payload)?.state === 'online') collectors.add(channel.collector);
    return undefined;
  });
  const filters = await connection.subscribe(topics.filters);
  const sent = entry === undefined ? undefined : await connection.publish(topics.log, entry.message, logMessage(entry));
  await Promise.race([connection.closed, delay(LOOK_MS)]);
  return {
    ...(filters === undefined ? {} : { filters }),
    ...(sent?.kind === 'refused' ? { log: sent.reason } : {}),
    collectors: [...collectors],
  };
};

/** As the uplink does: a broker that knows 3.1.1 only says so, or closes without a word. */
const meet = async (
  broker: Broker,
  options: TrialOptions & { readonly clientId: string },
): ReturnType<typeof connect> => {
  const wanted = options.settings.protocol;
  const first = await once(broker, wanted === 'auto' ? '5' : wanted, options);
  const isOld = first.kind === 'closed' || (first.kind === 'refused' && first.reason === REASON.unsupportedVersion);
  return wanted === 'auto' && isOld ? once(broker, '3.1.1', options) : first;
};

const once = (
  broker: Broker,
  protocol: Protocol,
  { settings, credentials, clientId }: Pick<TrialOptions, 'settings' | 'credentials'> & { readonly clientId: string },
): ReturnType<typeof connect> =>
  connect({
    broker,
    protocol,
    clientId,
    credentials,
    tlsMin: settings.tls_min,
    timing: { ...TIMING, connectMs: PATIENCE_MS, answerMs: PATIENCE_MS },
    signal: new AbortController().signal,
  });
