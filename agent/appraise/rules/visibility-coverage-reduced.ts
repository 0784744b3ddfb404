import type { FactName, Facts, ReadingName } from '../../../shared/facts.ts';
import type { LookKind, Observation } from '../../normalise/observation.ts';
import type { Finding, Value } from '../finding.ts';
import type { Deviation, RuleEntry } from '../rule.ts';

/** A surface that was readable is refused or gone while others still answer, or leaves out what it told (catalogue 5.9). */
export const visibilityCoverageReduced: RuleEntry = {
  id: 'visibility.coverage-reduced',
  title: 'Less can be read',
  meaning:
    'Facts that the reference holds can no longer be read: the interface that gave them refuses or is gone, while the device answers elsewhere and speaks the same firmware; or the device answers and leaves them out; or the reply that holds them is late or cut off at every look; or it answers, and refuses all that it is asked.',
  benign: ['hardening', 'a password that was changed', 'a part that failed'],
  severity: 'medium',
  basis: 'gateway-observed',
  confirm: 'C3',
  approval: 'A1',
  version: 4,
};

/** Which of the questions of this look were answered, and which were refused or found nothing that listens. */
export interface Answered {
  readonly open: readonly string[];
  readonly closed: readonly string[];
  /** The questions that a fact is read from. */
  readonly of: (fact: FactName) => readonly string[];
}

/** The questions that have been closed all the time: one that was answered once is closed by somebody when it is so again. */
export const usuallyClosed = (usual: readonly string[] | undefined, { open, closed }: Answered): readonly string[] => {
  if (usual === undefined) return closed;
  const still = usual.filter((query) => !open.includes(query));
  return still.length === usual.length ? usual : still;
};

/** `accepted`: facts that a person knows to be closed. */
export const coverageLost = (
  gaps: Observation['gaps'],
  known: Facts,
  {
    accepted,
    usual,
    answered,
  }: {
    readonly accepted: readonly ReadingName[];
    readonly usual: readonly string[];
    readonly answered: Answered;
  },
): readonly Deviation[] => {
  const surfaces = answered.closed.filter((query) => !usual.includes(query)).sort();
  const isBehind = (fact: FactName): boolean => answered.of(fact).some((query) => surfaces.includes(query));
  const lost = namesOf(known)
    .filter((fact) => gaps.get(fact) === 'refused' || gaps.get(fact) === 'unreachable')
    .filter((fact) => !accepted.includes(fact) && isBehind(fact))
    .sort();
  return lost.length === 0 ? [] : [{ before: { readable: lost }, after: { closed: surfaces } }];
};

const namesOf = (known: Facts): readonly FactName[] => Object.keys(known) as FactName[];

/** The fact that a reading is of. */
export const factOf = (name: ReadingName): FactName => (name === 'pools.user' ? 'pools' : name);

/** One thing that the device answers without though the reference knows it. */
interface LeftOutRow {
  readonly sinceMs: number;
  /** So long it had been lost when the device fell silent; from the next look that counts, it goes on. */
  readonly heldMs?: number;
  /** In a row: full looks that left it out, or looks of any kind that asked for it and lost the reply. */
  readonly looks: number;
  /** That were enough, over long enough (C3): each thing for itself, or losses that come and go would add up. */
  readonly lasts: boolean;
  /** The reply that would tell it was lost, and how the last time; absent where a reply arrived without it. */
  readonly lost?: Lost;
}

/** How a reply is lost while the device answers. One by accident comes back at the next look. */
type Lost = 'timeout' | 'truncated';

export const isLost = (gap: string | undefined): gap is Lost => gap === 'timeout' || gap === 'truncated';

export type LeftOut = { readonly [Name in ReadingName]?: LeftOutRow };

/** What a look shows of the device. */
export interface ToldIn {
  readonly look: LookKind;
  /** As they came, and of these what can be believed: a placeholder tells no serial. Blank ones of parts are unknown for a while after a boot. */
  readonly sent: Facts;
  readonly facts: Facts;
  readonly gaps: Observation['gaps'];
  readonly nowMs: number;
  /**
   * It is another firmware, which is allowed, or over which a finding is open. Only what it says of its pools is watched then, which
   * every firmware has to tell; `in-question`: also behind which surface.
   */
  readonly firmware?: 'other' | 'in-question' | undefined;
}

