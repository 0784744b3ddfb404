import { hash } from 'node:crypto';
import type { Facts } from '../../shared/facts.ts';
import { type DeviceState, newDevice } from '../appraise/device.ts';
import { compareIdentity, ENOUGH, OTHER, SAME } from '../appraise/identity.ts';
import { idOf, type Place, placeKey } from './places.ts';
import type { Seat } from './timetable.ts';

/** A place and what is known to sit there. Changed in place by the fleet and the rounds only. */
export interface FleetSeat extends Seat {
  readonly key: string;
  readonly place: Place;
  /** Place within a round, from 0 to 1. */
  readonly phase: number;
  occupied: boolean;
  restUntilMs: number;
  /** The device that answers here; undefined for an address of a range where none was found. */
  device?: string;
  /** Family that the last look spoke. */
  family?: string;
  /** A look is under way. */
  busy: boolean;
  /** Looked at once since the entry was added. */
  passed: boolean;
  /** What shows here was last seen at another seat: whose it is follows from the next look there. */
  claim?: { readonly device: string; readonly sinceMs: number };
}

/** Whose look it was; `elsewhere`: to be known once the seat was asked where the same machine was seen last. */
export type Owner =
  | { readonly kind: 'device'; readonly state: DeviceState }
  | { readonly kind: 'elsewhere'; readonly seat: FleetSeat };

/** The devices of the configuration: which machine sits where, and which history (device id) a look belongs to. */
export class Fleet {
  readonly #seats = new Map<string, FleetSeat>();
  readonly #seatList: readonly FleetSeat[];
  readonly #states = new Map<string, DeviceState>();
  readonly #seatOf = new Map<string, FleetSeat>();
  readonly #idsByMark = new Map<string, string>();
  readonly #formerIds = new Map<string, string>();
  readonly #commissioned = new Set<string>();

  /** Known devices whose place left the configuration, sorted. */
  readonly removed: readonly string[];

  /** `known` are the devices of the store; `passed` the entries whose every address was looked at before. */
  constructor(places: readonly Place[], known: Iterable<DeviceState>, passed: ReadonlySet<string>) {
    for (const place of places) this.#addSeat(place, passed.has(place.entry));
    this.#seatList = [...this.#seats.values()];
    const gone: string[] = [];
    const byAddress = new Map(this.#seatList.map((seat) => [seat.place.address, seat]));
    for (const state of known) {
      const seat = state.position === 'host' ? this.#seatOf.get(state.id) : byAddress.get(state.address);
      if (seat === undefined || !fits(seat.place, state)) {
        gone.push(state.id);
        for (const mark of marksOf(factsOf(state))) this.#formerIds.set(mark, state.id);
      } else this.#seatDevice(seat, { ...state, labels: seat.place.labels });
    }
    this.removed = gone.sort();
  }

  #addSeat(place: Place, passed: boolean): void {
    const key = placeKey(place.address, place.ports);
    const seat: FleetSeat = { key, place, phase: phaseOf(key), occupied: false, restUntilMs: 0, busy: false, passed };
    this.#seats.set(key, seat);
    if (place.id === undefined) return;
    this.#seatDevice(seat, newDevice({ id: place.id, position: 'host', address: place.address, labels: place.labels }));
  }

