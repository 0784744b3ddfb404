import type { Finding } from './finding.ts';

/** One transition of one device. */
export interface DeviceTransition {
  readonly kind: 'device';
  readonly device: string;
  readonly finding: Finding;
}

/** The statement about many devices that show the same: `devices` holds up to 256 of `count`. */
export interface ParentTransition {
  readonly kind: 'parent';
  /** Names the storm for `parentStated`. */
  readonly key: string;
  readonly finding: Finding & { readonly devices: readonly string[]; readonly count: number };
}

/** What is known of the present storms: plain JSON, owned by `collapse`. */
export interface StormState {
  readonly storms: { [key: string]: Storm };
}

interface Storm {
  /** Devices that show it, with the time they began. */
  devices: { [device: string]: number };
}

/** Replaces what many devices show alike by one parent. Called with nothing new too, once a second, for statements that are due. */
export declare const collapse: (
  state: StormState,
  transitions: readonly DeviceTransition[],
  nowMs: number,
) => { state: StormState; statements: readonly (DeviceTransition | ParentTransition)[] };
