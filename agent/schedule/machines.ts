import type { Facts } from '../../shared/facts.ts';
import { agoMs, isAhead } from '../appraise/ago.ts';
import { type DeviceState, newDevice } from '../appraise/device.ts';
import { compareIdentity } from '../appraise/identity.ts';
import { stoodLately } from '../appraise/left.ts';
import { isMac, isSerial } from '../appraise/placeholder.ts';
import { isHeld, type Replaced, replacedBy } from '../appraise/replaced.ts';
import { isDark } from '../appraise/rules/visibility-device-dark.ts';
import { factsOf, isSameMachine, likenessTo, marksOf, mayShow, tellsOther, usersOf } from './likeness.ts';
import { idOf, type Place } from './places.ts';
import type { FleetSeat } from './seat.ts';

/** Whose look it was; `elsewhere`: to be known once the seat was asked where the same machine was seen last. */
export type Owner =
  | { readonly kind: 'device'; readonly state: DeviceState }
  | { readonly kind: 'elsewhere'; readonly seat: FleetSeat };

/** A device that comes to the seat: from another one, or new. It does not sit there yet. */
interface Comer {
  readonly kind: 'comes';
  readonly state: DeviceState;
}

/** The fleet as far as machines are told apart in it. */
interface Sitting {
  readonly states: ReadonlyMap<string, DeviceState>;
  /** Where each device was seen last; another one may sit there since. */
  readonly seatOf: ReadonlyMap<string, FleetSeat>;
  readonly labelsOf: (place: Place, id: string) => DeviceState['labels'];
}

/**
 * Whose look it is: which device the machine is that shows at an address, by what it says of itself, by who sat or stood there, and by
 * who left; and what became of the one whose place it took. It knows, and the fleet seats: of a seat it touches only its claims.
 */
export class Machines {
  readonly #states: Sitting['states'];
  readonly #seatOf: Sitting['seatOf'];
  readonly #labelsOf: Sitting['labelsOf'];
  readonly #idsByMark = { host: new Map<string, string>(), range: new Map<string, string>() };
  readonly #formers = new Map<string, DeviceState>();
  /** The device of a range that names itself and works for this user; `SEVERAL` where more than one ever did. */
  readonly #idByUser = new Map<string, string>();

  constructor({ states, seatOf, labelsOf }: Sitting) {
    this.#states = states;
    this.#seatOf = seatOf;
    this.#labelsOf = labelsOf;
  }

  /** A device was attested with this mark. */
  note(mark: string, { id, position }: Pick<DeviceState, 'id' | 'position'>): void {
    this.#idsByMark[position].set(mark, id);
  }

  /** A device was attested with these facts, and names itself. Whoever has it work for ever new users leaves none here. */
  noteUsers(facts: Facts, state: DeviceState): void {
    const { id, position } = state;
    if (position === 'host' || isMisled(state)) return;
    for (const user of usersOf(facts)) {
      const known = this.#idByUser.get(user) ?? id;
      this.#idByUser.set(user, known === id ? id : SEVERAL);
    }
  }

