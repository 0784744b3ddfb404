import { canonicalJson } from '../../shared/jcs.ts';
import { agoMs } from './ago.ts';
import { LEFT_CONFIGURATION } from './departure.ts';
import type { Finding, FindingState, Value } from './finding.ts';
import { ruleOf } from './index.ts';
import { type Cover, type Member, Members, type Times } from './members.ts';
import { byAccount } from './pool-user.ts';
import { isStrange } from './replaced.ts';
import { seconds, worst } from './track.ts';

/** One transition of one device. */
export interface DeviceTransition {
  readonly kind: 'device';
  readonly device: string;
  readonly finding: Finding;
}

/** The statement about many devices that show the same: `devices` holds up to 256 of `count`. */
export interface ParentTransition {
  readonly kind: 'parent';
  /** Names the storm for `parentStated`. */
  readonly key: string;
  readonly finding: Finding & { readonly devices: readonly string[]; readonly count: number };
  /** When it was first observed as its last statement has it, where its present devices showed it at another time. */
  readonly formerAt?: number;
}

/** A parent as it is now, and when it was first observed as its last statement has it. */
interface Present {
  readonly finding: ParentTransition['finding'];
  readonly statedAt: number;
}

/** What came of one batch of transitions. */
export interface Collapsed {
  readonly state: StormState;
  readonly statements: readonly (DeviceTransition | ParentTransition)[];
  /** Those that go on without a statement of their own, and the storm whose parent speaks for them. */
  readonly children: readonly Child[];
}

interface Child {
  readonly key: string;
  readonly transition: DeviceTransition;
}

/** What is known of the present storms. The same object as before while nothing changes. */
export interface StormState {
  readonly storms: { readonly [key: string]: Storm };
}

/** Findings that look the same. Without a `parent` they are not yet many. */
export interface Storm extends Surge {
  /** No other present storm has this number. */
  readonly id: number;
  readonly members: Members;
  /** How many joined so far. */
  readonly joined: number;
  /** How many members each cover has, the one that was joined with last at the end. */
  readonly covers: readonly Covered[];
}

/** A storm without its members, as plain JSON. */
export interface Surge {
  readonly latestMs: number;
  readonly parent?: Parent;
}

interface Covered extends Cover {
  readonly count: number;
}

interface Parent {
  readonly finding: Finding;
  readonly statedMs: number;
  /** The devices that it counted last and has not lost to another value, up to 256 of `count`: its end is the end for these. */
  readonly stated?: { readonly devices: readonly string[]; readonly count: number };
  /** Of those that ended since and are not named there, so many as its end may have to name. */
  readonly unnamed?: readonly string[];
  /** It counted those that had joined by this number when it was stated last. */
  readonly told: number;
  /** Devices came or went since. */
  readonly stale?: true;
  /** Why those ended that left: it is said with the end, as it is not so of those that stay. */
  readonly ends?: readonly string[];
}

/** Where nothing shows on many devices at once. */
export const NO_STORMS: StormState = { storms: {} };

/** A storm as it was kept. */
export const stormOf = (id: number, { latestMs, parent }: Surge, members: Members): Storm => {
  let joined = parent?.told ?? 0;
  let covers: readonly Covered[] = [];
  for (const member of members.values()) {
    joined = Math.max(joined, member.joined);
    covers = counted(covers, member, 1);
  }
  return { id, latestMs, ...(parent === undefined ? {} : { parent }), members, joined, covers };
};

const NOBODY: ReadonlySet<string> = new Set();
const WINDOW_MS = 10 * 60_000;
const LEAST_DEVICES = 5;
const RESTATE_MS = 60_000;
const MOST_DEVICES = 256;

/**
 * Replaces what many devices show alike by one parent: five devices within ten minutes make one, and while more keep
 * coming they have no statements of their own. The parent is stated anew at most once a minute, or before a device leaves
 * that it did not tell yet, and ends with the last of its devices. Call it with nothing new too: statements may be due.
 * Devices that are `gone` will not show their end.
 */
export const collapse = (
  state: StormState,
  transitions: readonly DeviceTransition[],
  nowMs: number,
  gone: ReadonlySet<string> = NOBODY,
): Collapsed => {
  const sea = new Sea(state, nowMs);
  for (const transition of transitions) {
    if (isEnd(transition.finding)) sea.leave(transition);
    else sea.join(transition);
  }
  if (gone.size > 0) sea.lose(gone);
  const parents = sea.parents();
  const stated = transitions.filter((one) => !sea.hides(one));
  return { state: sea.state(), statements: [...stated, ...parents], children: sea.children() };
};

