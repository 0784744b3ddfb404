/** What a process that plays gateways is told, one order after the other, and what it answers. */

/** How it begins. */
export interface Setup {
  readonly url: string;
  /** Where each gateway has its state; whoever measures removes it. */
  readonly folder: string;
  readonly gateways: readonly string[];
  /** Miners of each gateway. */
  readonly devices: number;
  readonly collector: string;
  /** Key of the collector that cosigns. */
  readonly vkey: string;
  /** A gateway connects, and begins to send to a collector that came, within so long. */
  readonly spreadS: number;
}

/** Statements a second, of all gateways of the process together. */
export interface Rates {
  /** Looks at a miner whose attestation is due again. */
  readonly refresh: number;
  /** Miners that change a pool, or change it back. */
  readonly changes: number;
  readonly coverage: number;
}

export type Order =
  | { readonly do: 'begin'; readonly setup: Setup }
  /** Writes at these rates from now on; all 0 rests. */
  | { readonly do: 'live'; readonly rates: Rates }
  /** Writes at least so many entries as fast as it can, all gateways in turn; answers when they are written. */
  | { readonly do: 'write'; readonly entries: number }
  | { readonly do: 'report' | 'sizes' | 'end' };

/** Of all gateways of a process together. */
export interface GatewaysReport {
  /** Entries that are written, and those that the collector has stored. */
  readonly size: number;
  readonly confirmed: number;
  readonly connected: number;
  /** Entries that were sent again because nobody confirmed them in time. */
  readonly resent: number;
  /** Events of level `error`, by name: something was not as it should be. */
  readonly errors: { readonly [event: string]: number };
}

/** Where each log ends, by its name. */
export type Sizes = { readonly [log: string]: number };
