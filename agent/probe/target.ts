import type { HandshakePort, PortName, Query } from '../drivers/driver.ts';

/** The one log-in configured for a device. The password is fetched when it is needed and kept nowhere. */
export interface Credential {
  readonly user: string;
  readonly password: () => string;
}

/** An interface of a device: a protocol at one of the ports. */
export type Interface = `${Query['kind']} ${PortName}`;

/** Where to ask. A port that is not named, or null, is not asked; several may be the same number: `probe host:port` speaks any protocol there. */
export interface Target {
  /** IP address or host name. */
  readonly address: string;
  readonly ports: { readonly [Name in PortName | HandshakePort]?: number | null };
  readonly credential?: Credential;
  /** Where there is no credential, the log-in that the maker documents may be tried: the operator turned that on. */
  readonly vendorDefault?: boolean;
  /** Only devices recognised as one of these are shown a log-in; without it all are. */
  readonly families?: readonly string[] | undefined;
  /** The TLS key that the device is known by, where one is: only who proves to hold it is asked through TLS. */
  readonly tlsKey?: string | undefined;
  /** Where no connection can be made, as the last full looks found: a pools look does not try there while others answer. */
  readonly closed?: readonly Interface[] | undefined;
}