  /**
   * Whether a look at an address of a range that reads no name may be one at a device which is known elsewhere: that one shows such pools,
   * and the one that sits here shows something else. A thief works for nobody who is known. `compared`: the facts as they are held against
   * those of the one that sits here.
   */
  mayBeAnother({ device }: FleetSeat, facts: Facts, compared: Facts): boolean {
    const here = device === undefined ? undefined : this.#states.get(device);
    const isItself =
      here !== undefined && (likenessTo(here, compared) !== 'unsure' || !tellsOther(factsOf(here), compared));
    if (isItself) return false;
    return this.#workingAs(facts).some((other) => {
      const isLike = other.id !== device && other.position === 'range' && other.family === facts.family;
      return isLike && !isMisled(other) && mayShow(factsOf(other), facts);
    });
  }

  /** Devices of which one may work for these users: one by itself where no other ever did, all where the users say nothing. */
  #workingAs(facts: Facts): readonly DeviceState[] {
    const ids = [...usersOf(facts)].map((user) => this.#idByUser.get(user));
    if (ids.includes(undefined)) return [];
    const own = ids.find((id) => id !== SEVERAL);
    if (own === undefined) return [...this.#states.values()];
    const state = this.#states.get(own);
    return state === undefined ? [] : [state];
  }

  /** A device that left the configuration; the latest last. */
  rememberFormer(state: DeviceState): void {
    for (const mark of [...doorsOf(state), ...marksOf(factsOf(state))]) {
      // Where nothing was learned of it, what came before it is what the next one is held against.
      if (state.reference === undefined && this.#formers.get(mark)?.reference !== undefined) continue;
      this.#formers.set(mark, state);
    }
  }

  /** The devices that showed this mark last, one that is a position and one of a range. */
  idsWith(mark: string): readonly string[] {
    return [this.#idsByMark.host.get(mark), this.#idsByMark.range.get(mark)].filter((id) => id !== undefined);
  }

  /** Whether the machine of a device shows as another device that answers. */
  isElsewhere(state: DeviceState): boolean {
    const facts = factsOf(state);
    return marksOf(facts)
      .flatMap((mark) => this.idsWith(mark))
      .some((id) => {
        const other = this.#states.get(id);
        return (
          other !== undefined && id !== state.id && this.seatWith(other) !== undefined && isSameMachine(other, facts)
        );
      });
  }

  /**
   * The device a full look belongs to. A machine that came from another address brings its history along, provided it is
   * no longer seen there; of two that look alike at the same time the second is another device. One that comes where another
   * one stood is held against that one. What shows one present machine after the other is the device that was here.
   */
  ownerOf(seat: FleetSeat, facts: Facts, nowMs: number): Owner | Comer {
    const here = seat.device === undefined ? undefined : this.#states.get(seat.device);
    const isHost = seat.place.origin === 'host';
    const likeness = isHost ? 'same' : likenessTo(here, facts);
    const known = isHost ? undefined : this.#elsewhere(seat, facts, likeness === 'same' ? here : undefined);
    const there = known === undefined ? undefined : this.seatWith(known);
    if (known !== undefined) heedClock(seat, known, nowMs);
    const isOpen = known !== undefined && there !== undefined && !isSeenSince(known, seat.claim);
    if (isOpen && claims(seat, known, nowMs)) return { kind: 'elsewhere', seat: there };
    delete seat.claim;
    // That it shows itself in between does not say that it was itself all the time.
    if (!isOpen && (known !== undefined || likeness === 'other')) delete seat.claims;
    if (known !== undefined && there === undefined)
      return { kind: 'comes', state: this.#taking(known, this.#drivenOff(seat, here), nowMs) };
    if (here !== undefined && (isOpen || likeness !== 'other')) return { kind: 'device', state: here };
    return { kind: 'comes', state: this.#newAt(seat, facts, here, nowMs) };
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
    const there = this.formerThere(device);
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
    return [...this.#states.values()].filter((state) => this.#isDisplaced(state));
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
    return same.find((state) => this.seatWith(state) === undefined) ?? same[0];
  }

  /** The seat at which this device was seen last, unless it is silent there or another machine showed since. */
  seatWith(state: DeviceState): FleetSeat | undefined {
    const seat = this.#seatOf.get(state.id);
    const isThere = seat?.device === state.id && seat.claim === undefined && state.marks.failures === 0;
    return isThere ? seat : undefined;
  }

  #newAt(seat: FleetSeat, facts: Facts, here: DeviceState | undefined, nowMs: number): DeviceState {
    const { address } = seat.place;
    const id = this.#freeId(facts, address);
    const fresh = newDevice({ id, position: 'range', address, labels: this.#labelsOf(seat.place, id) });
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
    if (this.seatWith(driven) !== undefined || this.isElsewhere(driven)) return 'elsewhere';
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
    const former = this.formerThere(door);
    return former === undefined || this.#states.has(former.id) ? undefined : former;
  }

  /** The device that stood there when its place left the configuration, however the address was spelled. */
  formerThere(door: Door): DeviceState | undefined {
    return doorsOf(door)
      .map((mark) => this.#formers.get(mark))
      .find((state) => state !== undefined);
  }

  /** What a new device replaces: the device whose address it has, else one whose serials or MAC it shows. */
  #replacedAt(here: DeviceState | undefined, facts: Facts): Replaced | undefined {
    const alike = marksOf(facts).flatMap((mark) => this.idsWith(mark).map((id) => this.#states.get(id)));
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

const SEVERAL = '';

/** Where its work goes is a finding that nobody has approved: whoever works there, too, is robbed like it. */
const isMisled = ({ tracks }: DeviceState): boolean =>
  tracks.some(
    ({ finding: { ruleId, severity, state } }) =>
      (ruleId.startsWith('pool.') || ruleId.startsWith('tenant.')) &&
      (state === 'open' || state === 'acknowledged') &&
      severity !== 'info' &&
      severity !== 'low',
  );

/** A full look showed the claimed device at its own seat after it was seen here, too. */
const isSeenSince = ({ id, marks: { fullMs = 0 } }: DeviceState, claim: FleetSeat['claim']): boolean =>
  claim?.device === id && fullMs > claim.sinceMs;

/**
 * A claim of a clock that was set back since is of now: no look would come after it for as long. Not while the last look at the claimed
 * device is of that clock, too: it came before.
 */
const heedClock = (seat: FleetSeat, { marks: { fullMs = 0 } }: DeviceState, nowMs: number): void => {
  const { claim } = seat;
  if (claim === undefined || fullMs > nowMs || !isAhead(claim.sinceMs, nowMs)) return;
  seat.claim = { ...claim, sinceMs: nowMs };
};

/** After so many a seat waits no longer until it is known whose look it was: another machine at every look would keep it open. */
const MOST_CLAIMS = 2;
/** After so long without one it may do so again, ms. */
const CLAIMS_MS = 3_600_000;

/** Whether the seat waits for a look at the one where this device was seen last. */
const claims = (seat: FleetSeat, { id, marks: { fullMs = 0 } }: DeviceState, nowMs: number): boolean => {
  if (seat.claim?.device === id) return true;
  const { count, atMs } = seat.claims ?? { count: 0, atMs: nowMs };
  const lately = agoMs(atMs, nowMs) < CLAIMS_MS ? count : 0;
  if (lately >= MOST_CLAIMS) return false;
  seat.claims = { count: lately + 1, atMs: nowMs };
  // What a clock that was set back since dates later was seen before this all the same.
  seat.claim = { device: id, sinceMs: Math.max(nowMs, fullMs) };
  return true;
};

/** Where a device is looked for: its address as the configuration spells it, and the one that was reached, if that is another. */
type Door = Pick<DeviceState, 'address' | 'reached'>;

/** What says where a device stands. Whoever edits the configuration chooses the spelling, so what was reached comes first. */
const doorsOf = ({ address, reached }: Door): readonly string[] =>
  reached === undefined ? [atAddress(address)] : [atAddress(reached), atAddress(address)];

const atAddress = (address: string): string => `address ${address}`;