/** The `seq` that names the parent of a storm, once it was stated. */
export const parentSeq = ({ storms }: StormState, key: string): number | undefined =>
  storms[key]?.parent?.finding.openedSeq;

/** The state after the parent of a storm was stated in entry `seq`; the first time gives it its name. */
export const parentStated = (state: StormState, key: string, openedSeq: number): StormState => {
  const storm = state.storms[key];
  if (storm?.parent === undefined || storm.parent.finding.openedSeq !== undefined) return state;
  const parent = { ...storm.parent, finding: { ...storm.parent.finding, openedSeq } };
  return { storms: { ...state.storms, [key]: { ...storm, parent } } };
};

/** The parents as they are now, with all of their devices, by the entry that opened each: some may have come or gone since it was stated. */
export const presentParents = ({ storms }: StormState): ReadonlyMap<number, Present> =>
  new Map(
    Object.values(storms).flatMap(({ parent, members }) => {
      if (parent?.finding.openedSeq === undefined) return [];
      const present = [...members.values()];
      const devices = devicesOf(present);
      const finding = { ...withTimes(parent.finding, present), devices, count: devices.length };
      return [[parent.finding.openedSeq, { finding, statedAt: parent.finding.firstObservedAt }]];
    }),
  );

/** The parents as they were stated last. */
export const statedParents = ({ storms }: StormState): readonly Finding[] =>
  Object.values(storms).flatMap(({ parent }) =>
    parent?.finding.openedSeq === undefined ? [] : [{ ...parent.finding, ...parent.stated }],
  );

/** Whether finding `openedSeq` is this one, or the parent that speaks for it: also for those that were stated before there was one. */
export const isPartOf =
  ({ storms }: StormState, openedSeq: number) =>
  (device: string, finding: Finding): boolean => {
    if ((finding.openedSeq ?? finding.parent) === openedSeq) return true;
    const member = memberOf({ device, finding });
    return Object.values(storms).some(
      ({ parent, members }) =>
        parent?.finding.openedSeq === openedSeq && parent.finding.ruleId === finding.ruleId && members.has(member),
    );
  };

/** The state after a person reviewed the parent that entry `openedSeq` opened: it is stated at once. */
export const parentReviewed = (
  state: StormState,
  openedSeq: number,
  review: (finding: Finding) => Finding,
): StormState => ({
  storms: Object.fromEntries(
    Object.entries(state.storms).map(([key, storm]) => {
      const { parent } = storm;
      if (parent?.finding.openedSeq !== openedSeq) return [key, storm];
      const finding = review(parent.finding);
      return [key, { ...storm, parent: { ...parent, finding, statedMs: Number.NEGATIVE_INFINITY, stale: true } }];
    }),
  ),
});

const ENDS: ReadonlySet<FindingState> = new Set(['resolved', 'approved', 'incident-closed']);

/** The end of a confirmed finding. The outcome of an unconfirmed one is its beginning and end. */
const isEnd = ({ state, confirmedAt }: Finding): boolean => ENDS.has(state) && confirmedAt !== undefined;

/** These look alike on every device: the id says it all. */
const BY_ID_ALONE: ReadonlySet<string> = new Set([
  'identity.new-device',
  'identity.address-moved',
  'visibility.device-dark',
]);

/** What makes two findings the same: id and values, users by their account. Outcomes of unconfirmed values are apart. */
const keyOf = (finding: Finding): string => likenessOf(finding) + coverText(finding);

const likenessOf = (finding: Finding): string => {
  const outcome = finding.confirmedAt === undefined ? 'unconfirmed ' : '';
  const values = BY_ID_ALONE.has(finding.ruleId) ? '' : ` ${canonicalJson(valuesOf(finding))}`;
  // A new device that works for another account than the one before it does not go down among those that do not.
  const strange = isStrange(finding) ? ' strange' : '';
  return `${outcome}${finding.ruleId}${values}${strange}`;
};

/** What a plan or waiver covers is not what nobody announced, however alike they look. */
const coverText = ({ plan, waiver }: Cover): string =>
  `${plan === undefined ? '' : ` plan ${plan}`}${waiver === undefined ? '' : ` waiver ${waiver}`}`;

