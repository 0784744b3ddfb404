/** The one log-in configured for a device. The password is fetched when it is needed and kept nowhere. */
export interface Credential {
  readonly user: string;
  readonly password: () => string;
}

/** Where to ask. A port that is null is not asked; both may be the same number: `probe host:port` speaks either there. */
export interface Target {
  /** IP address or host name. */
  readonly address: string;
  readonly ports: { readonly cgminer: number | null; readonly http: number | null };
  readonly credential?: Credential;
}
