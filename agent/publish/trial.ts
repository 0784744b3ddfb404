import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Broker, MqttSettings } from './broker.ts';
import type { Credentials } from './credentials.ts';
import { type Ending, endingOf, REASON } from './ending.ts';
import { connect, type Protocol, tlsOptions } from './mqtt.ts';
import { TIMING } from './timing.ts';

/** How far one attempt to reach a broker came: what was found out on the way, and what ended it. */
export interface Trial {
  readonly addresses: readonly string[];
  /** When the certificate that the broker shows ends, Unix milliseconds. */
  readonly certificateEndsMs?: number;
  /** The version in which it accepted this gateway. */
  readonly protocol?: Protocol;
  /** Why it did not. */
  readonly ending?: Ending;
}

const PATIENCE_MS = 8000;

/**
 * Goes the way of the uplink to one broker, once, and leaves again: name, TCP, TLS, MQTT. The client id is its own, so that
 * no agent that is connected as this gateway loses its connection; nothing is subscribed or published, and there is no will.
 */
export const tryBroker = async (
  broker: Broker,
  { settings, credentials, gateway }: { settings: MqttSettings; credentials: Credentials; gateway: string },
): Promise<Trial> => {
  const addresses = await addressesOf(broker.host);
  if ('kind' in addresses) return { addresses: [], ending: addresses };
  const shown = broker.tls ? await handshake(broker, { credentials, tlsMin: settings.tls_min }) : {};
  if ('kind' in shown) return { addresses, ending: shown };
  const accepted = await introduce(broker, { settings, credentials, clientId: `${gateway}-doctor` });
  return { addresses, ...shown, ...accepted };
};

const addressesOf = async (host: string): Promise<readonly string[] | Ending> => {
  try {
    return (await lookup(host, { all: true })).map(({ address }) => address);
  } catch (error) {
    return { kind: 'network', message: `${host} does not resolve: ${(error as NodeJS.ErrnoException).code}` };
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
      minVersion: `TLSv${options.tlsMin}`,
    });
    socket.setTimeout(PATIENCE_MS, () => {
      socket.destroy();
      resolve({ kind: 'timeout', waitedFor: 'TLS handshake' });
    });
    socket.on('error', (error) => resolve(endingOf(error, broker)));
    socket.on('secureConnect', () => {
      const endsMs = Date.parse(socket.getPeerCertificate().valid_to);
      socket.destroy();
      resolve(Number.isNaN(endsMs) ? {} : { certificateEndsMs: endsMs });
    });
  });

const introduce = async (
  broker: Broker,
  options: { readonly settings: MqttSettings; readonly credentials: Credentials; readonly clientId: string },
): Promise<Pick<Trial, 'protocol' | 'ending'>> => {
  const wanted = options.settings.protocol;
  const first = await once(broker, wanted === 'auto' ? '5' : wanted, options);
  const { ending } = first;
  // As the uplink does: a broker that knows 3.1.1 only says so, or closes without a word.
  const isOld =
    ending?.kind === 'closed' || (ending?.kind === 'refused' && ending.reason === REASON.unsupportedVersion);
  return wanted === 'auto' && isOld ? once(broker, '3.1.1', options) : first;
};

const once = async (
  broker: Broker,
  protocol: Protocol,
  { settings, credentials, clientId }: Parameters<typeof introduce>[1],
): Promise<Pick<Trial, 'protocol' | 'ending'>> => {
  const connection = await connect({
    broker,
    protocol,
    clientId,
    credentials,
    tlsMin: settings.tls_min,
    timing: { ...TIMING, connectMs: PATIENCE_MS },
    signal: new AbortController().signal,
  });
  if (connection.kind !== 'connected') return { ending: connection };
  await connection.leave({ kind: 'left' });
  return { protocol };
};