/** Whether a storm is of this likeness, whatever covers it, and though it was set aside. */
const isAlike = (key: string, likeness: string): boolean =>
  key.startsWith(likeness) && /^( plan \d+)?( waiver \d+)?( until \d+)?$/.test(key.slice(likeness.length));

/** One more member of this cover, or one less. */
const counted = (covers: readonly Covered[], cover: Cover, by: 1 | -1): readonly Covered[] => {
  const at = covers.findIndex(({ plan, waiver }) => plan === cover.plan && waiver === cover.waiver);
  const count = (covers[at]?.count ?? 0) + by;
  if (by === -1) return count === 0 ? covers.toSpliced(at, 1) : covers.with(at, { ...coverOf(cover), count });
  return [...covers.filter((_, index) => index !== at), { ...coverOf(cover), count }];
};

const coverOf = ({ plan, waiver }: Cover): Cover => ({
  ...(plan === undefined ? {} : { plan }),
  ...(waiver === undefined ? {} : { waiver }),
});

const isCovered = ({ plan, waiver }: Cover): boolean => plan !== undefined || waiver !== undefined;

/** The parent is covered, in weight and state, for as long as each of its members is: one that nobody announced is told. */
const coveredAs = (finding: Finding, covers: readonly Cover[], joined?: Finding): Finding => {
  const { plan: _, waiver: __, by: ___, ...bare } = finding;
  const cover = covers.every(isCovered) ? covers.at(-1) : undefined;
  if (cover !== undefined)
    return {
      ...bare,
      ...coverOf(cover),
      severity: 'info',
      ...(cover.waiver === undefined ? stateWith(finding, joined) : { state: 'waived' }),
    };
  const severity = joined === undefined || isCovered(joined) ? [] : [joined.severity];
  const before = isCovered(finding) ? [] : [finding.severity];
  return { ...bare, severity: [...severity, ...before].reduce(worst, 'info'), ...stateWith(finding, joined) };
};

/** A waiver that is over leaves a finding that counts; and who took note of some devices has not seen the one that joins. */
const stateWith = ({ state, by }: Finding, joined?: Finding): Pick<Finding, 'state' | 'by'> => {
  if (state === 'acknowledged' && joined?.state === 'open') return { state: 'open' };
  return { state: state === 'waived' ? 'open' : state, ...(by === undefined ? {} : { by }) };
};

/** Told once for all of the devices, however few and whenever: the parent is there from the first one on. */
const isCollective = ({ ruleId, confirmedAt }: Finding): boolean =>
  confirmedAt !== undefined && ruleOf(ruleId)?.collective === true;

const valuesOf = ({ ruleId, before, after }: Finding): { readonly before?: Value; readonly after?: Value } => ({
  ...(before === undefined ? {} : { before: byAccount(before, ruleId === 'pool.user-changed') as Value }),
  ...(after === undefined ? {} : { after: byAccount(after, ruleId === 'pool.user-changed') as Value }),
});

/** One that began with another value, or an hour ago, joins with what it shows now. */
const timesOf = (
  { firstObservedAt, afterAt = firstObservedAt, beforeAt, lastSeen, confirmedAt }: Finding,
  nowMs: number,
): Times => ({
  firstObservedAt: afterAt,
  // What was seen last in place of the reference is a matter of each device.
  ...(beforeAt === undefined || lastSeen !== undefined ? {} : { beforeAt }),
  ...(confirmedAt === undefined ? {} : { confirmedAt: confirmedAt < afterAt ? seconds(nowMs) : confirmedAt }),
});

/** The parent with the times of the device that showed it first of those that it speaks for now, and since when the last one shows it. */
const withTimes = (finding: Finding, members: Iterable<Member>): Finding => {
  const { firstObservedAt, beforeAt, confirmedAt, afterAt: _, ...rest } = finding;
  const stated: Times = {
    firstObservedAt,
    ...(beforeAt === undefined ? {} : { beforeAt }),
    ...(confirmedAt === undefined ? {} : { confirmedAt }),
  };
  const all = [...members].map(({ times = stated }) => times);
  const first = all.reduce(
    (one, other) => (other.firstObservedAt < one.firstObservedAt ? other : one),
    all[0] ?? stated,
  );
  const afterAt = all.reduce((latest, one) => Math.max(latest, one.firstObservedAt), first.firstObservedAt);
  return { ...rest, ...first, ...(afterAt > first.firstObservedAt ? { afterAt } : {}) };
};

