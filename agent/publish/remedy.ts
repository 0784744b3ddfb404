import { type Ending, REASON } from './ending.ts';
import { alertIn, isUntrusted } from './trouble.ts';

/** What an operator can do about an ending, in one sentence, with the names that things have where they are set. */
export const remedyOf = (ending: Ending, named: Names = SETTINGS): string => {
  switch (ending.kind) {
    case 'network':
      return networkRemedy(ending.code, named);
    case 'timeout':
      return ending.waitedFor === 'TCP connection'
        ? `check host and port in ${named.url}, and that no firewall between here and there drops packets to that port`
        : `check that the port in ${named.url} is that of the broker, and look at the log of the broker: it may be overloaded`;
    case 'tls':
      return tlsRemedy(ending.code ?? '', named);
    case 'refused':
      return refusedRemedy(ending.reason, named) ?? 'look at the log of the broker';
    case 'closed':
      return ending.connected
        ? 'look at the log of the broker; it also closes where another client comes under the same client id'
        : `check that the port in ${named.url} is that of an MQTT broker, without TLS for mqtt://; else its log says why`;
    case 'protocol':
      return `check that the port in ${named.url} is that of an MQTT broker, without TLS for mqtt://`;
    case 'limit':
      return 'raise that limit in the configuration of the broker';
    case 'store':
      return 'look at the log lines of the agent about its store';
    case 'rival':
      return 'stop the other agent, or give it an id, a key and a certificate of its own: each gateway is one identity';
    case 'foreign':
      return 'nothing yet: it is listened for half a minute, and forgotten where nobody says it again';
    case 'left':
      return 'nothing is to be done';
  }
};

const networkRemedy = (code: string | undefined, { url }: Names): string => {
  switch (code) {
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `correct the host in ${url}, or mend the name service of this host: getent hosts <host>`;
    case 'ECONNREFUSED':
      return `start the broker, or correct the port in ${url}: 8883 is usual with TLS, 1883 without`;
    case 'ECONNRESET':
    case 'EPIPE':
      return `check that the port in ${url} is that of the broker, with TLS for mqtts:// and without for mqtt://; else look at its log`;
    default:
      return `check the host in ${url}, and route and firewall from this host`;
  }
};

const tlsRemedy = (code: string, named: Names): string => {
  if (isUntrusted(code))
    return `name as ${named.ca} the PEM file of the authority that signed the certificate of the broker; the broker has to send the ones between`;
  const alert = alertIn(code);
  if (alert !== undefined) return alertRemedy(alert, named);
  switch (code) {
    case 'CERT_HAS_EXPIRED':
      return 'renew it at the broker; where it has not ended the clock of this host is wrong: timedatectl';
    case 'CERT_NOT_YET_VALID':
      return 'set the clock of this host: timedatectl; where it is right, the certificate was made with a wrong one';
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return `use in ${named.url} a name that is in the certificate, or issue one with the name in ${named.url} as subjectAltName`;
    case 'ERR_SSL_UNSUPPORTED_PROTOCOL':
      return `enable TLS 1.3 at the broker, or ${named.tls12}`;
    case 'ERR_SSL_WRONG_VERSION_NUMBER':
    case 'ERR_SSL_PACKET_LENGTH_TOO_LONG':
      return 'use the port of the broker that has TLS, usually 8883';
    default:
      return `check ${named.ca}, ${named.cert}, ${named.key} and ${named.tlsMin}`;
  }
};

const alertRemedy = (alert: string, named: Names): string => {
  switch (alert) {
    case 'CERTIFICATE_REQUIRED':
      return `name a certificate from the authority of the broker as ${named.cert}, and its key as ${named.key}`;
    case 'UNKNOWN_CA':
      return 'use a certificate from an authority in the cafile of the broker, with those between in the same file, or add its authority there';
    case 'CERTIFICATE_EXPIRED':
      return 'renew the client certificate: new files are read by themselves; where it has not ended the clock of the broker is wrong';
    case 'PROTOCOL_VERSION':
      return `enable TLS 1.3 at the broker, or ${named.tls12}`;
    case 'HANDSHAKE_FAILURE':
      return `look at the log of the broker; a client certificate may be missing: ${named.cert} and ${named.key}`;
    default:
      return 'issue the client certificate anew; where it is good, compare the clocks of broker and authority';
  }
};

const refusedRemedy = (reason: number, named: Names): string | undefined =>
  (
    ({
      [REASON.unsupportedVersion]: `${named.protocolAuto}, or name the version that the broker knows`,
      [REASON.clientIdInvalid]: `let ${named.self} in as client id at the broker: docs/broker.md`,
      [REASON.badCredentials]: `check ${named.username} and ${named.passwordFile}`,
      [REASON.notAuthorised]: `check ${named.username}, ${named.passwordFile} and certificate, and that the broker lets this user name and client id in: docs/broker.md`,
      [REASON.serverUnavailable]: 'look at the broker: it says that it is not available',
      [REASON.serverBusy]: 'look at the load of the broker',
      [REASON.sessionTakenOver]: named.takenOver,
      [REASON.quotaExceeded]: 'raise the quota of this client at the broker',
    }) as { readonly [reason: number]: string }
  )[reason];

/** What a program calls what can be set for its connection. */
export interface Names {
  readonly self: string;
  readonly url: string;
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  readonly username: string;
  readonly passwordFile: string;
  readonly tlsMin: string;
  readonly tls12: string;
  readonly protocolAuto: string;
  readonly insecure: string;
  /** What to do where another client has the same id. */
  readonly takenOver: string;
}

/** In the configuration of the agent. */
export const SETTINGS: Names = {
  self: 'the id of this gateway',
  url: 'url',
  ca: 'ca',
  cert: 'cert',
  key: 'key',
  username: 'username',
  passwordFile: 'password_file',
  tlsMin: 'tls_min',
  tls12: 'set tls_min: "1.2"',
  protocolAuto: 'set protocol: auto',
  insecure: 'set insecure: true',
  takenOver: 'find the other client that uses this id: each gateway needs an id and a certificate of its own',
};

/** On the command line of a collector. */
export const OPTIONS: Names = {
  self: 'the id of this collector',
  url: '<broker-url>',
  ca: '--ca',
  cert: '--cert',
  key: '--key',
  username: '--username',
  passwordFile: '--password-file',
  tlsMin: '--tls-min',
  tls12: 'give --tls-min 1.2',
  protocolAuto: 'give --protocol auto',
  insecure: 'give --insecure',
  takenOver:
    'find the other client that uses this id: give each collector an --id of its own, and each of several workers its --shard or --client-id',
};
