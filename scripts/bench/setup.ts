import type { Ports } from '../../test/simulator/listeners.ts';

/** A simulated miner as the bench knows it. */
export interface BenchDevice {
  readonly id: string;
  readonly address: string;
  readonly family: string;
}

/** What a process that is measured is told first. */
export interface Setup {
  readonly devices: readonly BenchDevice[];
  readonly ports: Ports;
  /** The log-in that the specimens accept. */
  readonly credential: { readonly user: string; readonly password: string };
  readonly concurrency: number;
  /** Where files may be made; the bench removes it. */
  readonly folder: string;
}

/** What one sweep cost: one pools look at every device. */
export interface SweepCost {
  readonly cpuUs: number;
  readonly wallMs: number;
  /** Highest resident memory seen, bytes. */
  readonly rss: number;
}

/** What a measured process is asked; `learn` is the first full look at everything. */
export type Ask = { readonly do: 'setup'; readonly setup: Setup } | { readonly do: 'learn' | 'sweep' | 'rest' | 'end' };

/** The one log-in of all specimens that need one. */
export const LOG_IN = { user: 'root', password: 'specimen' } as const;

/** The range entry that names all devices. */
export const rangeOf = (devices: readonly BenchDevice[]): string => `${devices[0]?.address}-${devices.at(-1)?.address}`;