/** A parent has the reasons of all its children. */
const unionOf = (
  known: readonly string[] | undefined,
  more: readonly string[] | undefined,
): { readonly reasons?: readonly string[] } =>
  more === undefined ? {} : { reasons: [...new Set([...(known ?? []), ...more])] };

const memberOf = ({ device, finding: { part } }: Pick<DeviceTransition, 'device' | 'finding'>): string =>
  part === undefined ? device : `${device} ${part}`;

/** A storm while one batch of transitions moves it. */
interface Swell extends Pick<Storm, 'id'> {
  members: Members;
  joined: number;
  covers: readonly Covered[];
  latestMs: number;
  parent?: Parent;
  /** The finding it was last joined with, and those that left in this batch. */
  latest?: Finding;
  readonly left: Left[];
  /** The parent as it was before the first of those left, and how many had joined by then. */
  former?: { readonly finding: Finding; readonly joined: number };
}

/** What is a member no more, and how it ended: without that the device shows something else by now. */
interface Left extends Member {
  readonly name: string;
  readonly end?: Pick<Finding, 'state' | 'by' | 'note' | 'reasons'>;
}

/** The storms during one call of `collapse`; what is not touched stays as it was. */
class Sea {
  readonly #before: StormState;
  readonly #nowMs: number;
  readonly #swells = new Map<string, Swell>();
  readonly #hidden = new Set<DeviceTransition>();
  readonly #joins: Child[] = [];
  /** Keys of the storms that have a parent: few, where likenesses may be as many as devices. */
  readonly #parented: Set<string>;
  #nextId: number;

  constructor(before: StormState, nowMs: number) {
    this.#before = before;
    this.#nowMs = nowMs;
    const storms = Object.entries(before.storms);
    this.#parented = new Set(storms.flatMap(([key, { parent }]) => (parent === undefined ? [] : [key])));
    this.#nextId = storms.reduce((most, [, { id }]) => Math.max(most, id), 0) + 1;
  }

  /** Whether the parent speaks for this transition. */
  hides(transition: DeviceTransition): boolean {
    return this.#hidden.has(transition);
  }

