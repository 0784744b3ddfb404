import type { FactName } from '../../shared/facts.ts';
import { type DeviceState, lastSeenMs } from '../appraise/device.ts';
import type { LoadedConfig } from '../config/load.ts';
import type { Ground } from '../ground.ts';
import type { Notifier } from '../notify/notifier.ts';
import type { Outlet } from '../outlet.ts';
import type { Plant } from '../plant.ts';
import type { Clock } from '../platform/clock.ts';
import type { ControlRequest } from '../platform/control.ts';
import { AgentError } from '../platform/errors.ts';
import type { Observe } from '../publish/requests.ts';
import { phaseOf } from '../schedule/fleet.ts';
import { type AcceptanceResult, acceptSeen, type Judging } from './acceptance.ts';
import type { Handed } from './adoption.ts';
import { withBehind } from './behind.ts';
import { learnedBlind } from './blind.ts';
import type { ChangeControl } from './change-control.ts';
import { differencesInForce } from './differences.ts';
import { previewAcceptance, type Shown } from './preview.ts';
import { type ReviewResult, reviewFinding } from './review.ts';
import { unsignedFacts } from './unsigned.ts';

const SECOND_MS = 1000;
/** Looks come up to a tenth of a round earlier or later, and wait for their turn: nobody is told before this many periods. */
const LATE = 1.25;
/** Full looks after an acceptance are this far apart, ms. */
const ACCEPTED_MS = 10;

/** The running agent as it is asked; what a reload may replace is asked for anew each time. */
export interface DeskDeps {
  readonly ground: Ground;
  readonly changes: ChangeControl;
  readonly loaded: () => LoadedConfig;
  readonly plant: () => Plant;
  readonly outlet: () => Outlet | undefined;
  readonly notifier: () => Notifier | undefined;
  readonly clock: Clock;
}

/** Where people at the gateway, and collectors, ask the running agent for something. */
export class Desk {
  readonly #deps: DeskDeps;
  readonly #startedMs: number;

  constructor(deps: DeskDeps) {
    this.#deps = deps;
    this.#startedMs = deps.clock.wallMs();
  }

  /** What a verb at the gateway asked for. Throws an `AgentError` for what cannot be done. */
  async answer(request: ControlRequest): Promise<unknown> {
    const { changes, plant } = this.#deps;
    switch (request.do) {
      case 'status':
        return this.#status();
      case 'preview-accept':
        return this.#withBehind(previewAcceptance(plant().fleet, request, this.#judging()), request.facts);
      case 'differences':
        return this.#differences(request.devices);
      case 'accept':
        return this.#accept(request);
      case 'preview-adopt':
        return changes.previewAdoption(handedOver(request));
      case 'adopt':
        return changes.adopt(handedOver(request), request.ends);
      case 'orders':
        return changes.all();
      case 'withdraw':
        return changes.withdraw(request.name, request.by, request.break_glass);
      case 'close':
        return changes.close(request.kind, request.id, request.by, request.break_glass);
      case 'plan-report':
        return changes.report(request.id);
      case 'approved':
        return changes.approved(request.device);
      case 'review':
        return this.#review(request);
      default:
        throw new AgentError({
          code: 'control.unknown',
          message: 'this agent does not know the request',
          remedy: 'use the assayer of the same version as the agent',
        });
    }
  }

  /** Somebody wants these devices looked at now: full looks, attested as they are. */
  observe(devices: readonly string[]): ReturnType<Observe> {
    const { fleet, timetable } = this.#deps.plant();
    const unknown: string[] = [];
    const asked: string[] = [];
    for (const device of devices) {
      const seat = fleet.seatOf(device);
      if (seat !== undefined) {
        seat.demanded = true;
        timetable.askEarly(seat, this.#deps.clock.monoMs());
      }
      (seat === undefined ? unknown : asked).push(device);
    }
    return { asked, unknown };
  }

  #differences(devices: readonly string[]): readonly Shown[] {
    const { plant, ground, clock } = this.#deps;
    const { store, orders } = ground;
    const { standing } = orders;
    return this.#withBehind(differencesInForce(plant().fleet, devices, { standing, nowMs: clock.wallMs(), store }));
  }