  #seatDevice(seat: FleetSeat, state: DeviceState): void {
    const before = this.#seatOf.get(state.id);
    if (before !== undefined && before !== seat && before.device === state.id) {
      delete before.device;
      before.occupied = before.place.origin === 'host';
      before.restUntilMs = 0;
    }
    seat.device = state.id;
    seat.occupied = true;
    if (state.family !== undefined) seat.family = state.family;
    this.#seatOf.set(state.id, seat);
    this.keep(state);
  }

  seats(): readonly FleetSeat[] {
    return this.#seatList;
  }

  states(): readonly DeviceState[] {
    return [...this.#states.values()];
  }

  /** Ids of all devices that ought to be seen. */
  expected(): ReadonlySet<string> {
    return new Set(this.#states.keys());
  }

  /** What shows at this address now was not there to be changed: it is learned silently. */
  inFirstPass(seat: FleetSeat): boolean {
    return !seat.passed;
  }

  /** Entries of the configuration whose every address was looked at, sorted. */
  passedEntries(): readonly string[] {
    const waiting = new Set(this.#seatList.filter(({ passed }) => !passed).map(({ place }) => place.entry));
    return [...new Set(this.#seatList.map(({ place }) => place.entry))].filter((entry) => !waiting.has(entry)).sort();
  }

  /** Some device has an approved (`local` or `signed`) reference. */
  hasCommissioned(): boolean {
    return this.#commissioned.size > 0;
  }

  state(id: string): DeviceState | undefined {
    return this.#states.get(id);
  }

  seatOf(id: string): FleetSeat | undefined {
    return this.#seatOf.get(id);
  }

  /** Takes the state that a look or the record stage made. */
  keep(state: DeviceState): void {
    this.#states.set(state.id, state);
    if (state.reference?.entries.some(({ approval }) => approval !== 'none')) this.#commissioned.add(state.id);
    else this.#commissioned.delete(state.id);
    if (state.position === 'range' && state.attested !== undefined) this.#mark(state.id, factsOf(state));
  }

  #mark(id: string, facts: Facts): void {
    for (const mark of marksOf(facts)) this.#idsByMark.set(mark, id);
  }

  /**
   * The device a full look belongs to. A machine that came from another address brings its history along, provided it is
   * no longer seen there; of two that look alike at the same time the second is another device.
   */
  ownerOf(seat: FleetSeat, facts: Facts, nowMs: number): Owner {
    const here = seat.device === undefined ? undefined : this.#states.get(seat.device);
    if (here !== undefined && (seat.place.origin === 'host' || this.#isSame(here, facts, OTHER))) {
      delete seat.claim;
      return { kind: 'device', state: here };
    }
    const known = this.#elsewhere(seat, facts);
    const there = known === undefined ? undefined : this.#seatWith(known);
    if (known !== undefined && there !== undefined && !isSeenSince(known, seat.claim)) {
      if (seat.claim?.device !== known.id) seat.claim = { device: known.id, sinceMs: nowMs };
      return { kind: 'elsewhere', seat: there };
    }
    delete seat.claim;
    const state = known !== undefined && there === undefined ? known : this.#newAt(seat, facts);
    this.#seatDevice(seat, { ...state, labels: seat.place.labels });
    return { kind: 'device', state: this.#states.get(state.id) ?? state };
  }

  /** The id under which a device that left the configuration knew this machine. */
  formerId(facts: Facts): string | undefined {
    return marksOf(facts)
      .map((mark) => this.#formerIds.get(mark))
      .find((id) => id !== undefined);
  }

  /** Devices whose address now belongs to another machine, and that were not found elsewhere. */
  displaced(): readonly DeviceState[] {
    return this.states().filter((state) => this.#seatOf.get(state.id)?.device !== state.id);
  }

  #isSame(state: DeviceState, facts: Facts, least: number): boolean {
    if (state.attested === undefined) return true;
    const { ratio, available } = compareIdentity(factsOf(state), facts);
    return available < ENOUGH || ratio >= least;
  }

  /** The device of another address that this machine is; one that is no longer seen there before one that is. */
  #elsewhere(seat: FleetSeat, facts: Facts): DeviceState | undefined {
    const ids = new Set(marksOf(facts).map((mark) => this.#idsByMark.get(mark)));
    const same = [...ids].flatMap((id) => {
      const state = id === undefined ? undefined : this.#states.get(id);
      if (state === undefined || state.id === seat.device || state.attested === undefined) return [];
      const { ratio, available } = compareIdentity(factsOf(state), facts);
      return available > 0 && ratio >= SAME ? [state] : [];
    });
    return same.find((state) => this.#seatWith(state) === undefined) ?? same[0];
  }

  /** The seat at which this device was seen last, unless it is silent there or another machine showed since. */
  #seatWith(state: DeviceState): FleetSeat | undefined {
    const seat = this.#seatOf.get(state.id);
    const isThere = seat?.device === state.id && seat.claim === undefined && state.marks.failures === 0;
    return isThere ? seat : undefined;
  }

  #newAt(seat: FleetSeat, facts: Facts): DeviceState {
    const { address, labels } = seat.place;
    return newDevice({ id: this.#freeId(facts, address), position: 'range', address, labels });
  }

  /** Formed once, at the first full look: MAC, else serial, else address; a taken one gets a number. */
  #freeId(facts: Facts, address: string): string {
    const mac = facts['identity.mac'];
    const serial = facts['identity.serial'];
    const id = idOf(
      mac !== undefined ? `mac-${mac.replaceAll(':', '')}` : serial !== undefined ? `sn-${serial}` : `ip-${address}`,
    );
    for (let number = 1; ; number += 1) {
      const candidate = number === 1 ? id : `${id.slice(0, 58)}-${number}`;
      if (!this.#states.has(candidate)) return candidate;
    }
  }
}

const fits = (place: Place, state: DeviceState): boolean =>
  place.origin === state.position && (place.origin === 'range' || place.id === state.id);

/** A full look showed the claimed device at its own seat after it was seen here, too. */
const isSeenSince = ({ id, marks }: DeviceState, claim: FleetSeat['claim']): boolean =>
  claim?.device === id && (marks.fullMs ?? 0) > claim.sinceMs;

const factsOf = (state: DeviceState): Facts => JSON.parse(state.attested?.facts ?? '{}') as Facts;

/** What a machine can be looked up by, before the weighted comparison decides. */
const marksOf = (facts: Facts): readonly string[] => [
  ...(facts['identity.serial'] === undefined ? [] : [`serial ${facts['identity.serial']}`]),
  ...(facts['identity.mac'] === undefined ? [] : [`mac ${facts['identity.mac']}`]),
  ...(facts['identity.hashboards'] ?? []).map((serial) => `hashboard ${serial}`),
];

/** A device's place within a round, in [0, 1): spread evenly, and the same in every round. */
export const phaseOf = (key: string): number => hash('sha256', key, 'buffer').readUInt32BE(0) / 2 ** 32;
