import './environment.ts';
import type { Socket } from 'node:net';
import mqtt from 'mqtt';
import type { Broker } from './broker.ts';
import type { Credentials } from './credentials.ts';
import { type Ending, reasonOf } from './ending.ts';
import { type PublishOptions, publishBytes } from './packet.ts';
import type { Timing } from './timing.ts';
import { follow, type Progress, tlsOptions } from './tls.ts';
import { endingOf } from './trouble.ts';

/** Most messages on their way to a broker at the same time, where it does not ask for less. */
const WINDOW = 32;
const SESSION_EXPIRY_S = 300;
const WILL_EXPIRY_S = 86_400;
const LARGEST_PACKET_TAKEN = 65_536;
/** The manifest that a collector hears names a whole fleet. */
const LARGEST_PACKET_HEARD = 262_144;
/** So many times an answer is waited for while the broker delivers. */
const MOST_WAITS = 20;

/** Versions of MQTT that are spoken. */
export type Protocol = '5' | '3.1.1';

/** One attempt to connect. */
export interface ConnectOptions {
  readonly broker: Broker;
  readonly protocol: Protocol;
  readonly clientId: string;
  readonly credentials: Credentials;
  readonly tlsMin: '1.2' | '1.3';
  readonly will?: { readonly topic: string; readonly payload: Uint8Array; readonly retain: boolean };
  /** This client is a collector: a fleet is delivered to it, behind which answers stand, and the manifest that names all of it. */
  readonly isCollector?: boolean | undefined;
  readonly timing: Timing;
  readonly signal: AbortSignal;
}

/** What the broker said about itself in CONNACK; over 3.1.1 it says nothing and these are the defaults of MQTT 5. */
export interface ServerFacts {
  readonly sessionPresent: boolean;
  readonly receiveMaximum: number;
  readonly maximumPacketSize: number;
  readonly maximumQos: number;
  readonly retainAvailable: boolean;
  readonly assignedClientId?: string;
}

/** What became of one publish. `acknowledged` says that a broker took the packet, not that anyone stored it (mqtt.md §1). */
export type PublishResult =
  | { readonly kind: 'acknowledged' }
  | { readonly kind: 'refused'; readonly reason: number }
  /** Larger than the broker takes; nothing was sent. */
  | { readonly kind: 'oversize'; readonly bytes: number; readonly limit: number }
  /** The connection ended, or had ended, before an answer came. */
  | { readonly kind: 'closed' };

const CLOSED: PublishResult = { kind: 'closed' };

/** A message of a subscription. Beside topic and payload nothing of it is needed, and nothing of it is evidence. */
export interface Delivered {
  readonly topic: string;
  readonly payload: Uint8Array;
  /** The broker had kept it. */
  readonly retained: boolean;
  /** Where MQTT 5 says that an answer should go, and what it should bring along. */
  readonly responseTopic?: string;
  readonly correlation?: Uint8Array;
}

/**
 * One connection, from TCP to CONNACK. The only importer of the MQTT library, of which it uses as little as it can: no
 * reconnect, no store, no queue, one client object per connection (mqtt.md §11). Aborting the signal ends the attempt.
 */
export const connect = (options: ConnectOptions): Promise<Connection | Ending> => {
  if (options.signal.aborted) return Promise.resolve({ kind: 'left' });
  try {
    return awaitConnack(mqtt.connect(clientOptions(options)), options);
  } catch (error) {
    return Promise.resolve({ kind: 'tls', message: (error as Error).message });
  }
};

const awaitConnack = (client: mqtt.MqttClient, options: ConnectOptions): Promise<Connection | Ending> => {
  // Over TCP and TLS the stream of the library is a socket.
  const socket = client.stream as unknown as Socket;
  const progress = follow(socket, options.broker.tls);
  const trouble = watchTrouble(client, options.broker, progress);
  const hearing = new Hearing(client);
  // The library leaves Nagle's algorithm on, which costs 44 ms per acknowledgement.
  socket.setNoDelay(true);
  return new Promise((resolve) => {
    const settle = (result: Connection | Ending): void => {
      clearTimeout(timer);
      options.signal.removeEventListener('abort', leave);
      client.off('close', failed);
      client.off('error', failed);
      if (result.kind !== 'connected') client.end(true);
      resolve(result);
    };
    const leave = (): void => settle({ kind: 'left' });
    const failed = (): void => settle(trouble.ending ?? { kind: 'closed', connected: false });
    const timer = setTimeout(() => settle({ kind: 'timeout', waitedFor: progress.waitsFor }), options.timing.connectMs);
    options.signal.addEventListener('abort', leave);
    client.once('close', failed);
    client.once('error', failed);
    client.once('connect', (connack) =>
      settle(new Connection(client, options, { server: serverFacts(connack), trouble, hearing, progress })),
    );
  });
};