/**
 * What is left out after this look, or lost. Only a full look can leave out; one whose reply was lost says nothing of what that would
 * have told, but that it is lost. Any look that tells it ends the row, or an empty list now and then would add up.
 */
export const leftOutAfter = (
  before: LeftOut | undefined,
  known: Facts,
  accepted: readonly ReadingName[],
  { look, sent, facts, gaps, nowMs, firmware }: ToldIn,
): LeftOut | undefined => {
  const after: { [Name in ReadingName]?: LeftOut[Name] } = {};
  const users: readonly ReadingName[] = known.pools === undefined ? [] : ['pools.user'];
  for (const name of [...namesOf(known), ...users].filter((one) => !accepted.includes(one))) {
    const row = before?.[name];
    const gap = gaps.get(name);
    const fact = factOf(name);
    const isTold = gap === undefined && facts[fact] !== undefined;
    const isBlank = gap === undefined && sent[fact] !== undefined && isGrave(name) && name === fact;
    // Where no closed surface is told of, one that closes leaves out what stands behind it.
    const isClosed = firmware === 'in-question' && (gap === 'refused' || gap === 'unreachable');
    const isLeftOut = gap === 'absent' || gap === 'unreadable' || isBlank || isClosed;
    if (isTold) continue;
    if (firmware !== undefined && fact !== 'pools') {
      // What lasted before is told no more still.
      if (row?.lasts === true) after[name] = row;
    } else if (look === 'full' && isLeftOut && !isWithoutPower(name, facts)) after[name] = leftOutOnceMore(row, nowMs);
    else if (isLost(gap) && (row === undefined || row.lost !== undefined)) after[name] = lostOnceMore(row, gap, nowMs);
    else if (row !== undefined) after[name] = row;
  }
  return Object.keys(after).length === 0 ? undefined : after;
};

const LOOKS = 3;
/** A weak network loses one reply of twenty: five of one device in a row once in a month of five hundred that are asked every 15 minutes. */
const LOST_LOOKS = 6;
const LASTING_MS = 10 * 60_000;

/** What was lost until now and is left out by a whole reply is counted anew. */
const leftOutOnceMore = (row: LeftOutRow | undefined, nowMs: number): LeftOutRow =>
  onceMore(row === undefined || row.lost !== undefined ? begun(nowMs, row?.lasts) : row, LOOKS, nowMs);

const lostOnceMore = (row: LeftOutRow | undefined, lost: Lost, nowMs: number): LeftOutRow => ({
  ...onceMore(row ?? begun(nowMs), LOST_LOOKS, nowMs),
  lost,
});

const begun = (nowMs: number, lasts = false): LeftOutRow => ({ sinceMs: nowMs, looks: 0, lasts });

const onceMore = (
  { sinceMs: beganMs, heldMs, looks, lasts }: LeftOutRow,
  enough: number,
  nowMs: number,
): LeftOutRow => {
  const sinceMs = heldMs === undefined ? beganMs : nowMs - heldMs;
  return {
    sinceMs,
    looks: Math.min(looks + 1, LOST_LOOKS),
    lasts: lasts || (looks + 1 >= enough && nowMs - sinceMs >= LASTING_MS),
  };
};

/** Whether one counts what the other does. What lasts, or was counted often enough and has to last, is counted no more. */
export const countsTheSame = (one: LeftOut | undefined, other: LeftOut | undefined): boolean => {
  if (one === other) return true;
  const names = namesIn(one ?? {});
  return (
    names.length === namesIn(other ?? {}).length &&
    names.every((name) => one?.[name]?.looks === other?.[name]?.looks && one?.[name]?.lasts === other?.[name]?.lasts)
  );
};

/**
 * The rows of a device that has been silent since then: no reply is lost while there is none, so that time does not count. What was
 * lost before goes on where it was, or a device that falls silent now and then would hide what it likes.
 */
