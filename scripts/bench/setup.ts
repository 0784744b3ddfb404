import type { Ports } from '../../test/simulator/listeners.ts';

/** A simulated miner as the bench knows it. */
export interface BenchDevice {
  readonly id: string;
  readonly address: string;
  readonly family: string;
  /** Name of the replies that it plays. */
  readonly specimen: string;
}

/** How the devices of a specimen let somebody in. */
export interface LogIn {
  readonly user: string;
  readonly password: string;
  /** A header that opens everything, where one does: a key, or the session of a log-in. */
  readonly opens?: string;
}

/** What a process that is measured is told first. */
export interface Setup {
  readonly devices: readonly BenchDevice[];
  readonly ports: Ports;
  /** By specimen; one that lets everybody in has none. */
  readonly logIns: { readonly [specimen: string]: LogIn };
  readonly concurrency: number;
  /** Where files may be made; the bench removes it. */
  readonly folder: string;
}

/** What a pools look asked the devices of each specimen, in the words of the simulator: what the floor asks as well. */
export type Questions = { readonly [specimen: string]: readonly string[] };

/** What one sweep cost: one pools look at every device. */
export interface SweepCost {
  readonly cpuUs: number;
  readonly wallMs: number;
  /** Highest resident memory seen, bytes. */
  readonly rss: number;
}

/** What a measured process is asked; `learn` is the first full look at everything, `settle` the second. */
export type Ask =
  | { readonly do: 'setup'; readonly setup: Setup }
  | { readonly do: 'questions'; readonly questions: Questions }
  | { readonly do: 'learn' | 'settle' | 'sweep' | 'rest' | 'end' };