const clientOptions = (options: ConnectOptions): mqtt.IClientOptions & { readonly [name: string]: unknown } => {
  const { broker, credentials, timing, will } = options;
  const five = options.protocol === '5';
  return {
    protocol: broker.tls ? 'mqtts' : 'mqtt',
    host: broker.host,
    port: broker.port,
    ...(broker.tls ? tlsOptions(options) : {}),
    ...(credentials.username === undefined ? {} : { username: credentials.username }),
    ...(credentials.password === undefined ? {} : { password: credentials.password }),
    clientId: options.clientId,
    protocolVersion: five ? 5 : 4,
    clean: !five,
    keepalive: timing.keepAliveS,
    reconnectPeriod: 0,
    // Our own timer comes first and names what was missing.
    connectTimeout: timing.connectMs * 2,
    queueQoSZero: false,
    resubscribe: false,
    // Without this the library allocates 65 536 buffers with the two-byte numbers.
    writeCache: false,
    log: () => {},
    ...(will === undefined ? {} : { will: willOf(will, five, timing) }),
    ...(five ? { properties: connectProperties(options) } : {}),
  };
};

const willOf = ({ topic, payload, retain }: NonNullable<ConnectOptions['will']>, five: boolean, timing: Timing) => ({
  topic,
  payload: asBuffer(payload),
  qos: 1 as const,
  retain,
  ...(five ? { properties: willProperties(timing) } : {}),
});

const connectProperties = ({ isCollector }: ConnectOptions) => ({
  sessionExpiryInterval: SESSION_EXPIRY_S,
  receiveMaximum: WINDOW,
  maximumPacketSize: isCollector ? LARGEST_PACKET_HEARD : LARGEST_PACKET_TAKEN,
});

const willProperties = ({ willDelayS }: Timing) => ({
  willDelayInterval: willDelayS,
  payloadFormatIndicator: true,
  messageExpiryInterval: WILL_EXPIRY_S,
  contentType: 'application/json',
});

const serverFacts = ({ sessionPresent, properties = {} }: mqtt.IConnackPacket): ServerFacts => ({
  sessionPresent,
  receiveMaximum: properties.receiveMaximum ?? 65_535,
  maximumPacketSize: properties.maximumPacketSize ?? Number.POSITIVE_INFINITY,
  maximumQos: properties.maximumQoS ?? 2,
  retainAvailable: properties.retainAvailable ?? true,
  ...(properties.assignedClientIdentifier === undefined
    ? {}
    : { assignedClientId: properties.assignedClientIdentifier }),
});

/** The first thing that went wrong on a connection, by which its end is explained. */
interface Trouble {
  ending: Ending | undefined;
}

const watchTrouble = (client: mqtt.MqttClient, broker: Broker, progress: Progress): Trouble => {
  const trouble: Trouble = { ending: undefined };
  const note = (ending: Ending): void => {
    trouble.ending ??= ending;
  };
  client.on('error', (error) => note(endingOf(error, broker, progress)));
  client.on('packetreceive', (packet) => {
    if (packet.cmd === 'connack') noteRefusal(packet.reasonCode ?? reasonOf(packet.returnCode), packet.properties);
    if (packet.cmd === 'disconnect') noteRefusal(packet.reasonCode ?? 0, packet.properties);
  });
  const noteRefusal = (reason: number, properties: { readonly serverReference?: string } | undefined): void => {
    if (reason < 0x80) return;
    const { serverReference } = properties ?? {};
    note({ kind: 'refused', reason, ...(serverReference === undefined ? {} : { serverReference }) });
  };
  return trouble;
};

/** Hears messages. The next one is read when the promise that it may give has settled. */
export type Listener = (message: Delivered) => Promise<void> | undefined;

/**
 * Every message, from the first packet on, to one listener. What a session had waiting may come in one piece with CONNACK,
 * before there is one: until then the connection is not read on, so that nothing is heard by nobody or piles up.
 */
