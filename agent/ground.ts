import { type TrustedKey, trustKey } from '../shared/keys.ts';
import { NO_STORMS } from './appraise/storm.ts';
import type { Plant } from './plant.ts';
import type { Clock } from './platform/clock.ts';
import type { Emit } from './platform/events.ts';
import type { GatewayKey } from './platform/keys.ts';
import { Approvals } from './record/approvals.ts';
import { Attested } from './record/coverage.ts';
import { lastBegun } from './record/incarnation.ts';
import type { Log } from './record/log.ts';
import { Orders } from './record/orders.ts';
import { LogOutbox } from './record/outbox.ts';
import { Recorder } from './record/recorder.ts';
import type { Redaction } from './record/redaction.ts';
import type { Store } from './record/store.ts';
import { stormsIn } from './record/storms.ts';
import type { Fleet } from './schedule/fleet.ts';

/** What stays for as long as the process runs, whatever is configured. */
export interface Ground {
  readonly key: GatewayKey;
  readonly store: Store;
  readonly log: Log;
  readonly outbox: LogOutbox;
  readonly recorder: Recorder;
  readonly orders: Orders;
}

/** What the ground is laid on. */
export interface GroundDeps {
  readonly key: GatewayKey;
  readonly store: Store;
  readonly log: Log;
  readonly clock: Clock;
  readonly emit: Emit;
  /** Of the first configuration. */
  readonly fleet: Fleet;
  readonly stateDir: string;
  /** The state folder may be an older copy as a whole. */
  readonly isDoubtful: boolean;
  /** What the configuration in force made. */
  readonly plant: () => Plant;
  readonly redaction: () => Redaction | undefined;
}

/** A log that replaces another starts without what the former one attested: it is restated. */
export const layGround = (deps: GroundDeps): Ground => {
  const { key, store, log, clock, emit, fleet, plant, redaction, stateDir, isDoubtful } = deps;
  const isContinued = log.replaced === undefined;
  const wasBegun = lastBegun(stateDir) !== undefined;
  const isWhole = isContinued && (store.size() > 0 || !wasBegun);
  const approvals = Approvals.read(stateDir, { isWhole, isDoubtful, wasBegun, now: Math.floor(clock.wallMs() / 1000) });
  const orders = Orders.read(store, approvals);
  const recorder = new Recorder({
    log,
    attested: isContinued ? attestedOf(store, fleet) : new Attested(),
    redaction,
    wallMs: clock.wallMs,
    monoMs: clock.monoMs,
    bootMs: clock.bootMs,
    // A step moves the rounds themselves: it may be two of them until everybody had a turn.
    roundMs: () => 2 * plant().pacer.poolsIntervalMs(),
    emit,
    keep: (state) => plant().fleet.keep(state),
    state: (device) => plant().fleet.state(device),
    states: () => plant().fleet.states(),
    expected: () => plant().fleet.expected(),
    storms: isContinued ? stormsIn(store) : NO_STORMS,
    orders,
  });
  return { key, store, log, recorder, orders, outbox: new LogOutbox(log, store, 'mqtt') };
};

/** The key of this gateway, as whoever verifies trusts it. */
export const trustedKey = ({ kid, jwk: { kty, crv, x } }: GatewayKey): TrustedKey =>
  trustKey({ kid, jwk: { kty, crv, x }, role: 'gateway' });

/** What signs heads of the log, with the key by which they are checked. */
export const noteSigner = ({ signer, jwk: { kty, crv, x } }: GatewayKey) => ({ ...signer, jwk: { kty, crv, x } });

/** The current attestations, from the store. */
const attestedOf = (store: Store, fleet: Fleet): Attested => {
  const attested = new Attested();
  for (const { device, leaf, tenant } of store.newestAttestations()) {
    attested.set(device, { leaf, tenant, unreachable: fleet.state(device)?.attested?.reachable === false });
  }
  return attested;
};
