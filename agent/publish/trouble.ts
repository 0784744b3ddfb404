import type { Broker } from './broker.ts';
import { type Ending, reasonOf } from './ending.ts';
import type { Progress } from './tls.ts';

/** What an error of the library, of TLS or of a socket means for the connection: one sentence, and the code of the system. */
export const endingOf = (
  error: Error & { readonly code?: unknown },
  broker: Pick<Broker, 'host' | 'port' | 'tls'>,
  progress: Progress,
): Ending => {
  const { code, message } = error;
  if (typeof code === 'number') return { kind: 'refused', reason: code <= 5 ? reasonOf(code) : code };
  if (message === 'Keepalive timeout') return { kind: 'timeout', waitedFor: 'PINGRESP' };
  if (typeof code !== 'string') return { kind: 'protocol', message };
  const ofNetwork = /^(E[A-Z0-9]+|EAI_[A-Z]+)$/.test(code) && code !== 'EPROTO';
  return broker.tls && !ofNetwork
    ? { kind: 'tls', code, message: `${tlsText(code, message, progress)} (${code})` }
    : { kind: 'network', code, message: `${networkText(code, broker, progress)} (${code})` };
};

const networkText = (
  code: string,
  { host, port, tls }: Pick<Broker, 'host' | 'port' | 'tls'>,
  { waitsFor }: Progress,
): string => {
  switch (code) {
    case 'ENOTFOUND':
      return `${host} does not resolve`;
    case 'EAI_AGAIN':
      return `${host} does not resolve: the name service does not answer`;
    case 'ECONNREFUSED':
      return `nothing listens at port ${port} of ${host}`;
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return `there is no way to ${host}`;
    case 'ETIMEDOUT':
      return `${host} does not answer`;
    case 'ECONNRESET':
    case 'EPIPE':
      if (waitsFor === 'TLS handshake') return `port ${port} of ${host} broke off the TLS handshake`;
      if (waitsFor !== 'CONNACK') return `port ${port} of ${host} broke off`;
      // An alert about our certificate may be lost where the other side closes at once.
      return `port ${port} of ${host} broke off, as one ${tls ? 'that refuses our certificate may' : 'for TLS does'}`;
    default:
      return `no connection to port ${port} of ${host}`;
  }
};

const UNTRUSTED: readonly string[] = [
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'CERT_SIGNATURE_FAILURE',
  'CERT_UNTRUSTED',
];

/** Every code that says that the chain of the broker does not end at an authority of ours. */
export const isUntrusted = (code: string): boolean => UNTRUSTED.includes(code);

/** What the other side said of our certificate, or of the handshake, in an alert of TLS; OpenSSL names it in the code. */
export const alertIn = (code: string): string | undefined => /ALERT_([A-Z_]+)$/.exec(code)?.[1];

const tlsText = (code: string, message: string, { certificate }: Progress): string => {
  if (isUntrusted(code)) return 'the certificate of the broker is from no authority that is named as ca';
  const alert = alertIn(code);
  if (alert !== undefined) return alertText(alert);
  switch (code) {
    case 'CERT_HAS_EXPIRED':
      return `the certificate of the broker, or of its authority, has ended${when('the broker’s ends on', certificate?.validTo)}`;
    case 'CERT_NOT_YET_VALID':
      return `the certificate of the broker is not valid yet${when('it begins on', certificate?.validFrom)}`;
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return `the certificate of the broker is for another name: ${message}`;
    case 'ERR_SSL_UNSUPPORTED_PROTOCOL':
      return 'the broker has no version of TLS that is allowed here';
    case 'ERR_SSL_WRONG_VERSION_NUMBER':
    case 'ERR_SSL_PACKET_LENGTH_TOO_LONG':
      return 'what answers there does not speak TLS';
    default:
      return message.split('\n', 1)[0] ?? '';
  }
};

const when = (words: string, day: string | undefined): string => (day === undefined ? '' : `: ${words} ${day}`);

const alertText = (alert: string): string => {
  switch (alert) {
    case 'CERTIFICATE_REQUIRED':
      return 'the broker asks for a client certificate, and got none';
    case 'UNKNOWN_CA':
      return 'the broker does not know the authority of our client certificate';
    case 'CERTIFICATE_EXPIRED':
      return 'the broker says that our client certificate has ended';
    case 'CERTIFICATE_REVOKED':
      return 'the broker says that our client certificate was withdrawn';
    case 'PROTOCOL_VERSION':
      return 'the broker has no version of TLS that is allowed here';
    case 'HANDSHAKE_FAILURE':
      return 'the broker found no cipher or certificate that both sides take';
    default:
      return `the broker refuses our client certificate: ${alert.toLowerCase().replaceAll('_', ' ')}`;
  }
};
