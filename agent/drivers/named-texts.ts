import {
  ABSENT,
  asGap,
  type FirmwareComponent,
  type OtherSetting,
  present,
  type Reading,
  type StandsIn,
  standingIn,
  unknown,
} from '../../shared/facts.ts';
import { canonicalJson } from '../../shared/jcs.ts';
import type { JsonValue } from '../probe/capture.ts';
import { hasForeign } from './damaged-names.ts';
import type { Replies, Source } from './driver.ts';
import { answer, asObject, place, queriesOf, type Reader, scalarText, UNREADABLE, whenPresent } from './readers.ts';
import { isSecretName, withoutSecretOf } from './secret-names.ts';

/** Facts that are lists of named texts: `firmware.components` and `config.other`. */

/** Where each of the texts stands, by name. */
type Named<Name extends string> = { readonly [name: string]: Source<string, Name> };

interface Text {
  readonly name: string;
  readonly value: string;
  /** Where it stands in for another place, why that gave none. */
  readonly standsIn: StandsIn | undefined;
}

interface Collected {
  readonly found: readonly Text[];
  /** Why the first of the lost ones is unknown. */
  readonly lost: Reading<never> | undefined;
}

/** The device answered that it has no such thing, or does not know the question. */
const isSettled = (reading: Reading<unknown>): boolean =>
  reading.kind === 'absent' || (reading.kind === 'unknown' && reading.reason === 'unsupported');

/** A source of named texts, sorted by name. `conclude` says what a list with gaps means. */
const collected = <T, const Name extends string>(
  named: Named<Name>,
  conclude: (collected: Collected) => Reading<T>,
): Source<T, Name> => {
  const sources = Object.entries(named).sort(([a], [b]) => (a < b ? -1 : 1));
  const read = (replies: Replies): Collected => {
    const found: Text[] = [];
    let lost: Reading<never> | undefined;
    for (const [name, source] of sources) {
      const reading = source.read(replies);
      if (reading.kind === 'present') found.push({ name, value: reading.value, standsIn: reading.standsIn });
      else if (!isSettled(reading)) lost ??= reading;
    }
    return { found, lost };
  };
  return { queries: queriesOf(Object.values(named)), read: (replies) => conclude(read(replies)) };
};

/**
 * `firmware.components` out of sources. A part that could not be read where it should stand is left out: parts are compared
 * by name, and the others go on being compared.
 */
export const components = <const Name extends string>(parts: Named<Name>): Source<readonly FirmwareComponent[], Name> =>
  collected(parts, ({ found, lost }) => {
    const read = found.filter(({ standsIn }) => standsIn === undefined);
    if (read.length > 0) return present(read.map(({ name, value }) => ({ name, value })));
    const why = found[0]?.standsIn;
    const gap = why === undefined ? 'absent' : asGap(why);
    return lost ?? (gap === 'absent' ? ABSENT : unknown(gap));
  });

/** `config.other` out of sources. One lost reply makes all unknown: a setting that is missing would look removed. */
export const settingsFrom = <const Name extends string>(keys: Named<Name>): Source<readonly OtherSetting[], Name> =>
  collected(keys, ({ found, lost }) => {
    if (lost !== undefined) return lost;
    if (found.length === 0) return ABSENT;
    const why = found.find(({ standsIn }) => standsIn !== undefined)?.standsIn;
    return standingIn(present(found.map(({ name, value }) => ({ key: name, value }))), why);
  });

/**
 * `config.other` as the members of an object that are single values, sorted by name. No secret becomes a fact: what may
 * be one and is not today (`auth: none`) stays a setting.
 */
export const settings =
  (keep: (name: string) => boolean): Reader<readonly OtherSetting[]> =>
  (value) => {
    const object = asObject(value);
    if (object === undefined) return UNREADABLE;
    const found: OtherSetting[] = [];
    for (const key of Object.keys(object).sort()) {
      // Which setting that was nobody knows: under its name one would look new, and without it one would look removed.
      if (hasForeign(key)) return UNREADABLE;
      const member = object[key] as JsonValue;
      if (typeof member === 'object' || isSecretName(key) || !keep(key)) continue;
      const reading = scalarText(member);
      if (reading.kind === 'unknown') return reading;
      if (reading.kind === 'present') found.push({ key, value: withoutSecretOf(key, member, reading.value) });
    }
    return found.length === 0 ? ABSENT : present(found);
  };

/** Repairs after which it is not certain which members the device meant to send. */
const NAMES_IN_DOUBT: ReadonlySet<string> = new Set(['conflicting-key', 'invalid-utf8', 'unescaped-mark']);

/**
 * The part `keys.<query>`: which members the objects at some places of an answer have, as the canonical JSON of their
 * sorted pointers; `normalise` keeps its digest. Firmware builds a reply with the same members each time, so that one
 * more or less is other firmware. Only what is there in every state of the device may be listed: the members of list
 * elements are not, and those named in `passing` come and go.
 */
export const keysOf = <const Name extends string>(
  query: Name,
  places: readonly string[],
  passing: ReadonlySet<string> = new Set(),
): Source<string, Name> => {
  const objects = places.map((pointer) => ({ pointer, find: place(pointer) }));
  return {
    queries: [query],
    read: (replies) =>
      whenPresent(answer(replies, query), (value) => {
        const reply = replies.get(query);
        if (reply?.kind === 'reply' && reply.repairs.some((repair) => NAMES_IN_DOUBT.has(repair))) return UNREADABLE;
        const paths = new Set<string>();
        for (const { pointer, find } of objects) {
          const found = find(value);
          const object = found.kind === 'present' ? asObject(found.value) : undefined;
          if (object === undefined) return UNREADABLE;
          for (const name of Object.keys(object)) if (!passing.has(name)) paths.add(`${pointer}/${token(name)}`);
        }
        return present(canonicalJson([...paths].sort()));
      }),
  };
};

/** A name in a JSON Pointer. A lone surrogate, which has no canonical form, must not hide the other members. */
const token = (name: string): string => name.toWellFormed().replaceAll('~', '~0').replaceAll('/', '~1');