class Hearing {
  #listener: Listener | undefined;
  #first: (() => void) | undefined;

  constructor(client: mqtt.MqttClient) {
    client.handleMessage = (packet, done) => {
      if (this.#listener === undefined) this.#first = () => this.#hear(packet, done);
      else this.#hear(packet, done);
    };
  }

  tell(listener: Listener): void {
    this.#listener = listener;
    this.#first?.();
    this.#first = undefined;
  }

  /** Where nobody ever listened what came is passed over: a connection that is not read does not end. */
  readOn(): void {
    if (this.#listener === undefined) this.tell(() => undefined);
  }

  #hear({ topic, payload, retain, properties = {} }: mqtt.IPublishPacket, done: () => void): void {
    const { responseTopic, correlationData } = properties;
    const room = this.#listener?.({
      topic,
      payload: typeof payload === 'string' ? Buffer.from(payload) : payload,
      retained: retain,
      ...(responseTopic === undefined ? {} : { responseTopic }),
      ...(correlationData === undefined ? {} : { correlation: correlationData }),
    });
    if (room === undefined) done();
    else void room.then(() => done());
  }
}

/** A connection after CONNACK. It never queues beyond the broker's window, and no publish outlives it unanswered. */
export class Connection {
  readonly kind = 'connected';
  readonly protocol: Protocol;
  readonly broker: Broker;
  readonly server: ServerFacts;
  /** What the broker showed, where there is TLS. */
  readonly certificate: Progress['certificate'];
  /** Most messages that may be unacknowledged: the library does not enforce the broker's receive maximum. */
  readonly window: number;
  /** Settles once, with why it ended. */
  readonly closed: Promise<Ending>;
  readonly #client: mqtt.MqttClient;
  readonly #timing: Timing;
  readonly #pending = new Set<(result: PublishResult) => void>();
  readonly #answers = new Set<Promise<PublishResult>>();
  readonly #waiting: (() => void)[] = [];
  readonly #trouble: Trouble;
  readonly #hearing: Hearing;
  /** When the broker sent something last, where much may come before an answer. */
  #receivedMs = Number.NEGATIVE_INFINITY;
  #inflight = 0;
  #open = true;
  #close: (ending: Ending) => void = () => {};

  constructor(
    client: mqtt.MqttClient,
    options: ConnectOptions,
    {
      server,
      trouble,
      hearing,
      progress,
    }: {
      readonly server: ServerFacts;
      readonly trouble: Trouble;
      readonly hearing: Hearing;
      readonly progress: Progress;
    },
  ) {
    this.#client = client;
    this.#timing = options.timing;
    this.#trouble = trouble;
    this.#hearing = hearing;
    this.protocol = options.protocol;
    this.broker = options.broker;
    this.server = server;
    this.certificate = progress.certificate;
    this.window = Math.min(WINDOW, server.receiveMaximum);
    this.closed = new Promise((resolve) => {
      this.#close = resolve;
    });
    const failed = (): void => this.drop({ kind: 'closed', connected: true });
    client.once('close', failed);
    // The library reports a packet it cannot parse and reads on.
    client.once('error', failed);
    if (options.isCollector) {
      client.on('packetreceive', () => {
        this.#receivedMs = performance.now();
      });
    }
  }

  get open(): boolean {
    return this.#open;
  }

  /** Calls back for each message, from the first one on: nothing is read before. To be called at once. */
  onMessage(listener: Listener): void {
    this.#hearing.tell(listener);
  }

  /** A QoS 1 publish would go out now. */
  get hasRoom(): boolean {
    return this.#inflight < this.window;
  }

