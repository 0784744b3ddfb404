import { isDeepStrictEqual } from 'node:util';
import { strangersIn } from '../../agent/appraise/slots.ts';
import { type Driver, type Query, questionOf, type Source } from '../../agent/drivers/driver.ts';
import { DRIVERS } from '../../agent/drivers/index.ts';
import { normalise } from '../../agent/normalise/facts.ts';
import { maskCapture, secretNames } from '../../agent/normalise/mask.ts';
import { nestFacts } from '../../agent/normalise/nest.ts';
import type { Observation } from '../../agent/normalise/observation.ts';
import type { Capture, NoReply } from '../../agent/probe/capture.ts';
import { identifyFrom, isOfIdentification, looksLikeAnother, type Answer as Told } from '../../agent/probe/identify.ts';
import { noReply } from '../../agent/probe/reply.ts';
import { FACTS, type FactName, type Facts } from '../../shared/facts.ts';
import { canonicalJson } from '../../shared/jcs.ts';
import { damaged, type Mutation } from './mutations.ts';
import { type Layout, memberSpan, outer, type Place } from './places.ts';
import type { Answer, Subject } from './subjects.ts';

/**
 * What is promised of damage, and the check of it.
 *
 * The facts that are compared with those of the undamaged look: `pools` (by slot: its URL, its user and its priority),
 * `live_pools` and `fee_pools` (which URLs with which users), `firmware.name`, `firmware.version`, `firmware.build`,
 * `firmware.components` (part by part) and all of `identity`. A fact that stands in
 * for one of a closed surface counts as unknown, for nobody compares it. A slot or a hashboard that is missing from a list
 * is different, and so is a slot that lost its user, or a fact that is said to be absent: only `unknown` claims nothing. Of
 * the components one that is missing is unknown, for they are compared by name where both sides know them.
 *
 * - A mutation *touches* a value when it changes, adds or removes a byte between its quotes, or between its marks in the
 *   plain-text form. A word or number of JSON is also touched beside its bytes, where a further one would belong to it; so
 *   are the items `Key[value]` of Avalon. Changing a container touches all that is in it.
 *   A mark that came or went between values (a bracket, comma, colon or quote) touches none of them.
 * - A fact *depends* on a value if another value of the same kind in its place, or the reply without that member, gives
 *   another fact: the URL, but also the slot number of a row, or the switch that makes a URL an encrypted one. The
 *   damage to one of these may change the fact: no reader can know better. A slot whose URL is touched may go whole, and
 *   the slots that another reply adds to a list may stand elsewhere then.
 * - A fact that depends on no touched value is the same or unknown, whatever was damaged. Of a reply that is neither JSON nor
 *   the plain-text form (gRPC) nobody knows where its values stand: identity and components, which it tells, may differ.
 * - A touched *name* excuses nothing: a flipped bit in it, a byte that came to it, a space too, or letters of it in another
 *   case are not a member that is not sent, and no other place tells the fact instead. Only a fact that is itself a name
 *   depends on it like on a value. What readers go by is what is left of the name (`agent/drivers/damaged-names.ts`). A digit
 *   of a name that became another digit cannot be told from the next of a row of names; where a promised fact has such a name
 *   its family has the member always.
 * - A member that stands twice with two values takes every fact that depends on it: it is unknown, never either value.
 * - Rows that changed places touch what is in them, except that a slot keeps its URL, its user and its
 *   priority where each row has its number.
 * - A pool that is told of a list which cannot be read whole is one of the list, unless a value of a pool is touched.
 * - The family that identification finds where it is answered so is that of the device, or none: another one only where it depends on
 *   a touched value. A touched name excuses nothing.
 * - Of a reply that was cut off every fact that is compared at all, not only those above, is the same or not present.
 *
 * Not promised: the components `keys.*`, which are the names of all members: a damaged name cannot be told from that of a new
 * member there, which is why a changed set of keys is believed after three looks only, and then a note. Nor more than one damage to one name, and a name that lost a byte. Such a member is taken for one that is not
 * sent, where its family may leave it out.
 */