  #withBehind<T extends Shown>(shown: readonly T[], facts?: readonly FactName[]): readonly T[] {
    const { plant, ground } = this.#deps;
    const { config, fleet } = plant();
    return withBehind(shown, (device) => fleet.state(device), { config, store: ground.store, facts });
  }

  #accept(request: Extract<ControlRequest, { do: 'accept' }>): AcceptanceResult {
    const { fleet, timetable, pacer } = this.#deps.plant();
    const { clock, ground } = this.#deps;
    const result = acceptSeen(
      fleet,
      { ...request, breakGlass: request.break_glass === true },
      { ...this.#judging(), recorder: ground.recorder },
    );
    // The new reference is attested by a full look at each device; many of them are spread like a round.
    const spreadMs = Math.min(pacer.poolsIntervalMs(), result.accepted.length * ACCEPTED_MS);
    for (const device of result.accepted) {
      const seat = fleet.seatOf(device);
      if (seat !== undefined) timetable.askEarly(seat, clock.monoMs() + phaseOf(device) * spreadMs);
    }
    return result;
  }

  #judging(): Judging {
    const { ground, changes, clock, plant } = this.#deps;
    return {
      people: changes.people(),
      standing: ground.orders.standing,
      nowMs: clock.wallMs(),
      store: ground.store,
      isLearnedBlind: learnedBlind(ground.store),
      unsigned: unsignedFacts(ground.store, ground.log.origin, () => plant().fleet.states()),
    };
  }

  #review({ opened_seq: openedSeq, action, by, note }: Extract<ControlRequest, { do: 'review' }>): ReviewResult {
    const { recorder, store } = this.#deps.ground;
    const review = { action, by, ...(note === undefined ? {} : { note }) };
    return reviewFinding(openedSeq, review, { states: this.#deps.plant().fleet.states(), recorder, store });
  }

  #status(): object {
    const { ground, loaded, plant, clock } = this.#deps;
    const { log } = ground;
    const states = plant().fleet.states();
    const patienceMs = loaded().config.coverage_s * LATE * SECOND_MS;
    return {
      log: log.origin,
      size: log.size(),
      store_failing: log.isFailing(),
      signers_gone: this.#deps.changes.orphans(),
      terms_refused: this.#deps.changes.refused(),
      pools_unread: unreadPools(states),
      unlooked: unlooked(states, { startedMs: this.#startedMs, beforeMs: clock.wallMs() - patienceMs }),
      uplink: this.#deps.outlet()?.status() ?? null,
      notify: this.#deps.notifier()?.status() ?? [],
    };
  }
}

/** What a person at the gateway hands over. */
const handedOver = ({
  document,
  break_glass: breakGlass,
}: Pick<Extract<ControlRequest, { do: 'adopt' }>, 'document' | 'break_glass'>): Handed =>
  'doc' in document ? { kind: 'signed', ...document, breakGlass } : { kind: 'local', ...document, breakGlass };

/**
 * Devices that answered when they were last looked at, before `beforeMs`; since when, Unix seconds. What was kept of a look is older
 * than the last one of the agent before this.
 */
const unlooked = (
  states: readonly DeviceState[],
  { startedMs, beforeMs }: { readonly startedMs: number; readonly beforeMs: number },
): { readonly [device: string]: number } =>
  Object.fromEntries(
    states.flatMap((state) => {
      const sinceMs = Math.max(lastSeenMs(state), startedMs);
      return state.marks.failures === 0 && sinceMs < beforeMs ? [[state.id, Math.floor(sinceMs / SECOND_MS)]] : [];
    }),
  );

/** Since when the pools that are attested cannot be read, Unix seconds, by device. */
const unreadPools = (states: readonly DeviceState[]): { readonly [device: string]: number } =>
  Object.fromEntries(
    states.flatMap(({ id, marks: { poolsUnreadMs } }) =>
      poolsUnreadMs === undefined ? [] : [[id, Math.floor(poolsUnreadMs / SECOND_MS)]],
    ),
  );
