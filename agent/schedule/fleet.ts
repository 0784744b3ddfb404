import { hash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { Facts } from '../../shared/facts.ts';
import { type DeviceState, newDevice } from '../appraise/device.ts';
import type { Edit } from '../appraise/edit.ts';
import { compareIdentity, sharedKey } from '../appraise/identity.ts';
import { stoodLately } from '../appraise/left.ts';
import { isMac, isSerial } from '../appraise/placeholder.ts';
import { isHeld, type Replaced, replacedBy } from '../appraise/replaced.ts';
import type { Twin } from '../appraise/rules/identity-duplicate.ts';
import { identityEndpointChanged } from '../appraise/rules/identity-endpoint-changed.ts';
import { poolFailoverActive } from '../appraise/rules/pool-failover-active.ts';
import { isDark } from '../appraise/rules/visibility-device-dark.ts';
import { type Assignment, relabelled } from '../appraise/tenancy.ts';
import type { Interface } from '../probe/target.ts';
import { factsOf, isSameMachine, likenessTo, marksOf } from './likeness.ts';
import { idOf, type Place, placeKey } from './places.ts';
import { Tenants } from './tenants.ts';
import type { Seat } from './timetable.ts';

/** A place and what is known to sit there. Changed in place by the fleet and the rounds only. */
export interface FleetSeat extends Seat {
  readonly place: Place;
  /** Place within a round, from 0 to 1. */
  readonly phase: number;
  occupied: boolean;
  restUntilMs: number;
  /** The device that answers here; undefined for an address of a range where none was found. */
  device?: string;
  /** The one that sat here before, and left, or lost its place. */
  former?: string;
  /** Family that the last look spoke. */
  family?: string;
  /** Interfaces to which the last full look could not connect, and those to which the one before it could not either. */
  dark?: readonly Interface[] | undefined;
  closed?: readonly Interface[] | undefined;
  /** What was said of a miner here that lets nothing be read. */
  silent?: string;
  /** A look is under way. */
  busy: boolean;
  /** Somebody asked for an attestation of what shows here now. */
  demanded?: boolean;
  /** Looked at once since the entry was added. */
  passed: boolean;
  /** What shows here was last seen at another seat: whose it is follows from the next look there. */
  claim?: { readonly device: string; readonly sinceMs: number };
  /** How many machines of other seats it showed lately without being one of them, and when the last of them. */
  claims?: { readonly count: number; readonly atMs: number };
}

/** Whose look it was; `elsewhere`: to be known once the seat was asked where the same machine was seen last. */
export type Owner =
  | { readonly kind: 'device'; readonly state: DeviceState }
  | { readonly kind: 'elsewhere'; readonly seat: FleetSeat };

/** What says whose devices are, and by which clock. */
export interface Ownership {
  readonly tenants: Tenants;
  readonly nowMs: () => number;
}

/** Devices have the labels of their places, all the time. */
const BY_LABEL: Ownership = { tenants: new Tenants({ tenants: {} }), nowMs: () => 0 };

/** The devices of the configuration: which machine sits where, and which history (device id) a look belongs to. */
export class Fleet {
  readonly #seatList: readonly FleetSeat[];
  readonly #states = new Map<string, DeviceState>();
  readonly #seatOf = new Map<string, FleetSeat>();
  readonly #idsByMark = { host: new Map<string, string>(), range: new Map<string, string>() };
  readonly #formers = new Map<string, DeviceState>();
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
   * that left the configuration earlier, the latest last.
   */
  constructor(
    places: readonly Place[],
    known: Iterable<DeviceState>,
    passed: ReadonlySet<string>,
    ownership: Ownership = BY_LABEL,
    departed: readonly DeviceState[] = [],
  ) {
    this.#ownership = ownership;
    this.#seatList = places.map((place) => this.#newSeat(place, passed.has(place.entry)));
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
    for (const state of [...departed, ...gone]) this.#rememberFormer(state);
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
        ? (byAddress.get(place.address) ?? this.#formers.get(atAddress(place.address)))
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

  #rememberFormer(state: DeviceState): void {
    for (const mark of [...doorsOf(state), ...marksOf(factsOf(state))]) {
      // Where nothing was learned of it, what came before it is what the next one is held against.
      if (state.reference === undefined && this.#formers.get(mark)?.reference !== undefined) continue;
      this.#formers.set(mark, state);
    }
  }

  /** Who lost a place, and who left it, the latest last. */
  #rememberLeft(byAddress: ReadonlyMap<string, FleetSeat>): void {
    const left = this.states().flatMap(({ id, left = NOBODY }) => left.map((one) => ({ ...one, id })));
    left.sort((a, b) => a.atMs - b.atMs);
    for (const { id, address } of [...this.displaced(), ...left]) {
      const seat = byAddress.get(address);
      if (seat !== undefined) seat.former = id;
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
    if (state.tracks.some(({ finding }) => finding.ruleId === poolFailoverActive.id)) this.#onFailover.add(state.id);
    else this.#onFailover.delete(state.id);
    this.#noteEndpoint(state);
    if (state.attested === undefined) return;
    for (const mark of marksOf(factsOf(state))) {
      this.#noteShared(mark, state.id);
      this.#idsByMark[state.position].set(mark, state.id);
    }
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
    for (const [other, atMs] of this.#endpoints) if (other !== id && nowMs - atMs <= HALF_HOUR_MS) count += 1;
    return count;
  }

  #noteShared(mark: string, id: string): void {
    const others = this.#idsWith(mark).filter((other) => other !== id && this.#states.has(other));
    if (others.length === 0) return;
    const ids = this.#shared.getOrInsertComputed(mark, () => new Set());
    for (const one of [...others, id]) {
      ids.add(one);
      this.#sharedOf.getOrInsertComputed(one, () => new Set()).add(mark);
    }
  }

  #idsWith(mark: string): readonly string[] {
    return [this.#idsByMark.host.get(mark), this.#idsByMark.range.get(mark)].filter((id) => id !== undefined);
  }

  /** Devices at other addresses that show what tells this one most surely, and answer there. */
  twinsOf(state: DeviceState): readonly Twin[] {
    const marks = this.#sharedOf.get(state.id);
    if (marks === undefined) return NOBODY;
    const facts = factsOf(state);
    return [...new Set([...marks].flatMap((mark) => this.#fewWith(mark)))].flatMap((id) => {
      const other = this.#states.get(id);
      if (other === undefined || other.address === state.address || this.#seatWith(other) === undefined) return [];
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

  /** Whether the machine of a device shows as another device that answers. */
  isElsewhere(state: DeviceState): boolean {
    const facts = factsOf(state);
    return marksOf(facts)
      .flatMap((mark) => this.#idsWith(mark))
      .some((id) => {
        const other = this.#states.get(id);
        return (
          other !== undefined && id !== state.id && this.#seatWith(other) !== undefined && isSameMachine(other, facts)
        );
      });
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

  /**
   * The device a full look belongs to. A machine that came from another address brings its history along, provided it is
   * no longer seen there; of two that look alike at the same time the second is another device. One that comes where another
   * one stood is held against that one. What shows one present machine after the other is the device that was here.
   */
  ownerOf(seat: FleetSeat, facts: Facts, nowMs: number): Owner {
    const here = seat.device === undefined ? undefined : this.#states.get(seat.device);
    const isHost = seat.place.origin === 'host';
    const likeness = isHost ? 'same' : likenessTo(here, facts);
    const known = isHost ? undefined : this.#elsewhere(seat, facts, likeness === 'same' ? here : undefined);
    const there = known === undefined ? undefined : this.#seatWith(known);
    const isOpen = known !== undefined && there !== undefined && !isSeenSince(known, seat.claim);
    if (isOpen && claims(seat, known, nowMs)) return { kind: 'elsewhere', seat: there };
    delete seat.claim;
    // That it shows itself in between does not say that it was itself all the time.
    if (!isOpen && (known !== undefined || likeness === 'other')) delete seat.claims;
    if (known !== undefined && there === undefined)
      return this.#seated(seat, this.#taking(known, this.#drivenOff(seat, here), nowMs));
    if (here !== undefined && (isOpen || likeness !== 'other')) return { kind: 'device', state: here };
    return this.#seated(seat, this.#newAt(seat, facts, here, nowMs));
  }

  #seated(seat: FleetSeat, device: DeviceState): Owner {
    const state = relabelled(device, this.labelsOf(seat.place, device.id));
    this.#seatDevice(seat, state);
    return { kind: 'device', state };
  }

  /**
   * The id under which the machine of a new device was known before: its entry was renamed, or it went from a range to a
   * position or back. Where there is nothing to compare the address decides.
   */
  formerId(device: DeviceState, facts: Facts): string | undefined {
    const former = this.formerOf(device, facts);
    return former?.id === device.id ? undefined : former?.id;
  }

  /** The same with all that was known of it; also where it left the configuration and is back under its name. */
  formerOf(device: DeviceState, facts: Facts): DeviceState | undefined {
    const { id, position } = device;
    const marks = marksOf(facts);
    const others = this.#idsByMark[position === 'host' ? 'range' : 'host'];
    const there = this.#formerThere(device);
    // A position is held against what was known of it, whatever machine is there now.
    if (position === 'host' && there?.position === 'host' && there.id === id) return there;
    const known = [
      ...marks.map((mark) => this.#formers.get(mark)),
      ...marks.map((mark) => this.#states.get(others.get(mark) ?? '')),
    ];
    const same = known.find((state) => state !== undefined && isSameMachine(state, facts));
    return same ?? this.#unlikeNobody(there, facts);
  }

  #unlikeNobody(state: DeviceState | undefined, facts: Facts): DeviceState | undefined {
    return state !== undefined && compareIdentity(factsOf(state), facts).available === 0 ? state : undefined;
  }

  /** Devices whose address now belongs to another machine, and that were not found elsewhere. */
  displaced(): readonly DeviceState[] {
    return this.states().filter((state) => this.#isDisplaced(state));
  }

  #isDisplaced({ id }: DeviceState): boolean {
    return this.#seatOf.get(id)?.device !== id;
  }

  /**
   * The device of another address that this machine is, and is more surely than the one that was `here`, which may share a
   * part with it, or what a maker gives to all; one that is no longer seen there before one that is.
   */
  #elsewhere(seat: FleetSeat, facts: Facts, here: DeviceState | undefined): DeviceState | undefined {
    const least = here === undefined ? 0 : compareIdentity(factsOf(here), facts).ratio;
    if (least === 1) return undefined;
    const ids = new Set(marksOf(facts).map((mark) => this.#idsByMark.range.get(mark) ?? ''));
    const same = [...ids].flatMap((id) => {
      const state = this.#states.get(id);
      const isLiker = state !== undefined && id !== seat.device && isSameMachine(state, facts, least);
      return isLiker ? [state] : [];
    });
    return same.find((state) => this.#seatWith(state) === undefined) ?? same[0];
  }

  /** The seat at which this device was seen last, unless it is silent there or another machine showed since. */
  #seatWith(state: DeviceState): FleetSeat | undefined {
    const seat = this.#seatOf.get(state.id);
    const isThere = seat?.device === state.id && seat.claim === undefined && state.marks.failures === 0;
    return isThere ? seat : undefined;
  }

  #newAt(seat: FleetSeat, facts: Facts, here: DeviceState | undefined, nowMs: number): DeviceState {
    const { address } = seat.place;
    const id = this.#freeId(facts, address);
    const fresh = newDevice({ id, position: 'range', address, labels: this.labelsOf(seat.place, id) });
    const device = { ...fresh, ...this.#states.get(id), address };
    const former = this.formerOf(device, facts);
    if (former !== undefined && replacedBy(former) !== undefined)
      return this.#taking(device, this.#drivenOff(seat, here), nowMs);
    const replaces = this.#replacedAt(this.#stoodAt(seat, here, nowMs), facts);
    return replaces === undefined ? device : { ...device, replaces };
  }

  /** What stood here last: who sits here, else who left lately, else who did when the place left the configuration. */
  #stoodAt(seat: FleetSeat, here: DeviceState | undefined, nowMs: number): DeviceState | undefined {
    const { address } = seat.place;
    const former = this.#states.get(seat.former ?? '');
    const isLate = former !== undefined && stoodLately(former, address, nowMs);
    return here ?? (isLate ? former : this.#formerAt({ address }));
  }

  /** Who loses this place to a machine that comes, or lost it and shows nowhere since. */
  #drivenOff(seat: FleetSeat, here: DeviceState | undefined): DeviceState | undefined {
    if (here !== undefined) return here;
    const former = this.#states.get(seat.former ?? '');
    return former?.address === seat.place.address && this.#isDisplaced(former) ? former : undefined;
  }

  /**
   * A known machine that takes the place of one that answered until then: where that one is found nowhere, it is held against that
   * one, too. The place of one that was dark is free to be taken.
   */
  #taking(device: DeviceState, driven: DeviceState | undefined, nowMs: number): DeviceState {
    if (driven === undefined || driven.id === device.id || isHeld(device) || isDark(driven)) return device;
    const replaces = replacedBy(driven);
    if (replaces === undefined || replaces.device === device.id) return device;
    return { ...device, replaces: { ...replaces, sinceMs: nowMs } };
  }

  /** What came of looking for the device whose place this one took; once every place was searched since, it is nowhere. */
  drivenBy({ replaces }: DeviceState, nowMs: number, searchMs: number): 'elsewhere' | 'nowhere' | undefined {
    const { device = '', sinceMs } = replaces ?? {};
    const driven = this.#states.get(device);
    if (driven === undefined || sinceMs === undefined) return undefined;
    if (this.#seatWith(driven) !== undefined || this.isElsewhere(driven)) return 'elsewhere';
    return isDark(driven) && nowMs - sinceMs >= searchMs ? 'nowhere' : undefined;
  }

  /** It lost its seat before it was attested: what comes under its name is that device, or each return would make one more. */
  #wasNever({ id, position, attested }: DeviceState): boolean {
    return position === 'range' && attested === undefined && this.#seatOf.get(id)?.device !== id;
  }

  /** A position that was never seen, with what stood at its address under another name. */
  withReplaced(device: DeviceState): DeviceState {
    const former = device.replaces === undefined ? this.#formerAt(device) : undefined;
    const replaces = former === undefined ? undefined : replacedBy(former);
    return replaces === undefined ? device : { ...device, replaces };
  }

  /** The device that stood at this address when its place left the configuration, and is known at no other one since. */
  #formerAt(door: Door): DeviceState | undefined {
    const former = this.#formerThere(door);
    return former === undefined || this.#states.has(former.id) ? undefined : former;
  }

  /** The device that stood there when its place left the configuration, however the address was spelled. */
  #formerThere(door: Door): DeviceState | undefined {
    return doorsOf(door)
      .map((mark) => this.#formers.get(mark))
      .find((state) => state !== undefined);
  }

  /** What a new device replaces: the device whose address it has, else one whose serials or MAC it shows. */
  #replacedAt(here: DeviceState | undefined, facts: Facts): Replaced | undefined {
    const alike = marksOf(facts).flatMap((mark) => this.#idsWith(mark).map((id) => this.#states.get(id)));
    for (const state of [here, ...alike]) {
      const replaced = state === undefined ? undefined : replacedBy(state);
      if (replaced !== undefined) return replaced;
    }
    return undefined;
  }

  /** Formed once, at the first full look: MAC, else serial, else address; one that an attested or seated device has gets a number. */
  #freeId(facts: Facts, address: string): string {
    const { 'identity.mac': mac, 'identity.serial': serial } = facts;
    const id = idOf(
      isMac(mac) ? `mac-${mac.replaceAll(':', '')}` : isSerial(serial) ? `sn-${serial}` : `ip-${address}`,
    );
    for (let number = 1; ; number += 1) {
      const candidate = number === 1 ? id : `${id.slice(0, 58)}-${number}`;
      const known = this.#states.get(candidate);
      if (known === undefined || this.#wasNever(known)) return candidate;
    }
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

/** A full look showed the claimed device at its own seat after it was seen here, too. */
const isSeenSince = ({ id, marks }: DeviceState, claim: FleetSeat['claim']): boolean =>
  claim?.device === id && (marks.fullMs ?? 0) > claim.sinceMs;

/** After so many a seat waits no longer until it is known whose look it was: another machine at every look would keep it open. */
const MOST_CLAIMS = 2;
/** After so long without one it may do so again, ms. */
const CLAIMS_MS = 3_600_000;

/** Whether the seat waits for a look at the one where this device was seen last. */
const claims = (seat: FleetSeat, { id }: DeviceState, nowMs: number): boolean => {
  if (seat.claim?.device === id) return true;
  const { count, atMs } = seat.claims ?? { count: 0, atMs: nowMs };
  const lately = nowMs - atMs < CLAIMS_MS ? count : 0;
  if (lately >= MOST_CLAIMS) return false;
  seat.claims = { count: lately + 1, atMs: nowMs };
  seat.claim = { device: id, sinceMs: nowMs };
  return true;
};

/** Where a device is looked for: its address as the configuration spells it, and the one that was reached, if that is another. */
type Door = Pick<DeviceState, 'address' | 'reached'>;

/** What says where a device stands. Whoever edits the configuration chooses the spelling, so what was reached comes first. */
const doorsOf = ({ address, reached }: Door): readonly string[] =>
  reached === undefined ? [atAddress(address)] : [atAddress(reached), atAddress(address)];

const atAddress = (address: string): string => `address ${address}`;

/** A device's place within a round, in [0, 1): spread evenly, and the same in every round. */
export const phaseOf = (key: string): number => hash('sha256', key, 'buffer').readUInt32BE(0) / 2 ** 32;