/** What became of one mutation. `touched`: a fact differs that depends on what was damaged. */
export type Outcome = 'same' | 'touched' | `not present: ${string}`;

/** Something that must not be. */
export interface Problem {
  readonly kind: 'different' | 'conflict' | 'threw' | 'stumbled' | 'unclean' | 'leaked' | 'slow';
  /** The fact, where it is about one. */
  readonly fact?: string;
  readonly detail: string;
}

export interface Verdict {
  readonly outcome: Outcome;
  readonly problems: readonly Problem[];
}

/** Facts by part: `pools/0/url`, `firmware.components/version.api` … Null where the device is said to have no such thing; left out where it is unknown. */
type Compared = ReadonlyMap<string, string | null>;

/** Facts that are compared as a whole. */
const WHOLE = (Object.keys(FACTS) as FactName[]).filter(
  (name) => name.startsWith('identity.') || ['firmware.name', 'firmware.version', 'firmware.build'].includes(name),
);

const COMPONENTS = 'firmware.components';

/** The facts that nothing may change. */
const PROMISED: readonly FactName[] = ['pools', 'live_pools', 'fee_pools', COMPONENTS, ...WHOLE];

const comparedIn = ({ facts, gaps, standIns }: Observation): Compared => {
  const parts = new Map<string, string | null>();
  for (const name of PROMISED) if (name !== COMPONENTS && gaps.get(name) === 'absent') parts.set(name, null);
  for (const name of WHOLE) {
    const value = facts[name];
    if (value !== undefined && !standIns.has(name)) parts.set(name, typeof value === 'string' ? value : asSet(value));
  }
  for (const { name, value } of standIns.has(COMPONENTS) ? [] : (facts[COMPONENTS] ?? [])) {
    if (!name.startsWith('keys.')) parts.set(`${COMPONENTS}/${name}`, value);
  }
  for (const { slot, url, user, priority } of standIns.has('pools') ? [] : (facts.pools ?? [])) {
    const twin = parts.has(`pools/${slot}/url`) ? ' again' : '';
    parts.set(`pools/${slot}${twin}/url`, url);
    parts.set(`pools/${slot}${twin}/priority`, String(priority));
    if (user !== undefined) parts.set(`pools/${slot}${twin}/user`, user);
  }
  for (const name of ['live_pools', 'fee_pools'] as const) {
    if (standIns.has(name)) continue;
    for (const { url, user = '' } of facts[name] ?? []) parts.set(`${name}/${url} ${user}/row`, 'listed');
  }
  return parts;
};

// Parts begin with the name of their fact.
const factOf = (part: string): FactName => part.replace(/\/.*$/s, '') as FactName;

/** Serials of hashboards: nobody compares in which order they stand. */
const asSet = (value: unknown): string => show(Array.isArray(value) ? value.toSorted() : value);

const isToldByBytes = (part: string): boolean => part.startsWith('identity.') || factOf(part) === COMPONENTS;

/** Whether a part is unknown, rather than gone. */
const isMissing = (part: string, compared: Compared): boolean => {
  if (!isOfPool(part)) return !compared.has(part);
  return !compared.keys().some((other) => other.startsWith(`${factOf(part)}/`));
};

/** Whether a part is one of a pool, in whichever list. */
const isOfPool = (part: string): boolean => /^(?:live_|fee_)?pools\//.test(part);

/** The parts that differ. */
const differences = (before: Compared, after: Compared): readonly string[] =>
  [...new Set([...before.keys(), ...after.keys()])].filter(
    (part) => before.get(part) !== after.get(part) && !isMissing(part, after),
  );

/** Reads one reply of a look in all the ways it may be damaged. */
export class Judge {
  readonly #subject: Subject;
  readonly #query: string;
  readonly #answer: Answer;
  readonly #layout: Layout;
  readonly #driver: Driver;
  /** The same with nothing but the promised facts, which are looked for more often. */
  readonly #promised: Driver;
  readonly #stumbled: Problem[] = [];
  readonly #clean: Observation;
  readonly #compared: Compared;
  readonly #secrets: readonly Secret[];

