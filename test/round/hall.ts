import type { TestContext } from 'node:test';
import { type DeviceState, readDevice } from '../../agent/appraise/device.ts';
import { NO_STORMS } from '../../agent/appraise/storm.ts';
import { NOTHING_STANDING } from '../../agent/baseline/standing.ts';
import type { Config } from '../../agent/config/schema.ts';
import type { Driver } from '../../agent/drivers/driver.ts';
import { DRIVERS } from '../../agent/drivers/index.ts';
import { lookDeps } from '../../agent/look.ts';
import { judgeDisplaced } from '../../agent/plant.ts';
import { systemClock } from '../../agent/platform/clock.ts';
import { AgentError } from '../../agent/platform/errors.ts';
import type { Surface } from '../../agent/probe/capture.ts';
import type { Target } from '../../agent/probe/target.ts';
import { Attested } from '../../agent/record/coverage.ts';
import type { Transaction } from '../../agent/record/log.ts';
import { Recorder } from '../../agent/record/recorder.ts';
import { admitLook, type RoundDeps, runLook } from '../../agent/round.ts';
import { Fleet } from '../../agent/schedule/fleet.ts';
import type { Place } from '../../agent/schedule/places.ts';
import type { FleetSeat } from '../../agent/schedule/seat.ts';
import { Tenants } from '../../agent/schedule/tenants.ts';
import { type DueLook, Timetable } from '../../agent/schedule/timetable.ts';
import type { Statement } from '../../shared/statement.ts';
import { openGateway } from '../record/gateway.ts';

const LIMITS = { connectMs: 3000, exchangeMs: 3000, deviceMs: 9000, maxReplyBytes: 1_048_576 };

/**
 * A gateway whose rounds are made by hand: real sockets, a real log, and looks when the test wants them. `before`: the one of which this
 * is the next start, with its store and log.
 */
export class Hall {
  readonly fleet: Fleet;
  readonly timetable: Timetable<FleetSeat>;
  readonly stopping = new AbortController();
  /** When every device had its last turn for a surface of its endpoint; a surface without one is never looked at. */
  turns: { [Name in Surface]?: number } = {};
  /** What the rounds told of besides the log. */
  readonly events: { readonly event: string; readonly [member: string]: unknown }[] = [];
  /** How many people approvals take. */
  people = 0;
  /** While true the store takes nothing. */
  refusing = false;
  readonly #deps: RoundDeps;
  readonly #recorder: Recorder;
  readonly #gateway: ReturnType<typeof openGateway>;
  /** The one that was started after it. */
  #next: Hall | undefined;

  /** The log-in of the operator for all devices. */
  credential: Target['credential'];

  /** How long it takes until every place was searched. */
  searchMs = 15 * 60_000;

  /** Whether anybody answers to ARP, at whatever address. */
  answersArp: boolean | undefined;

  /** How much more time has passed than on the machine, ms, and how far the wall clock is ahead of that. */
  passedMs = 0;
  aheadMs = 0;

