import type { Config } from './config/schema.ts';
import type { ChangeControl } from './desk/change-control.ts';
import { type Ground, noteSigner, trustedKey } from './ground.ts';
import type { Clock } from './platform/clock.ts';
import type { Emit } from './platform/events.ts';
import { VERSION } from './platform/version.ts';
import type { Sessions } from './publish/presence.ts';
import type { Observe } from './publish/requests.ts';
import { Uplink } from './publish/uplink.ts';
import { signedHeartbeat } from './record/heartbeat.ts';
import type { Signed } from './record/incarnation.ts';
import { Witnesses } from './record/witnesses.ts';

/** What goes out, and who is told of what comes in. */
export interface OutletDeps {
  readonly ground: Ground;
  readonly sessions: Sessions;
  readonly changes: ChangeControl;
  readonly observe: Observe;
  /** This key has signed more than this log holds, or something else. */
  readonly rolledBack: (signed: Signed, why: string) => void;
  readonly clock: Clock;
  readonly emit: Emit;
}

/** The uplink, and those whose word about the log comes in over it. */
export class Outlet {
  readonly #uplink: Uplink;
  readonly #witnesses: Witnesses;

  constructor(
    mqtt: NonNullable<Config['mqtt']>,
    gateway: string,
    { ground: { outbox, log, store, key }, sessions, changes, observe, rolledBack, clock, emit }: OutletDeps,
  ) {
    if (mqtt.collectors.length > 0 && mqtt.witnesses.length === 0) sayKeepsAll(emit);
    const witnesses = new Witnesses({
      store,
      log,
      key: trustedKey(key),
      vkeys: mqtt.witnesses,
      quorum: mqtt.quorum,
      clock,
      emit,
      rolledBack,
    });
    this.#witnesses = witnesses;
    this.#uplink = new Uplink({
      settings: mqtt,
      gateway,
      version: VERSION,
      log: log.origin,
      sessions,
      outbox,
      notary: {
        isNew: log.isNew,
        // It says that nothing else happened, which an agent that can keep nothing does not know.
        heartbeat: () => (log.isFailing() ? undefined : signedHeartbeat(log, store, noteSigner(key))),
        takeCosigned: (payload) => witnesses.takeCosigned(payload),
        takeEntry: (message) => witnesses.takeEntry(message),
        takeMarker: (payload) => witnesses.takeMarker(payload),
      },
      observe,
      takeTerms: (payload, name) => changes.takeDelivered(payload, name),
      clock,
      emit,
    });
  }

  start(): void {
    this.#uplink.start();
  }

  /** Reads certificates and secrets again. */
  renew(): void {
    this.#uplink.renew();
  }

  async stop(): Promise<void> {
    await this.#uplink.stop();
    this.#witnesses.stop();
  }

  /** Makes durable what witnesses said. */
  save(): void {
    this.#witnesses.save();
  }

  /** The newest epoch marker of a witness, as statements name it. */
  epoch(): ReturnType<Witnesses['epoch']> {
    return this.#witnesses.epoch();
  }

  /** Entries under the newest head that enough witnesses signed. */
  cosignedSize(): number {
    return this.#witnesses.cosignedSize();
  }

  status(): ReturnType<Uplink['status']> {
    return this.#uplink.status();
  }
}

const sayKeepsAll = (emit: Emit): void =>
  emit('warn', 'retention.no-witness', {
    message: 'collectors are required and none of them is a witness: no entry is ever removed here',
    remedy: 'name the vkeys of collectors that cosign under mqtt.witnesses',
  });