  constructor(subject: Subject, query: string, answer: Answer, layout: Layout) {
    this.#subject = subject;
    this.#query = query;
    this.#answer = answer;
    this.#layout = layout;
    this.#driver = watched(subject.driver, (fact, error) => {
      this.#stumbled.push({ kind: 'stumbled', fact, detail: String(error) });
    });
    const promised = PROMISED.flatMap((name) =>
      subject.driver.facts[name] ? [[name, subject.driver.facts[name]]] : [],
    );
    this.#promised = { ...subject.driver, facts: Object.fromEntries(promised) };
    this.#clean = normalise(subject.driver, this.#capture(answer.bytes), 'full');
    this.#compared = comparedIn(this.#clean);
    this.#secrets = secretsIn(layout, subject.driver);
  }

  /** Runs a mutation through the agent and checks what came of it. */
  judge(mutation: Mutation): Verdict {
    this.#stumbled.length = 0;
    const bytes = Buffer.from(damaged(this.#layout.text, mutation.edits), 'latin1');
    let observation: Observation;
    let masked: Uint8Array | undefined;
    try {
      const capture = this.#capture(bytes);
      observation = normalise(this.#driver, capture, 'full');
      if (this.#subject.driver.stillSpeaks?.(capture.replies) !== false) {
        looksLikeAnother(this.#subject.driver, capture, DRIVERS);
      }
      masked = maskCapture(bytes, secretNames(this.#subject.driver));
    } catch (error) {
      const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
      return { outcome: 'not present: threw', problems: [{ kind: 'threw', detail }] };
    }
    const { outcome, problems } = this.#compare(mutation, observation);
    const leaked = masked === undefined ? [] : this.#leaks(mutation, masked);
    const taken = this.#mistaken(mutation, bytes);
    return { outcome, problems: [...problems, ...taken, ...this.#stumbled, ...uncleanIn(observation), ...leaked] };
  }

  /** A device that is taken for one of another family, by nothing that a touched value says. */
  #mistaken(mutation: Mutation, bytes: Uint8Array): readonly Problem[] {
    const other = this.#takenFor(bytes);
    if (other === undefined) return [];
    const isExcused = this.#layout.places.some((place) => isTouched(place, mutation) && this.#tellsFamily(place));
    if (isExcused) return [];
    return [{ kind: 'different', fact: 'family', detail: `a device of ${this.#subject.driver.family} is ${other}` }];
  }

  /** Whether the device would be one of another family with another value, or without the member. */
  #tellsFamily(place: Place): boolean {
    const without = removal(this.#layout, place);
    const others = [...otherValues(this.#layout, place), ...otherWords(this.#layout, place)];
    return [...(without === undefined ? [] : [without]), ...others].some(
      (edit) => this.#takenFor(Buffer.from(damaged(this.#layout.text, [edit]), 'latin1')) !== undefined,
    );
  }

  /** The other family that identification finds where this question is answered so. */
  #takenFor(bytes: Uint8Array): string | undefined {
    const { driver, clueTo } = this.#subject;
    const asked = driver.queries[this.#query];
    if (asked === undefined || !isOfIdentification(asked, DRIVERS)) return undefined;
    const answerTo = (query: Query): Told => {
      if (questionOf(query) === questionOf(asked)) return this.#answer.read(bytes);
      const clue = clueTo(query);
      return 'kind' in clue ? clue : clue.read(clue.bytes);
    };
    const found = identifyFrom(answerTo, DRIVERS);
    return found.kind === 'identified' && found.driver.family !== driver.family ? found.driver.family : undefined;
  }

  #capture(bytes: Uint8Array): Capture {
    const replies = new Map(this.#subject.replies).set(this.#query, this.#answer.read(bytes));
    return { address: '192.0.2.1', observedAtMs: 0, replies };
  }

  #compare(mutation: Mutation, observation: Observation): Verdict {
    const after = comparedIn(observation);
    if (mutation.cut) return { outcome: this.#outcome(observation), problems: cutProblems(this.#clean, observation) };
    const problems = mutation.conflict === undefined ? [] : [...this.#conflicts(mutation.conflict, after)];
    const changed = differences(this.#compared, after);
    problems.push(...this.#strangers(mutation, observation));
    if (changed.length === 0) return { outcome: this.#outcome(observation), problems };
    const excused = this.#excused(mutation, changed);
    const wrong = changed.filter((part) => !excused.has(part));
    return {
      outcome: 'touched',
      problems: [...problems, ...wrong.map((part) => different(part, this.#compared, after))],
    };
  }

  /** Pools that are told of a list which cannot be read whole, and that are none of it. */
  #strangers(mutation: Mutation, { toldPools = [] }: Observation): readonly Problem[] {
    const { pools } = this.#clean.facts;
    const strangers = pools === undefined ? [] : strangersIn(toldPools, pools);
    const ofPools = [...this.#compared.keys()].filter(isOfPool);
    if (strangers.length === 0 || this.#excused(mutation, ofPools).size > 0) return [];
    return [{ kind: 'different', fact: 'pools', detail: `${show(strangers)} is told, and was not there` }];
  }

  #outcome({ facts, gaps }: Observation): Outcome {
    const lost = PROMISED.find((name) => this.#clean.facts[name] !== undefined && facts[name] === undefined);
    return lost === undefined ? 'same' : `not present: ${gaps.get(lost) ?? 'stands in'}`;
  }

  /** Of the parts that differ, those that may. */
  #excused(mutation: Mutation, changed: readonly string[]): ReadonlySet<string> {
    const excused = new Set<string>();
    // In bytes of which nobody knows where values stand any may be one of what only a few of them tell.
    if (this.#layout.places.length === 0) for (const part of changed) if (isToldByBytes(part)) excused.add(part);
    const excuse = (parts: Iterable<string>): void => {
      const may = new Set([...parts].map((part) => this.#knownAs(part)));
      for (const part of changed) if (may.has(this.#knownAs(part))) excused.add(part);
    };
    for (const place of this.#layout.places) {
      if (excused.size === changed.length) break;
      if (isNameTouched(place, mutation, this.#layout)) excuse(this.#dependOnName(place));
      if (!isTouched(place, mutation)) continue;
      // A row that says which slot it is may stand anywhere.
      const depend = this.#dependOn(place);
      excuse(
        mutation.swapped && this.#namesSlots(mutation)
          ? depend.filter((part) => !/^pools\/.*\/(url|user|priority)$/.test(part))
          : depend,
      );
    }
    return excused;
  }

  /** A slot or a component that was not there before: a damaged number, or a value that names a part, may become any. */
  #knownAs(part: string): string {
    if (this.#compared.has(part)) return part;
    if (isOfPool(part)) return part.replace(/\/.*\//, '/new/');
    return part.startsWith(`${COMPONENTS}/`) ? `${COMPONENTS}/new` : part;
  }

  /** The parts that depend on a value. A slot without URL is none: with it goes its user, and with the last one the list. */
  #dependOn(place: Place): readonly string[] {
    const without = removal(this.#layout, place);
    const parts = this.#changedBy([...(without === undefined ? [] : [without]), ...otherValues(this.#layout, place)]);
    if (!parts.some(isOfPool)) return parts;
    return [
      ...parts.flatMap((part) => [
        part,
        ...(part.endsWith('/url') ? ['user', 'priority'].map((one) => part.replace(/url$/, one)) : []),
        factOf(part),
      ]),
      ...this.#joinedSlots(),
    ];
  }

  /** The slots that other replies add to those of this one: they stand behind them, wherever that is. */
  #joinedSlots(): readonly string[] {
    const elsewhere: NoReply = noReply('unreachable', 'left out', { dark: true });
    const { replies, ...look } = this.#capture(this.#answer.bytes);
    const alone = new Map([...replies].map(([query, reply]) => [query, query === this.#query ? reply : elsewhere]));
    const { facts } = normalise(this.#promised, { ...look, replies: alone }, 'full');
    const own = facts.pools?.map(({ slot }) => `pools/${slot}/`) ?? [];
    const slots = [...this.#compared.keys()].filter((part) => part.startsWith('pools/'));
    return slots.filter((part) => !own.some((start) => part.startsWith(start)));
  }

  #changedBy(edits: Mutation['edits']): readonly string[] {
    return edits.flatMap((edit) => changesBetween(this.#compared, this.#promisedWith([edit])));
  }

  /** The parts of which a name is the value: cgminer names itself in that of its version. */
  #dependOnName({ name }: Place): readonly string[] {
    if (name === undefined) return [];
    const told = this.#layout.text.slice(name.start, name.end).toLowerCase();
    return [...this.#compared].flatMap(([part, value]) => (value?.toLowerCase() === told ? [part] : []));
  }

  /**
   * Whether each row of the pool list of which rows changed places says which slot it is: by `POOL`, or by a number that
   * gives it another one. A document may have another list whose rows do.
   */
  #namesSlots({ edits }: Mutation): boolean {
    const { lists, places } = this.#layout;
    const rows = lists.find((list) => list.some(({ start }) => start === edits[0]?.start)) ?? [];
    const numbers = places.filter(
      ({ path, start, end }) =>
        /\/pools\/.*\/(pool|index|id|slot|no)$/i.test(path) && rows.some((row) => start >= row.start && end <= row.end),
    );
    const isNumber = (place: Place): boolean => {
      if (place.path.endsWith('/POOL')) return true;
      const other = this.#promisedWith([{ ...outer(place), text: place.kind === 'quoted' ? '"7"' : '7' }]);
      return other.has('pools/7/url');
    };
    return numbers.length > 0 && numbers.every(isNumber);
  }

  #promisedWith(edits: Mutation['edits']): Compared {
    const bytes = Buffer.from(damaged(this.#layout.text, edits), 'latin1');
    return comparedIn(normalise(this.#promised, this.#capture(bytes), 'full'));
  }

  /** Whatever depends on a member with two values is not present. */
  #conflicts(place: Place, after: Compared): readonly Problem[] {
    return [...new Set(this.#decidedBy(place))]
      .filter((part) => this.#compared.has(part) && after.has(part))
      .map((part) => ({
        kind: 'conflict',
        fact: factOf(part),
        detail: `${part} is ${JSON.stringify(after.get(part))}`,
      }));
  }

  /** The parts that come from a value; that another one is there at all, like a name that is the fact, is not from it. */
  #decidedBy(place: Place): readonly string[] {
    const isWhole = place.inner.length > 0 || place.kind === 'object' || place.kind === 'array';
    if (!isWhole) return this.#changedBy(otherValues(this.#layout, place));
    const edit = removal(this.#layout, place);
    if (edit === undefined) return [];
    const without = this.#promisedWith([edit]);
    return [...this.#compared.keys()].filter((part) => without.get(part) !== this.#compared.get(part));
  }

  #leaks(mutation: Mutation, masked: Uint8Array): readonly Problem[] {
    const text = Buffer.from(masked).toString('latin1');
    const leaked = this.#secrets.filter(
      ({ places, value }) =>
        text.includes(value) && !places.some((place) => isNameTouched(place, mutation, this.#layout)),
    );
    return leaked.map(({ places }) => ({ kind: 'leaked', detail: `${places[0]?.path} stands in the masked reply` }));
  }
}

// ---- touching --------------------------------------------------------------------------------------------------------

const isTouched = (place: Place, { edits }: Mutation): boolean => edits.some((edit) => touches(edit, place));

const touches = ({ start, end }: Mutation['edits'][number], place: Place): boolean => {
  // Of a text with items only the items are values.
  if (place.kind === 'quoted' && place.inner.length > 0) return start <= place.start && end >= place.end;
  if (place.kind === 'object' || place.kind === 'array') return start <= place.start && end >= place.end;
  if (place.kind === 'quoted' || place.kind === 'plain') return overlaps(start, end, place.start, place.end);
  return start <= place.end && end >= place.start;
};

/** An insertion at either end is inside. */
const overlaps = (start: number, end: number, from: number, to: number): boolean =>
  start === end ? start >= from && start <= to : start < to && end > from;

const isNameTouched = ({ name, kind }: Place, { edits }: Mutation, { form }: Layout): boolean =>
  name !== undefined &&
  edits.some(({ start, end }) =>
    // Without quotes the marks beside a name are all that makes it one.
    form === 'text' || kind === 'item'
      ? start <= name.end + 1 && end >= name.start - 1
      : overlaps(start, end, name.start, name.end),
  );

// ---- dependence ------------------------------------------------------------------------------------------------------

/** What may differ in two looks: a missing part is a difference here. */
const changesBetween = (before: Compared, after: Compared): readonly string[] =>
  differences(before, after).concat([...before.keys()].filter((part) => !after.has(part) && hasFact(part, after)));

const hasFact = (part: string, after: Compared): boolean => isOfPool(part) && !isMissing(part, after);

/** Other values of the same kind in the place of one. */
const otherValues = (layout: Layout, place: Place): Mutation['edits'] => {
  if (place.kind === 'object' || place.kind === 'array') return [];
  const { start, end } = place;
  return othersLike(layout.text.slice(start, end), place.kind).map((text) => ({ start, end, text }));
};

/** A text with another letter somewhere: of what a device calls itself each may count. */
const otherWords = ({ text }: Layout, { kind, start, end }: Place): Mutation['edits'] => {
  if (kind !== 'quoted' && kind !== 'plain') return [];
  const value = text.slice(start, end);
  return Array.from(value, (_, at) => ({ start, end, text: withOther(value, at) }));
};

const othersLike = (value: string, kind: Place['kind']): readonly string[] => {
  if (/^-?\d+$/.test(value))
    // As a number it may be one of a few; as the name of a part it has a certain length.
    return ['0', '1', '2', '7', '77', String(Number(value) + 1), withOther(value, value.length - 1)].filter(
      (text) => text !== value,
    );
  if (value === 'true' || value === 'false') return [value === 'true' ? 'false' : 'true'];
  // `null` stands for a value of either kind.
  if (kind === 'word') return ['7', '"q7"'];
  return [`${value}1`, `${value}q`, `q${value}`, 'q7', withOther(value, 0), withOther(value, value.length - 1)];
};

/** Another letter for a letter, another digit for a digit. */
const withOther = (value: string, at: number): string => {
  const mark = value[at] ?? '';
  const other = /[0-8a-y]/i.test(mark) ? String.fromCharCode(mark.charCodeAt(0) + 1) : 'b';
  return `${value.slice(0, at)}${other}${value.slice(at + 1)}`;
};

/** The reply without a member, and without the comma behind it. */
const removal = ({ text }: Layout, place: Place): Mutation['edits'][number] | undefined => {
  const span = memberSpan(place);
  if (span === undefined) return undefined;
  const { start } = span;
  if (place.kind === 'item') return { start, end: span.end + 1, text: '' };
  const comma = /^\s*,/.exec(text.slice(span.end, span.end + 64))?.[0].length ?? 0;
  return { start, end: span.end + comma, text: '' };
};

// ---- problems --------------------------------------------------------------------------------------------------------

const different = (part: string, before: Compared, after: Compared): Problem => ({
  kind: 'different',
  fact: factOf(part),
  detail: `${part} was ${JSON.stringify(before.get(part)) ?? 'not there'}, is ${JSON.stringify(after.get(part)) ?? 'gone'}`,
});

/** Every fact of a cut reply is the same or not present; of lists of named parts, each part. */
const cutProblems = (clean: Observation, cut: Observation): readonly Problem[] =>
  (Object.keys(cut.facts) as FactName[])
    .filter((name) => (FACTS[name].class !== 'volatile' || name === 'live_pools') && !cut.standIns.has(name))
    .filter((name) => !isSameOrLess(clean.facts, cut.facts, name))
    .map((name) => ({
      kind: 'different',
      fact: name,
      detail: `was ${JSON.stringify(clean.facts[name])}, is ${JSON.stringify(cut.facts[name])}`,
    }));

const isSameOrLess = (clean: Facts, cut: Facts, name: FactName): boolean => {
  // How a slot stands is of the moment.
  if (name === 'pools') return isDeepStrictEqual(configured(clean), configured(cut));
  if (FACTS[name].class !== 'by-name') return isDeepStrictEqual(clean[name], cut[name]);
  const parts = clean[name] as readonly unknown[] | undefined;
  return (cut[name] as readonly unknown[]).every((part) => parts?.some((one) => isDeepStrictEqual(one, part)));
};

const configured = ({ pools }: Facts) => pools?.map(({ status: _, active: __, ...slot }) => slot);

/** C0, C1, DEL and bidi controls. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const UNCLEAN = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/;

const uncleanIn = ({ facts }: Observation): readonly Problem[] => {
  const problems: Problem[] = [];
  for (const [name, value] of Object.entries(facts)) {
    const row = FACTS[name as FactName];
    if (!fits(row.type, value)) problems.push({ kind: 'unclean', fact: name, detail: `${row.type}: ${show(value)}` });
    if (!textsIn(value).every((text) => text.isWellFormed() && !UNCLEAN.test(text))) {
      problems.push({ kind: 'unclean', fact: name, detail: `not clean: ${show(value)}` });
    }
  }
  try {
    canonicalJson(nestFacts(facts));
  } catch (error) {
    problems.push({ kind: 'unclean', detail: `no canonical form: ${error}` });
  }
  return problems;
};

const show = (value: unknown): string => String(JSON.stringify(value) ?? typeof value).slice(0, 200);

const fits = (type: string, value: unknown): boolean => {
  switch (type) {
    case 'text':
      return typeof value === 'string';
    case 'integer':
      return Number.isSafeInteger(value);
    case 'boolean':
      return typeof value === 'boolean';
    case 'text list':
      return Array.isArray(value) && value.every((text) => typeof text === 'string');
    case 'integer list':
      return Array.isArray(value) && value.every((number) => Number.isSafeInteger(number));
    default:
      return Array.isArray(value) && value.every((row) => typeof row === 'object' && row !== null && membersFit(row));
  }
};

const membersFit = (row: object): boolean =>
  Object.values(row).every(
    (member) => typeof member === 'string' || typeof member === 'boolean' || Number.isSafeInteger(member),
  );

const textsIn = (value: unknown): readonly string[] => {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : [];
};

/** The driver with somebody who is told when a fact of it throws. */
const watched = (driver: Driver, told: (fact: string, error: unknown) => void): Driver => {
  const watch = (fact: string, source: Source<unknown>): Source<unknown> => ({
    ...source,
    read: (replies) => {
      try {
        return source.read(replies);
      } catch (error) {
        told(fact, error);
        throw error;
      }
    },
  });
  const sources = Object.entries(driver.facts) as [string, Source<unknown>][];
  // Each source keeps the type that belongs to its name.
  const facts = Object.fromEntries(sources.map(([fact, source]) => [fact, watch(fact, source)])) as Driver['facts'];
  return { ...driver, facts };
};

// ---- secrets ---------------------------------------------------------------------------------------------------------

interface Secret {
  readonly places: readonly Place[];
  readonly value: string;
}

/** Shorter ones stand in a reply by chance. */
const SHORTEST_SECRET = 3;

/** What must not be in a masked reply: values of secret members that stand nowhere else. */
const secretsIn = ({ text, places }: Layout, driver: Driver): readonly Secret[] => {
  const names = secretNames(driver);
  const secret = places.filter(({ name }) => name !== undefined && names.has(text.slice(name.start, name.end)));
  const rest = damaged(
    text,
    secret.map(({ start, end }) => ({ start, end, text: '' })),
  );
  return [...Map.groupBy(secret, ({ start, end }) => text.slice(start, end))]
    .filter(([value]) => value.length >= SHORTEST_SECRET && !rest.includes(value))
    .map(([value, places]) => ({ value, places }));
};