  constructor(
    t: TestContext,
    places: readonly Place[],
    drivers: readonly Driver[] = DRIVERS,
    tenants: Config['tenants'] = {},
    before?: Hall,
  ) {
    const { monoMs, wallMs } = systemClock();
    const clock = {
      monoMs: () => monoMs() + this.passedMs,
      wallMs: () => wallMs() + this.passedMs + this.aheadMs,
    };
    if (before === undefined) t.after(() => this.#stop());
    else before.#goOnAs(this);
    this.#gateway = before === undefined ? openGateway(t) : before.#gateway;
    const { log } = this.#gateway;
    this.passedMs = before?.passedMs ?? 0;
    const ownership = { tenants: new Tenants({ tenants }), nowMs: clock.wallMs };
    const passed = new Set(before?.fleet.passedEntries());
    this.fleet = new Fleet(places, before?.stored() ?? [], passed, ownership);
    this.timetable = new Timetable<FleetSeat>({
      seats: () => this.fleet.seats(),
      phaseOf: ({ phase }) => phase,
      random: () => 0.5,
    });
    this.#recorder = new Recorder({
      log: {
        transaction: (body) => log.transaction((tx) => this.#unlessRefusing(body, tx)),
        isFailing: () => log.isFailing(),
      },
      attested: new Attested(),
      wallMs: clock.wallMs,
      monoMs: clock.monoMs,
      roundMs: () => 60_000,
      emit: () => {},
      keep: (state) => this.fleet.keep(state),
      state: (id) => this.fleet.state(id),
      states: () => this.fleet.states(),
      expected: () => this.fleet.expected(),
      storms: NO_STORMS,
    });
    this.#deps = {
      fleet: this.fleet,
      timetable: this.timetable,
      recorder: this.#recorder,
      emit: (_level, event, members) => void this.events.push({ event, ...members }),
      begun: Promise.resolve(true),
      look: lookDeps({ drivers, limits: LIMITS, clock, signal: this.stopping.signal }),
      wallMs: clock.wallMs,
      monoMs: clock.monoMs,
      random: () => 0.5,
      targetOf: ({ place: { address, ports } }) => ({
        address,
        ports,
        ...(this.credential === undefined ? {} : { credential: this.credential }),
      }),
      settings: {
        linkAlive: () => this.answersArp,
        confirmS: 1,
        refreshS: 86_400,
        pollIntervalMs: () => 60_000,
        searchMs: () => this.searchMs,
        allowOf: new Map(Object.entries(tenants).map(([name, { allow = [] }]) => [name, allow])),
        standing: () => ({
          standing: NOTHING_STANDING,
          people: this.people,
          policy: `a ${this.fleet.epoch(clock.wallMs())}`,
        }),
        redact: [],
        turns: () => ({ lastMs: (surface) => this.turns[surface], nowMs: clock.wallMs(), ranUntilMs: 0 }),
        inFirstPass: (seat) => this.fleet.inFirstPass(seat),
      },
    };
  }

  #goOnAs(next: Hall): void {
    this.#recorder.stop();
    this.#next = next;
  }

  /** The store closes after this. */
  #stop(): void {
    if (this.#next === undefined) this.#recorder.stop();
    else this.#next.#stop();
  }

  /** What its wall clock says, ms. */
  nowMs(): number {
    return this.#deps.wallMs();
  }

  /** Looks that fell due by now, as the pacer makes them. */
  async lookWhereDue(): Promise<void> {
    for (const { seat, look, early } of this.timetable.due(this.#deps.monoMs()))
      await this.look(this.fleet.seats().indexOf(seat), look, early);
  }

  #unlessRefusing(body: (tx: Transaction) => void, tx: Transaction): void {
    body(tx);
    if (this.refusing) throw new AgentError({ code: 'store.full', message: 'full', remedy: 'free space' });
  }

  seat(at: number): FleetSeat {
    const seat = this.fleet.seats()[at];
    if (seat === undefined) throw new Error(`no seat ${at}`);
    return seat;
  }

  /** One look that fell due, as the pacer makes it. False where it was not admitted. */
  async look(at: number, look: DueLook<FleetSeat>['look'] = 'full', early = false): Promise<boolean> {
    const due = { seat: this.seat(at), look, early };
    if (!admitLook(due, this.#deps)) return false;
    await runLook(due, this.#deps);
    return true;
  }

  /** A pools round opens: devices whose place was taken are judged, so many times. */
  displaced(rounds: number): void {
    for (let round = 0; round < rounds; round += 1) judgeDisplaced(this.#deps);
  }

  /** What a period of coverage says up to now. */
  coverage(): Extract<Statement, { kind: 'coverage' }>['coverage'] {
    this.#recorder.closePeriod();
    const last = this.said().at(-1);
    if (last?.kind !== 'coverage') throw new Error('the period was not closed');
    return last.coverage;
  }

  /** What the store keeps of a device. */
  kept(id: string): DeviceState | undefined {
    return this.#gateway.store.device(id, readDevice);
  }

  /** Every entry of the log. */
  said(): readonly Statement[] {
    return this.#gateway.store
      .entriesFrom(0, 10_000)
      .map(({ message }) => JSON.parse(Buffer.from(message).toString()) as Statement);
  }

  /** The devices as another process would find them. */
  stored(): readonly DeviceState[] {
    return [...this.#gateway.store.devices(readDevice)];
  }

  findings(): readonly Extract<Statement, { kind: 'finding' }>['finding'][] {
    return this.said().flatMap((statement) => (statement.kind === 'finding' ? [statement.finding] : []));
  }

  attestations(): readonly Extract<Statement, { kind: 'attestation' }>[] {
    return this.said().flatMap((statement) => (statement.kind === 'attestation' ? [statement] : []));
  }
}