export const overSilence = (rows: LeftOut | undefined, silentSinceMs: number): LeftOut | undefined => {
  const isHeld = ({ lost, lasts, heldMs }: LeftOutRow): boolean => lost !== undefined && !lasts && heldMs === undefined;
  if (rows === undefined || !Object.values(rows).some(isHeld)) return rows;
  return Object.fromEntries(
    Object.entries(rows).map(([name, row]) => [
      name,
      isHeld(row) ? { ...row, heldMs: Math.max(0, silentSinceMs - row.sinceMs) } : row,
    ]),
  );
};

/** Boards and supplies of a machine that does not hash, because it was curtailed, say, tell nothing. */
const isWithoutPower = (name: ReadingName, { 'telemetry.hashrate_hs': rate = 0 }: Facts): boolean =>
  rate <= 0 && (name === 'identity.hashboards' || name === 'identity.psu');

/** Whether this look has a say in whether something that is left out, or lost, lasts. */
export const mayLast = (rows: LeftOut | undefined, { facts, gaps }: Pick<ToldIn, 'facts' | 'gaps'>): boolean =>
  rows !== undefined &&
  namesIn(rows).some((name) => rows[name]?.lasts === false && (gaps.has(name) || facts[factOf(name)] !== undefined));

/** The parts of the finding that speak of what is left out, or lost: the surface that told it is open. */
const LEFT_OUT = 'left-out';
export const UNREAD = 'unread';

/** Of these parts those about which it is not clear yet whether something of it lasts. */
export const unclear = (rows: LeftOut = {}): readonly string[] =>
  namesIn(rows).flatMap((name) => (rows[name]?.lasts === false ? [partOf(rows[name])] : []));

/** What lasts of it, as one deviation for each part. */
export const leftOut = (rows: LeftOut = {}): readonly Deviation[] => {
  const lasting = (part: string): readonly ReadingName[] =>
    namesIn(rows).filter((name) => rows[name]?.lasts === true && partOf(rows[name]) === part);
  const [omitted, unread] = [lasting(LEFT_OUT), lasting(UNREAD)];
  const ways = new Set(unread.flatMap((name) => rows[name]?.lost ?? []));
  return [
    ...without(LEFT_OUT, omitted, { left_out: omitted }),
    ...without(UNREAD, unread, { unread }).map((deviation) => ({ ...deviation, reasons: [...ways].sort() })),
  ];
};

const without = (part: string, names: readonly ReadingName[], after: Value): readonly Deviation[] =>
  names.length === 0
    ? []
    : [{ part, before: { readable: names }, after, severity: names.some(isGrave) ? 'medium' : 'low', confirm: 'C1' }];

const namesIn = (rows: LeftOut): readonly ReadingName[] => (Object.keys(rows) as ReadingName[]).sort();

const partOf = ({ lost }: LeftOutRow): string => (lost === undefined ? LEFT_OUT : UNREAD);

/** What such a finding says could be read before. */
export const readableIn = (before: Value | undefined): readonly ReadingName[] =>
  (before as { readonly readable?: readonly ReadingName[] } | undefined)?.readable ?? [];

/** The part of the finding that speaks of a device which answers, and refuses all that it is asked. */
export const REFUSED = 'refused';

/** Of a device that was known: one that let nobody read it from the start keeps nothing back that it told. */
export const refusalSeen = (known: Facts): readonly Deviation[] => [
  {
    part: REFUSED,
    before: { readable: [...namesOf(known)].sort() },
    after: { readable: [] },
    reasons: ['refused'],
    confirm: 'C1',
  },
];

/** Whether a finding says that a device refuses all that it is asked. */
export const saysRefused = ({ ruleId, part }: Pick<Finding, 'ruleId' | 'part'>): boolean =>
  ruleId === visibilityCoverageReduced.id && part === REFUSED;

/** Which machine it is, what runs on it and where it works for whom. Serials of parts also go where a part fails, and settings with the mode. */
const isGrave = (name: ReadingName): boolean =>
  GRAVE.has(name) || (name.startsWith('firmware.') && name !== 'firmware.medium');

const GRAVE: ReadonlySet<ReadingName> = new Set(['identity.serial', 'identity.mac', 'pools', 'pools.user']);

/** While it is not settled what became of the firmware, what it does not serve is a matter of that. */
export const speaksOfFirmware = (id: string): boolean =>
  id === 'firmware.family-changed' || id === 'firmware.version-changed' || id === 'firmware.rollback';
