import { ABSENT, type OtherSetting, present, type Reading } from '../../shared/facts.ts';
import type { JsonValue } from '../probe/capture.ts';
import { settings } from './named-texts.ts';
import { asObject, memberOf, type Reader, UNREADABLE, whenPresent } from './readers.ts';

/** For documents in which any member may be missing, or null, together with all that would stand in it. */

/** The value below some members: absent where one of them is, unreadable where one is no object. */
export const descend = (root: JsonValue, names: readonly string[]): Reading<JsonValue> => {
  let value: JsonValue = root;
  for (const name of names) {
    const object = asObject(value);
    if (object === undefined) return UNREADABLE;
    const next = memberOf(object, name);
    if (next === undefined || next === null) return ABSENT;
    value = next;
  }
  return present(value);
};

/** Where further settings stand in a document, by what is put in front of their names. */
interface Sections {
  readonly [prefix: string]: readonly string[];
}

/** The single values of some sections of a document, in the order of the sections. None is an empty list. */
export const settingsIn =
  (sections: Sections, keep: (name: string) => boolean = () => true): Reader<readonly OtherSetting[]> =>
  (document) => {
    const found: OtherSetting[] = [];
    for (const [prefix, names] of Object.entries(sections)) {
      const section = whenPresent(descend(document, names), settings(keep));
      if (section.kind === 'unknown') return section;
      if (section.kind === 'present')
        found.push(...section.value.map(({ key, value }) => ({ key: `${prefix}.${key}`, value })));
    }
    return present(found);
  };

/** `config.other` out of the settings of sections, sorted by name. */
export const sortedSettings = (found: readonly OtherSetting[]): Reading<readonly OtherSetting[]> =>
  found.length === 0 ? ABSENT : present(found.toSorted((a, b) => (a.key < b.key ? -1 : 1)));