  /**
   * QoS 0 publish, for what is worth nothing when it is late and is said again anyway: it waits for no answer to anything. A
   * connection that takes nothing for now is spared it.
   */
  tell(topic: string, payload: Uint8Array, { retain, ...properties }: PublishOptions): void {
    if (!this.#open || this.#client.stream.writableNeedDrain) return;
    const five = this.protocol === '5' ? { properties: publishProperties(properties) } : {};
    this.#client.publish(topic, asBuffer(payload), { qos: 0, retain, ...five });
  }

  /** QoS 1 publish, as soon as the window has room. A missing answer ends the connection: its place in the window is lost. */
  async publish(topic: string, payload: Uint8Array, options: PublishOptions): Promise<PublishResult> {
    const bytes = publishBytes(topic, payload.length, options);
    const limit = this.server.maximumPacketSize;
    if (bytes > limit) return { kind: 'oversize', bytes, limit };
    if (this.#inflight < this.window) this.#inflight += 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    if (!this.#open) return CLOSED;
    const answer = this.#send(topic, payload, options);
    this.#answers.add(answer);
    const result = await answer;
    this.#answers.delete(answer);
    this.#passOn();
    return result;
  }

  /** Gives the place in the window to whoever waits longest, so that messages keep their order. */
  #passOn(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#inflight -= 1;
    else next();
  }

  #send(topic: string, payload: Uint8Array, { retain, ...properties }: PublishOptions): Promise<PublishResult> {
    return new Promise((resolve) => {
      const settle = (result: PublishResult): void => {
        stopWaiting();
        this.#pending.delete(settle);
        resolve(result);
      };
      const stopWaiting = this.#expect('PUBACK');
      this.#pending.add(settle);
      this.#client.publish(
        topic,
        asBuffer(payload),
        {
          qos: 1,
          retain: retain && this.server.retainAvailable,
          ...(this.protocol === '5' ? { properties: publishProperties(properties) } : {}),
        },
        (error) => settle(publishResult(error)),
      );
    });
  }

  /**
   * A broker that does not answer is given up, unless the answer may stand behind what it delivers meanwhile: Mosquitto
   * 2.0.11 keeps to no receive maximum, so that is everything that waits for a collector. Gives the way to stop waiting.
   */
  #expect(waitedFor: 'PUBACK' | 'SUBACK'): () => void {
    const { answerMs } = this.#timing;
    let waits = 0;
    const look = (): void => {
      waits += 1;
      const isDelivering = performance.now() - this.#receivedMs < answerMs;
      if (isDelivering && waits < MOST_WAITS) timer = setTimeout(look, answerMs);
      else this.drop({ kind: 'timeout', waitedFor });
    };
    let timer = setTimeout(look, answerMs);
    return () => clearTimeout(timer);
  }

  /** SUBSCRIBE with QoS 1. Returns the first reason that is a refusal, or undefined when all were granted. */
  subscribe(topics: readonly string[]): Promise<number | undefined> {
    return new Promise((resolve) => {
      const stopWaiting = this.#expect('SUBACK');
      this.#client.subscribe([...topics], { qos: 1 }, (_error, _granted, suback) => {
        stopWaiting();
        // Without a SUBACK the connection is gone, and `closed` tells why.
        resolve(suback?.granted.map(Number).find((reason) => reason >= 0x80));
      });
    });
  }

  /** Waits for what is on its way, then DISCONNECT with reason 0, which also withdraws the will. `closed` gives `ending`. */
  async leave(ending: Ending): Promise<void> {
    this.#hearing.readOn();
    const giveUp = setTimeout(() => this.drop(ending), this.#timing.stopMs);
    await Promise.all(this.#answers);
    this.#trouble.ending ??= ending;
    if (this.#open) this.#client.end(false);
    await this.closed;
    clearTimeout(giveUp);
  }

  /** Ends the connection without DISCONNECT, so that the broker publishes the will. Everything pending settles as closed. */
  drop(ending: Ending): void {
    if (!this.#open) return;
    this.#open = false;
    this.#client.end(true);
    // After an `end` that is still under way a second one does nothing.
    this.#client.stream.destroy();
    for (const settle of [...this.#pending]) settle(CLOSED);
    for (const wake of this.#waiting.splice(0)) wake();
    this.#close(this.#trouble.ending ?? ending);
  }
}

const publishResult = (error: (Error & { code?: unknown }) | null | undefined): PublishResult => {
  if (error === null || error === undefined) return { kind: 'acknowledged' };
  return typeof error.code === 'number' ? { kind: 'refused', reason: error.code } : CLOSED;
};

const publishProperties = ({ contentType, expiryS, user, correlation }: Omit<PublishOptions, 'retain'>) => ({
  payloadFormatIndicator: true,
  contentType,
  ...(expiryS === undefined ? {} : { messageExpiryInterval: expiryS }),
  ...(user === undefined ? {} : { userProperties: { ...user } }),
  ...(correlation === undefined ? {} : { correlationData: asBuffer(correlation) }),
});

const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