  join(transition: DeviceTransition): void {
    const { device, finding } = transition;
    const member = memberOf(transition);
    const key = this.#homeOf(member, finding);
    if (!isCollective(finding)) this.#setQuietOneAside(key, member);
    const swell = this.#swell(key);
    const known = swell.members.get(member);
    if (known === undefined) this.#leaveOthers(key, transition);
    const times = known?.times ?? timesOf(finding, this.#nowMs);
    const joined = known?.joined ?? swell.joined + 1;
    swell.joined = Math.max(swell.joined, joined);
    swell.members = swell.members.with(member, { device, atMs: this.#nowMs, joined, times, ...coverOf(finding) });
    if (known !== undefined) swell.covers = counted(swell.covers, known, -1);
    swell.covers = counted(swell.covers, finding, 1);
    swell.latestMs = this.#nowMs;
    swell.latest = finding;
    if (swell.parent !== undefined) {
      const reasons = unionOf(swell.parent.finding.reasons, finding.reasons);
      const parent = { ...coveredAs(swell.parent.finding, swell.covers, finding), ...reasons };
      swell.parent = { ...swell.parent, finding: parent, stale: true };
    }
    this.#joins.push({ key, transition });
  }

  /**
   * The storm that this finding joins: the one whose parent speaks for it already, whatever covers it by now; one that is covered
   * as it is, where that began uncovered; else the storm of those that look the same and have the same cover.
   */
  #homeOf(member: string, finding: Finding): string {
    const likeness = likenessOf(finding);
    const known = [...this.#parented].find((key) => isAlike(key, likeness) && this.#isIn(key, member));
    if (known !== undefined) return known;
    const cover = coverText(finding);
    const alike = this.#peek(likeness);
    if (cover === '' || alike === undefined) return likeness + cover;
    const isQuiet = !isCollective(finding) && this.#agoMs(alike.latestMs) >= WINDOW_MS;
    return !isQuiet && alike.parent !== undefined && coverText(alike.parent.finding) === cover
      ? likeness
      : likeness + cover;
  }

  /** A storm to which nobody came for ten minutes is over, though it lasts: the next one that looks the same is another. */
  #setQuietOneAside(key: string, member: string): void {
    const swell = this.#peek(key);
    if (swell?.parent === undefined || this.#agoMs(swell.latestMs) < WINDOW_MS || swell.members.has(member)) return;
    const quiet = this.#swell(key);
    const aside = `${key} until ${quiet.latestMs}`;
    this.#swells.set(aside, quiet);
    this.#parented.add(aside);
    this.#swells.set(key, this.#newSwell());
  }

  /** Where no statement of its own began it, none ends it. */
  leave(transition: DeviceTransition): void {
    const member = memberOf(transition);
    for (const key of this.#keysWith(member, transition.finding)) {
      const swell = this.#swell(key);
      this.#remove(swell, member, transition.finding);
      if (swell.parent === undefined) continue;
      swell.parent = withoutSome(swell.parent, swell);
      if (transition.finding.openedSeq === undefined) this.#hidden.add(transition);
    }
  }

  /** What was stated before and shows another value now is not what those show that it was alike before. */
  #leaveOthers(key: string, transition: DeviceTransition): void {
    const { finding } = transition;
    if ((finding.openedSeq ?? finding.parent) === undefined) return;
    const member = memberOf(transition);
    for (const other of this.#othersWith(member, finding, key, this.#keys())) {
      const swell = this.#swell(other);
      this.#remove(swell, member);
      if (swell.parent !== undefined) swell.parent = withoutSome(swell.parent, swell);
    }
  }

  #remove(swell: Swell, member: string, end?: Left['end']): void {
    const { members, joined, parent, left } = swell;
    const known = members.get(member);
    if (known === undefined) return;
    if (parent !== undefined) swell.former ??= { finding: parent.finding, joined };
    swell.members = members.without(member);
    swell.covers = counted(swell.covers, known, -1);
    left.push({ ...known, name: member, ...(end === undefined ? {} : { end }) });
  }

  /** Nothing of these devices is a member of anything any more, whatever they showed when they joined. */
  lose(gone: ReadonlySet<string>): void {
    for (const key of this.#keys()) {
      const members = this.#peek(key)?.members.entries() ?? [];
      const lost = [...members].filter(([, { device }]) => gone.has(device));
      if (lost.length === 0) continue;
      const swell = this.#swell(key);
      for (const [member] of lost) this.#remove(swell, member, { state: 'resolved', reasons: [LEFT_CONFIGURATION] });
      if (swell.parent !== undefined) swell.parent = withoutSome(swell.parent, swell);
    }
  }

  /** Its value may have changed since it joined without a statement: it is a member until it ends, or is stated with another one. */
  #keysWith(member: string, finding: Finding): readonly string[] {
    const key = keyOf(finding);
    const known = this.#isIn(key, member);
    const others = this.#othersWith(member, finding, key, known ? [...this.#parented] : this.#keys());
    return known ? [key, ...others] : others;
  }

  #othersWith(member: string, { ruleId }: Finding, key: string, keys: readonly string[]): readonly string[] {
    return keys.filter((other) => other !== key && other.startsWith(ruleId) && this.#isIn(other, member));
  }

