import { hash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { Facts } from '../../shared/facts.ts';
import { agoMs } from '../appraise/ago.ts';
import { type DeviceState, newDevice } from '../appraise/device.ts';
import type { Edit } from '../appraise/edit.ts';
import { sharedKey } from '../appraise/identity.ts';
import type { Twin } from '../appraise/rules/identity-duplicate.ts';
import { identityEndpointChanged } from '../appraise/rules/identity-endpoint-changed.ts';
import { poolFailoverActive } from '../appraise/rules/pool-failover-active.ts';
import { type Assignment, relabelled } from '../appraise/tenancy.ts';
import { Semaphore } from '../probe/limits.ts';
import { factsOf, marksOf } from './likeness.ts';
import { Machines, type Owner } from './machines.ts';
import { machineKey, type Place, placeKey } from './places.ts';
import type { FleetSeat } from './seat.ts';
import { Tenants } from './tenants.ts';

/** What says whose devices are, and by which clock. */
export interface Ownership {
  readonly tenants: Tenants;
  readonly nowMs: () => number;
}

/** Devices have the labels of their places, all the time. */
const BY_LABEL: Ownership = { tenants: new Tenants({ tenants: {} }), nowMs: () => 0 };

/** The devices of the configuration: who sits where, and what is known of them all. Whose look it is, `Machines` says. */
export class Fleet {
  readonly #seatList: readonly FleetSeat[];
  readonly #states = new Map<string, DeviceState>();
  readonly #seatOf = new Map<string, FleetSeat>();
  /** Which machine is which. */
  readonly machines = new Machines({
    states: this.#states,
    seatOf: this.#seatOf,
    labelsOf: (place, id) => this.labelsOf(place, id),
  });
  /** When the endpoint of a device was first seen to be another one, where it is. */
  readonly #endpoints = new Map<string, number>();
  /** Marks that several devices showed, and those of each device: nothing of the kind on most gateways. */
  readonly #shared = new Map<string, Set<string>>();
  readonly #sharedOf = new Map<string, Set<string>>();
  readonly #commissioned = new Set<string>();
  readonly #onFailover = new Set<string>();
  #sites: { readonly atMs: number; readonly down: ReadonlySet<string | undefined> } | undefined;

  /** Known devices whose place left the configuration, sorted. */
  readonly removed: readonly string[];

  readonly #ownership: Ownership;
  #edits: readonly Edit[];

  /**
   * `known` are the devices of the store; `passed` the entries whose every address was looked at before; `departed` are those
   * that left the configuration earlier, the latest last; `untold` the addresses that are still in their first pass, as `untoldAddresses`
   * gave them.
   */
  constructor(
    places: readonly Place[],
    known: Iterable<DeviceState>,
    passed: ReadonlySet<string>,
    ownership: Ownership = BY_LABEL,
    departed: readonly DeviceState[] = [],
    untold: ReadonlySet<string> = new Set(),
  ) {
    this.#ownership = ownership;
    this.#seatList = places.map((place) => {
      const seat = this.#newSeat(place, passed.has(place.entry) && !untold.has(place.address));
      return untold.has(place.address) ? Object.assign(seat, { untold: 'there' as const }) : seat;
    });
    this.#lineUp();
    const positions = new Map(this.#seatOf);
    const byAddress = new Map(this.#seatList.map((seat) => [seat.place.address, seat]));
    const gone: DeviceState[] = [];
    // Of two that were known at one address the one that was seen last sits there.
    const ordered = [...known].sort((a, b) => lastSeenMs(a) - lastSeenMs(b));
    for (const state of ordered) {
      const seat = state.position === 'host' ? positions.get(state.id) : byAddress.get(state.address);
      const isGone = seat?.place.origin !== state.position;
      // An id of a range that an operator has given to a position since names the position.
      if (seat === undefined || isGone || (state.position === 'range' && positions.has(state.id))) gone.push(state);
      else this.#seatDevice(seat, relabelled(state, this.labelsOf(seat.place, state.id)));
    }
    for (const state of [...departed, ...gone]) this.machines.rememberFormer(state);
    this.#rememberLeft(byAddress);
    this.removed = gone.map(({ id }) => id).sort();
    this.#edits = this.#editsOf(ordered);
  }

  /** What the configuration edited about devices that were known, or where they stand; told once. */
  takeEdits(): readonly Edit[] {
    const edits = this.#edits;
    this.#edits = NOBODY;
    return edits;
  }

  #editsOf(known: readonly DeviceState[]): readonly Edit[] {
    const byId = new Map(known.map((state) => [state.id, state]));
    const byAddress = new Map(known.map((state) => [state.address, state]));
    return this.states().flatMap(({ id }): Edit[] => {
      const place = this.#seatOf.get(id)?.place;
      if (place === undefined) return [];
      const own = byId.get(id);
      const labels = this.labelsOf(place, id);
      const isNewHere = place.origin === 'host' && own?.address !== place.address;
      const stood = isNewHere
        ? (byAddress.get(place.address) ?? this.machines.formerThere({ address: place.address }))
        : undefined;
      // Several devices may share an address, behind different ports.
      const other = stood === undefined || stood.id === id || this.#isStillAt(stood) ? undefined : stood;
      if (other === undefined && (own === undefined || isDeepStrictEqual(own.labels, labels))) return [];
      return [{ device: id, labels, befores: [own, other].filter((state) => state !== undefined) }];
    });
  }

  /** The device is where it was. */
  #isStillAt({ id, address }: DeviceState): boolean {
    return this.#seatOf.get(id)?.place.address === address;
  }

  /** Who lost a place, and who left it, the latest last. */
  #rememberLeft(byAddress: ReadonlyMap<string, FleetSeat>): void {
    const left = this.states().flatMap(({ id, left = NOBODY }) => left.map((one) => ({ ...one, id })));
    left.sort((a, b) => a.atMs - b.atMs);
    for (const { id, address } of [...this.machines.displaced(), ...left]) {
      const seat = byAddress.get(address);
      if (seat !== undefined) seat.former = id;
    }
  }

  /** Positions that are most likely one machine take turns: some of these serve one connection at a time. */
  #lineUp(): void {
    const positions = this.#seatList.filter(({ place }) => place.origin === 'host');
    for (const seats of Map.groupBy(positions, ({ place }) => machineKey(place.address, place.ports)).values()) {
      if (seats.length === 1) continue;
      const line = new Semaphore(1);
      for (const seat of seats) seat.line = line;
    }
  }

  #newSeat(place: Place, passed: boolean): FleetSeat {
    const { id, address } = place;
    const phase = phaseOf(placeKey(address, place.ports));
    const seat: FleetSeat = { place, phase, occupied: false, restUntilMs: 0, busy: false, passed };
    if (id !== undefined)
      this.#seatDevice(seat, newDevice({ id, position: 'host', address, labels: this.labelsOf(place, id) }));
    return seat;
  }

  #seatDevice(seat: FleetSeat, state: DeviceState): void {
    const before = this.#seatOf.get(state.id);
    if (seat.device !== undefined && seat.device !== state.id) seat.former = seat.device;
    if (before !== undefined && before !== seat && before.device === state.id) {
      before.former = state.id;
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

  /** The labels that the device of this id has at this place now. */
  labelsOf({ address, labels }: Place, id: string): DeviceState['labels'] {
    return this.#ownership.tenants.labelsOf({ id, address, labels }, this.#ownership.nowMs());
  }

  /** Changes whenever the tenant of some device may. */
  epoch(nowMs: number): number {
    return this.#ownership.tenants.epoch(nowMs);
  }

  /** Whose the device is, as its labels say; since when and how long, where that is still so. */
  assignmentOf({ id, labels: { tenant } }: DeviceState): Assignment | undefined {
    if (tenant === undefined) return undefined;
    const place = this.#seatOf.get(id)?.place;
    const { tenants, nowMs } = this.#ownership;
    const now =
      place === undefined ? undefined : tenants.of({ id, address: place.address, labels: place.labels }, nowMs());
    return now?.tenant === tenant ? now : { tenant };
  }

  seats(): readonly FleetSeat[] {
    return this.#seatList;
  }

  states(): readonly DeviceState[] {
    return [...this.#states.values()];
  }

  /** Labels that the configuration gives to an address; undefined for one that it does not name. */
  labelsAt(address: string): Place['labels'] | undefined {
    return this.#seatList.find(({ place }) => place.address === address)?.place.labels;
  }

  /** Ids of all devices that ought to be seen. */
  expected(): ReadonlySet<string> {
    return new Set(this.#states.keys());
  }

  /** What shows at this address now was not there to be changed: it is learned silently. */
  inFirstPass(seat: FleetSeat): boolean {
    return !seat.passed;
  }

  /** Entries of the configuration whose every address was looked at, sorted. Who may be a miner of which nothing could be read yet holds up none. */
  passedEntries(): readonly string[] {
    const waiting = new Set(
      this.#seatList.filter((seat) => !seat.passed && !isUntold(seat)).map(({ place }) => place.entry),
    );
    return [...new Set(this.#seatList.map(({ place }) => place.entry))].filter((entry) => !waiting.has(entry)).sort();
  }

  /** Addresses of ranges at which somebody stands of whom nothing could be read yet: a miner there was there when its entry was searched. */
  untoldAddresses(): readonly string[] {
    return this.#seatList.filter((seat) => !seat.passed && isUntold(seat)).map(({ place }) => place.address);
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
    if (state.tracks.some(({ finding }) => finding.ruleId === poolFailoverActive.id)) this.#onFailover.add(state.id);
    else this.#onFailover.delete(state.id);
    this.#noteEndpoint(state);
    if (state.attested === undefined) return;
    const facts = factsOf(state);
    const marks = marksOf(facts);
    for (const mark of marks) {
      this.#noteShared(mark, state.id);
      this.machines.note(mark, state);
    }
    if (marks.length > 0) this.machines.noteUsers(facts, state);
  }

  #noteEndpoint({ id, tracks }: DeviceState): void {
    const track = tracks.find(
      ({ finding }) => finding.ruleId === identityEndpointChanged.id && finding.state !== 'provisional',
    );
    if (track === undefined) this.#endpoints.delete(id);
    else this.#endpoints.set(id, track.finding.firstObservedAt * 1000);
  }

  /** How many other devices have an endpoint that changed within the last half hour. */
  endpointChanges(id: string, nowMs: number): number {
    let count = 0;
    for (const [other, atMs] of this.#endpoints) if (other !== id && agoMs(atMs, nowMs) <= HALF_HOUR_MS) count += 1;
    return count;
  }

  #noteShared(mark: string, id: string): void {
    const others = this.machines.idsWith(mark).filter((other) => other !== id && this.#states.has(other));
    if (others.length === 0) return;
    const ids = this.#shared.getOrInsertComputed(mark, () => new Set());
    for (const one of [...others, id]) {
      ids.add(one);
      this.#sharedOf.getOrInsertComputed(one, () => new Set()).add(mark);
    }
  }

  /** Devices of other places, also of this address, that show what tells this one most surely, and answer there. */
  twinsOf(state: DeviceState): readonly Twin[] {
    const marks = this.#sharedOf.get(state.id);
    if (marks === undefined) return NOBODY;
    const facts = factsOf(state);
    return [...new Set([...marks].flatMap((mark) => this.#fewWith(mark)))].flatMap((id) => {
      const other = this.#states.get(id);
      if (other === undefined || id === state.id || this.machines.seatWith(other) === undefined) return [];
      const shared = sharedKey(facts, factsOf(other));
      return shared === undefined
        ? []
        : [{ device: id, address: other.address, ...shared, fullMs: other.marks.fullMs ?? 0 }];
    });
  }

  /** What more devices show than anybody would copy is a value of the factory. */
  #fewWith(mark: string): readonly string[] {
    const ids = this.#shared.get(mark);
    return ids === undefined || ids.size > MOST_TWINS ? NOBODY : [...ids];
  }

  /** More than a quarter of the site of this device mines on fail-over pools. Counted anew every few seconds at most. */
  primaryIsDown({ labels: { site } }: DeviceState, nowMs: number): boolean {
    if (this.#onFailover.size === 0) return false;
    const known = this.#sites;
    if (known !== undefined && nowMs >= known.atMs && nowMs - known.atMs < COUNT_MS) return known.down.has(site);
    const all = countSites(this.#states.values());
    const fallen = countSites([...this.#onFailover].flatMap((id) => this.#states.get(id) ?? []));
    const down = [...fallen].filter(([name, count]) => count * 4 > (all.get(name) ?? 0)).map(([name]) => name);
    this.#sites = { atMs: nowMs, down: new Set(down) };
    return this.#sites.down.has(site);
  }

  /** The device a full look belongs to; one that comes sits there from then on. */
  ownerOf(seat: FleetSeat, facts: Facts, nowMs: number): Owner {
    const owner = this.machines.ownerOf(seat, facts, nowMs);
    if (owner.kind !== 'comes') return owner;
    const state = relabelled(owner.state, this.labelsOf(seat.place, owner.state.id));
    this.#seatDevice(seat, state);
    return { kind: 'device', state };
  }
}

const NOBODY: readonly never[] = [];
/** More devices than this that show the same mark are no copies of one another. */
const MOST_TWINS = 16;
/** How often the sites on fail-over pools are counted anew at most, ms. */
const COUNT_MS = 5000;
const HALF_HOUR_MS = 30 * 60_000;

const countSites = (states: Iterable<DeviceState>): ReadonlyMap<string | undefined, number> => {
  const counts = new Map<string | undefined, number>();
  for (const { labels } of states) counts.set(labels.site, (counts.get(labels.site) ?? 0) + 1);
  return counts;
};

const lastSeenMs = ({ marks: { poolsMs = 0, fullMs = 0 } }: DeviceState): number => Math.max(poolsMs, fullMs);

/** A device's place within a round, in [0, 1): spread evenly, and the same in every round. */
export const phaseOf = (key: string): number => hash('sha256', key, 'buffer').readUInt32BE(0) / 2 ** 32;

const isUntold = ({ place, untold }: FleetSeat): boolean => place.origin === 'range' && untold !== undefined;
