/** Every interval of the uplink (mqtt.md §3–§6), and how it begins. Tests pass shorter ones. */
export interface Timing {
  /** TCP, TLS and CONNACK together. */
  readonly connectMs: number;
  /** One SUBACK or PUBACK; after it the connection is given up. */
  readonly answerMs: number;
  readonly keepAliveS: number;
  /** The broker holds the will back this long, so that a flap shows nobody as lost (MQTT 5). */
  readonly willDelayS: number;
  /** Base and ceiling of the full jitter between two connects. */
  readonly backoffBaseMs: number;
  readonly backoffCapMs: number;
  /** Ceiling where the broker is busy or limits connects. */
  readonly busyCapMs: number;
  /** Ceiling where the broker or a certificate says no. */
  readonly refusedCapMs: number;
  /** A connection that lasted this long resets the back-off. */
  readonly stableMs: number;
  /** Between SUBACK and `online`, for a retained presence of somebody else to arrive. */
  readonly lookMs: number;
  /** `online` is published again. */
  readonly presenceMs: number;
  /** Least time between two presences that ask a collector for what it has instead of this log. */
  readonly proofMs: number;
  /** Pause of the pump after PUBACK 0x87. */
  readonly notAuthorisedMs: number;
  /** Pause after another agent was seen under this identity. */
  readonly rivalMs: number;
  /** It is listened so long whether somebody who seems to be online lives: longer than an agent that was put out stays away. */
  readonly rivalLookMs: number;
  /** A foreign session that said something within this time may live. Longer than `presenceMs`, by what clocks may differ. */
  readonly rivalFreshS: number;
  /** Return to the first broker after this time elsewhere, ± a sixth. */
  readonly primaryReturnMs: number;
  /** The files of the log-in are looked at again. */
  readonly renewalMs: number;
  /** Between two mirrors when all are published again. */
  readonly mirrorEveryMs: number;
  /** A collector that came is given entries after a random time up to this, so that a fleet does not begin all at once. */
  readonly settleMs: number;
  /** A collector is waited for so long, once, to say how far it is: before that nothing is sent to it since the start. */
  readonly firstWordMs: number;
  /** Longer than a collector takes to repeat its acknowledgement (60 s). */
  readonly mutedMs: number;
  /** A collector that nothing was heard of for so long is taken to be away. Longer than it repeats presence (300 s). */
  readonly absentMs: number;
  /** While no collector is there the first entries are sent this often: a lost presence message must not stop everything. */
  readonly probeMs: number;
  /** Without progress entries are sent again after this, then after twice as long each time, up to the ceiling. */
  readonly resendMs: number;
  readonly resendCapMs: number;
  /** Entries that are sent before the first word of a collector; more follow as it keeps up. */
  readonly firstLead: number;
  /** Signed checkpoint where the log grew, and in any case. */
  readonly heartbeatMs: number;
  readonly idleHeartbeatMs: number;
  /** Least time between two requests that were carried out, by what they ask, and between two pages of an answer. */
  readonly requestMs: { readonly [op in 'status' | 'observe' | 'checkpoint' | 'tiles']: number };
  readonly pageMs: number;
  /** What a clean stop may take altogether. */
  readonly stopMs: number;
}

/** The intervals of a running agent. */
export const TIMING: Timing = {
  connectMs: 30_000,
  answerMs: 30_000,
  keepAliveS: 30,
  willDelayS: 20,
  backoffBaseMs: 1_000,
  backoffCapMs: 60_000,
  busyCapMs: 300_000,
  refusedCapMs: 900_000,
  stableMs: 60_000,
  lookMs: 250,
  presenceMs: 300_000,
  proofMs: 10_000,
  notAuthorisedMs: 300_000,
  rivalMs: 900_000,
  rivalLookMs: 30_000,
  rivalFreshS: 1_200,
  primaryReturnMs: 3_600_000,
  renewalMs: 60_000,
  mirrorEveryMs: 20,
  settleMs: 10_000,
  firstWordMs: 10_000,
  mutedMs: 90_000,
  absentMs: 900_000,
  probeMs: 300_000,
  resendMs: 30_000,
  resendCapMs: 900_000,
  firstLead: 16,
  heartbeatMs: 60_000,
  idleHeartbeatMs: 300_000,
  requestMs: { status: 5_000, observe: 30_000, checkpoint: 10_000, tiles: 10_000 },
  pageMs: 50,
  stopMs: 3_000,
};