  #keys(): readonly string[] {
    return [...new Set([...Object.keys(this.#before.storms), ...this.#swells.keys()])];
  }

  #isIn(key: string, member: string): boolean {
    return this.#peek(key)?.members.has(member) === true;
  }

  #peek(key: string): Swell | Storm | undefined {
    return this.#swells.get(key) ?? (Object.hasOwn(this.#before.storms, key) ? this.#before.storms[key] : undefined);
  }

  #swell(key: string): Swell {
    const known = this.#swells.get(key);
    if (known !== undefined) return known;
    const storm = Object.hasOwn(this.#before.storms, key) ? this.#before.storms[key] : undefined;
    const swell: Swell = storm === undefined ? this.#newSwell() : { ...storm, left: [] };
    this.#swells.set(key, swell);
    return swell;
  }

  #newSwell(): Swell {
    return { id: this.#nextId++, members: Members.of([]), joined: 0, covers: [], latestMs: this.#nowMs, left: [] };
  }

  /** The parents to be stated now: new ones, those that changed a minute ago or more, those that ended. */
  parents(): readonly ParentTransition[] {
    for (const [key, { parent }] of Object.entries(this.#before.storms))
      if (parent?.stale === true && this.#agoMs(parent.statedMs) >= RESTATE_MS) this.#swell(key);
    const stated: ParentTransition[] = [];
    for (const [key, swell] of this.#swells) {
      this.#beginParent(swell);
      const former = this.#formerOf(swell);
      if (swell.parent !== undefined) swell.parent = withoutOthers(withUnnamed(swell.parent, swell), swell);
      for (const statement of [former, this.#statementOf(swell)])
        if (statement !== undefined) stated.push({ kind: 'parent', key, ...statement });
    }
    for (const { transition } of this.children()) this.#hidden.add(transition);
    return stated;
  }

  /** What came and has a parent that says the same of it; what has a name in the log goes on under it. */
  children(): readonly Child[] {
    return this.#joins.filter(({ key, transition: { finding } }) => {
      const parent = this.#swells.get(key)?.parent?.finding;
      return parent !== undefined && finding.openedSeq === undefined && coverText(parent) === coverText(finding);
    });
  }

  #beginParent(swell: Swell): void {
    const { latest, parent } = swell;
    if (parent !== undefined || latest === undefined) return;
    for (const [name, member] of [...swell.members.entries()]) {
      if (this.#agoMs(member.atMs) < WINDOW_MS) continue;
      swell.members = swell.members.without(name);
      swell.covers = counted(swell.covers, member, -1);
    }
    if (devicesOf(swell.members.values()).length < LEAST_DEVICES && !isCollective(latest)) return;
    const finding: Finding = {
      ...withoutOwn(latest),
      ...timesOf(latest, this.#nowMs),
      ...(BY_ID_ALONE.has(latest.ruleId) ? {} : valuesOf(latest)),
    };
    swell.parent = { finding, statedMs: Number.NEGATIVE_INFINITY, told: swell.joined, stale: true };
  }

  /** What the parent spoke for before those left that no statement of it had told, and none will. */
  #formerOf(swell: Swell): ParentStatement | undefined {
    const { former, parent, members, left } = swell;
    if (former === undefined || parent === undefined) return undefined;
    if (!left.some(({ name, joined }) => joined > parent.told && !members.has(name))) return undefined;
    const stayed = [...members.values()].filter(({ joined }) => joined <= former.joined);
    const all = [...stayed, ...left].sort((one, other) => one.joined - other.joined);
    const stated = namedOf(all);
    const finding = withTimes(parent.finding, all);
    const { unnamed: _, ...rest } = parent;
    swell.parent = { ...rest, finding, statedMs: this.#nowMs, stated, told: former.joined };
    return parentStatement(parent, withTimes(former.finding, all), stated);
  }

  #statementOf(swell: Swell): ParentStatement | undefined {
    const { parent, members, left } = swell;
    if (parent?.stale !== true) return undefined;
    const over = members.size === 0;
    if (!over && this.#agoMs(parent.statedMs) < RESTATE_MS) return undefined;
    const { stale: _, unnamed: __, ...rest } = parent;
    const last = over ? left.findLast(({ end }) => end !== undefined)?.end : undefined;
    const state = last?.state ?? (over ? 'resolved' : parent.finding.state);
    // It ends for the devices that it named, with what it said of them.
    const present = over ? parent.finding : withTimes(parent.finding, members.values());
    const finding = ENDS.has(state)
      ? endOf({ ...present, ...unionOf(present.reasons, parent.ends) }, { state, ...last }, this.#nowMs)
      : present;
    const stated = over ? (parent.stated ?? namedOf(left)) : namedOf(members.values());
    swell.parent = { ...rest, finding, statedMs: this.#nowMs, stated, told: swell.joined };
    return parentStatement(parent, finding, stated);
  }

  /** Storms that are over, and likenesses that did not become one in time, are forgotten. */
  state(): StormState {
    const kept = Object.entries(this.#before.storms).filter(
      ([key, storm]) => !this.#swells.has(key) && !this.#isOver(storm),
    );
    if (this.#swells.size === 0 && kept.length === Object.keys(this.#before.storms).length) return this.#before;
    const moved = [...this.#swells]
      .filter(([, swell]) => !this.#isOver(swell))
      .map(([key, { left: _, latest: __, former: ___, ...storm }]): [string, Storm] => [key, storm]);
    return { storms: Object.fromEntries([...kept, ...moved]) };
  }

  #agoMs(thenMs: number): number {
    return agoMs(thenMs, this.#nowMs);
  }

  #isOver({ members, latestMs, parent }: Pick<Storm, 'members' | 'latestMs' | 'parent'>): boolean {
    const lasting = parent !== undefined && !ENDS.has(parent.finding.state);
    return members.size === 0 || (!lasting && this.#agoMs(latestMs) >= WINDOW_MS);
  }
}

/** What a finding says of no other device than its own is not said by the parent. */
const withoutOwn = (finding: Finding): Finding => {
  const { part: _, parent: __, openedSeq: ___, before: ____, after: _____, flapping: ______, ...rest } = finding;
  const { beforeAt: _______, lastSeen: ________, afterAt: _________, ...shared } = rest;
  return shared;
};

/** The parent once members left, with why: those that are left may all be covered. With the last one it ends as it was. */
const withoutSome = (parent: Parent, { covers, left }: Pick<Swell, 'covers' | 'left'>): Parent => {
  const { reasons: ends } = unionOf(parent.ends, left.at(-1)?.end?.reasons);
  const finding = covers.length === 0 ? parent.finding : coveredAs(parent.finding, covers);
  return { ...parent, ...(ends === undefined ? {} : { ends }), finding, stale: true };
};

/** The parent that remembers who ended, where it counts more devices than it names. */
const withUnnamed = (parent: Parent, { left }: Pick<Swell, 'left'>): Parent => {
  const { stated, unnamed = [] } = parent;
  if (stated === undefined || stated.count <= stated.devices.length) return parent;
  const named = new Set(stated.devices);
  const more = left.flatMap(({ device, end }) => (end === undefined || named.has(device) ? [] : [device]));
  if (more.length === 0 || unnamed.length >= MOST_DEVICES) return parent;
  return { ...parent, unnamed: [...new Set([...unnamed, ...more])].slice(0, MOST_DEVICES) };
};

/**
 * The parent whose end is not the end for those that show something else by now, unless they were the last that it counted. Others of
 * those that it counted are named in their place.
 */
const withoutOthers = (parent: Parent, { members, left }: Pick<Swell, 'members' | 'left'>): Parent => {
  const { unnamed = [], ...rest } = parent;
  const { stated, told } = parent;
  if (stated === undefined || left.every(({ end }) => end !== undefined)) return parent;
  const others = new Set(left.flatMap(({ device, end }) => (end === undefined ? [device] : [])));
  for (const { device } of members.values()) others.delete(device);
  const count = stated.count - others.size;
  if (count <= 0) return parent;
  const isMeant = (device: string): boolean => !others.has(device);
  const devices = stated.devices.filter(isMeant);
  const ended = unnamed.filter(isMeant);
  const present = (): readonly string[] =>
    [...members.values()].flatMap(({ device, joined }) => (joined <= told ? [device] : []));
  const isShort = devices.length < Math.min(count, MOST_DEVICES);
  const named = isShort ? [...new Set([...devices, ...ended, ...present()])].slice(0, MOST_DEVICES) : devices;
  return { ...rest, stated: { devices: named, count }, ...(ended.length === 0 ? {} : { unnamed: ended }) };
};

const namedOf = (members: Iterable<Pick<Member, 'device'>>): NonNullable<Parent['stated']> => {
  const devices = devicesOf(members);
  return { devices: devices.slice(0, MOST_DEVICES), count: devices.length };
};

type ParentStatement = Pick<ParentTransition, 'finding' | 'formerAt'>;

/** What the parent says next, and when it was first observed as it was stated last. */
const parentStatement = (
  { finding: { firstObservedAt: formerAt } }: Parent,
  finding: Finding,
  stated: NonNullable<Parent['stated']>,
): ParentStatement => ({
  finding: { ...finding, ...stated },
  ...(finding.openedSeq === undefined || finding.firstObservedAt === formerAt ? {} : { formerAt }),
});

/** Who took note of it has not ended it: the end names whom the last of its devices names. */
const endOf = (
  { by: _, note: __, ...finding }: Finding,
  { state, by, note }: Pick<Finding, 'state' | 'by' | 'note'>,
  nowMs: number,
): Finding => ({
  ...finding,
  state,
  ...(by === undefined ? {} : { by }),
  ...(note === undefined ? {} : { note }),
  resolvedAt: seconds(nowMs),
});

const devicesOf = (members: Iterable<Pick<Member, 'device'>>): readonly string[] => [
  ...new Set([...members].map(({ device }) => device)),
];
