/** What a fault takes hold of: two faults at the same thing do not overlap, everything else may. */
export type Part =
  | 'agent'
  | 'broker'
  | 'collector'
  | `${'agent' | 'collector'} way`
  | `${'agent' | 'broker' | 'collector'} ${'disk' | 'clock'}`;

/** What the machine has to allow before a fault can be made. */
export type Need = 'network' | 'netem' | 'tbf' | 'mounts' | 'clocks';

export interface FaultKind {
  readonly kind: string;
  readonly title: string;
  readonly holds: readonly Part[];
  readonly needs?: Need;
  /** How long it lasts at least and at most, ms. */
  readonly lastsMs: readonly [number, number];
}

/** Every fault there is. */
export const FAULTS = [
  { kind: 'agent-killed', title: 'agent killed', holds: ['agent'], lastsMs: [0, 1_500] },
  { kind: 'broker-killed', title: 'broker killed', holds: ['broker'], lastsMs: [0, 2_000] },
  { kind: 'collector-killed', title: 'collector killed', holds: ['collector'], lastsMs: [0, 2_000] },
  {
    kind: 'broker-wiped',
    title: 'broker killed, its state wiped',
    holds: ['broker', 'broker disk'],
    lastsMs: [0, 500],
  },
  {
    kind: 'collector-restored',
    title: 'collector killed, an older copy put back',
    holds: ['collector', 'collector disk'],
    lastsMs: [0, 500],
  },
  {
    kind: 'agent-cut',
    title: 'link of the agent down',
    holds: ['agent way'],
    needs: 'network',
    lastsMs: [1_000, 60_000],
  },
  {
    kind: 'collector-cut',
    title: 'link of the collector down',
    holds: ['collector way'],
    needs: 'network',
    lastsMs: [1_000, 60_000],
  },
  {
    kind: 'packets-disturbed',
    title: 'packets delayed and dropped (tc netem)',
    holds: ['agent way', 'collector way'],
    needs: 'netem',
    lastsMs: [2_000, 10_000],
  },
  {
    kind: 'link-narrow',
    title: 'a link so narrow that packets wait and are dropped (tc tbf)',
    holds: ['agent way', 'collector way'],
    needs: 'tbf',
    lastsMs: [2_000, 10_000],
  },
  { kind: 'agent-slow', title: 'bytes of the agent delayed', holds: ['agent way'], lastsMs: [1_000, 8_000] },
  {
    kind: 'collector-slow',
    title: 'bytes of the collector delayed',
    holds: ['collector way'],
    lastsMs: [1_000, 8_000],
  },
  { kind: 'agent-stalled', title: 'bytes of the agent held back', holds: ['agent way'], lastsMs: [1_000, 60_000] },
  {
    kind: 'collector-stalled',
    title: 'bytes of the collector held back',
    holds: ['collector way'],
    lastsMs: [1_000, 60_000],
  },
  { kind: 'connections-reset', title: 'all connections reset', holds: ['agent way', 'collector way'], lastsMs: [0, 0] },
  {
    kind: 'agent-disk-full',
    title: 'disk of the agent full',
    holds: ['agent disk'],
    needs: 'mounts',
    lastsMs: [1_000, 8_000],
  },
  {
    kind: 'broker-disk-full',
    title: 'disk of the broker full',
    holds: ['broker disk'],
    needs: 'mounts',
    lastsMs: [1_000, 8_000],
  },
  {
    kind: 'collector-disk-full',
    title: 'disk of the collector full',
    holds: ['collector disk'],
    needs: 'mounts',
    lastsMs: [1_000, 8_000],
  },
  {
    kind: 'agent-clock',
    title: 'wall clock of the agent set',
    holds: ['agent clock'],
    needs: 'clocks',
    lastsMs: [2_000, 12_000],
  },
  {
    kind: 'broker-clock',
    title: 'wall clock of the broker set',
    holds: ['broker clock'],
    needs: 'clocks',
    lastsMs: [2_000, 12_000],
  },
  {
    kind: 'collector-clock',
    title: 'wall clock of the collector set',
    holds: ['collector clock'],
    needs: 'clocks',
    lastsMs: [2_000, 12_000],
  },
] as const satisfies readonly FaultKind[];

export type Kind = (typeof FAULTS)[number]['kind'];
