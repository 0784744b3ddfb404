import { isPrefix } from '../../shared/ids.ts';
import type { Config } from '../config/schema.ts';
import { AgentError } from '../platform/errors.ts';
import { isLoopback } from '../platform/loopback.ts';
import { type Names, SETTINGS } from './remedy.ts';

/** The `mqtt` section of the configuration. */
export type MqttSettings = NonNullable<Config['mqtt']>;

/** Where one broker is. `tls` is false for a plain connection, which §7 allows to a loopback address only. */
export interface Broker {
  readonly url: string;
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
}

/** The brokers in the order they are tried. Throws what `checkBroker` throws. */
export const brokersOf = (settings: MqttSettings): readonly Broker[] => {
  checkBroker(settings);
  return [settings.url, ...(settings.urls ?? [])].map((url) => parseBroker(url, SETTINGS));
};

/** Throws an AgentError for a broker that cannot work or would send in clear text over a network (mqtt.md §7). Reads no file. */
export const checkBroker = (settings: MqttSettings, named: Names = SETTINGS): void => {
  if (!isPrefix(settings.prefix)) {
    throw brokerError(
      `"${settings.prefix}" is not a topic prefix`,
      'one or two levels of a-z, 0-9 and dashes, e.g. attest',
    );
  }
  if ((settings.cert === undefined) !== (settings.key === undefined)) {
    throw brokerError(`${named.cert} and ${named.key} go together`, 'name both files, or neither');
  }
  for (const url of [settings.url, ...(settings.urls ?? [])]) checkOne(parseBroker(url, named), settings, named);
};

const checkOne = (broker: Broker, settings: MqttSettings, named: Names): void => {
  if (!broker.tls && !isLoopback(broker.host) && !settings.insecure) {
    throw brokerError(
      `${broker.url} would send everything in clear text`,
      `use mqtts://, or ${named.insecure} if that network is trusted${named === SETTINGS ? ' (presence will say so)' : ''}`,
    );
  }
  if (broker.tls && settings.ca === undefined) {
    throw brokerError(
      `no certificate authority is named for ${broker.url}`,
      `name the PEM file of your authority as ${named.ca}; for public ones on Debian /etc/ssl/certs/ca-certificates.crt`,
    );
  }
  if (!broker.tls && settings.cert !== undefined) {
    throw brokerError(
      `${broker.url} has no TLS, so ${named.cert} and ${named.key} would not be used`,
      `use mqtts://, or remove ${named.cert} and ${named.key}`,
    );
  }
};

const parseBroker = (text: string, named: Names): Broker => {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== 'mqtts:' && url.protocol !== 'mqtt:') || url.hostname === '') {
    throw brokerError(`"${withoutPassword(text)}" is not a broker URL`, 'mqtts://host:8883, or mqtt://127.0.0.1:1883');
  }
  if (url.username !== '' || url.password !== '') {
    throw brokerError('a broker URL may not hold credentials', `use ${named.username} and ${named.passwordFile}`);
  }
  if ((url.pathname !== '' && url.pathname !== '/') || url.search !== '' || url.hash !== '') {
    throw brokerError(`"${text}" has more than a host and a port`, 'mqtts://host:8883');
  }
  const tls = url.protocol === 'mqtts:';
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  return { url: text, host, port: url.port === '' ? (tls ? 8883 : 1883) : Number(url.port), tls };
};

const withoutPassword = (text: string): string => text.replace(/\/\/[^@/]*@/, '//…@');

const brokerError = (message: string, remedy: string): AgentError =>
  new AgentError({ code: 'mqtt.broker', message, remedy });
