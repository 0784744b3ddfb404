import type { Facts } from '../../shared/facts.ts';
import { accountOf } from '../../shared/pool-user.ts';
import { TEMPLATE_FIELD, type TEMPLATE_FIELDS } from '../../shared/terms.ts';
import { addressSpellings } from './pool-user.ts';

/**
 * Pool users as operators write them for many devices at once: `*` stands for any text, a field in braces for what is
 * known of the device, e.g. `acme.{rack}-{serial}`; everything else for itself. Anchored at both ends.
 */

/** The device whose user is held against a template. */
export interface Templated {
  readonly labels: { readonly [name: string]: string };
  /** What is known of it. A fact that is not known stands for any text that is not empty. */
  readonly facts: Facts;
  readonly address: string;
}

/** A device of which it is put together what is known only where a template asks. */
export const templatedBy = (labels: Templated['labels'], address: string, known: () => Facts): Templated => {
  let facts: Facts | undefined;
  return {
    labels,
    address,
    get facts() {
      facts ??= known();
      return facts;
    },
  };
};

/** Every spelling that a field may have on this device; undefined where it is not known. */
type Field = (device: Templated, user: string) => readonly string[] | undefined;

const spelled = (value: string | undefined): readonly string[] | undefined =>
  value === undefined || value === '' ? undefined : [value, value.toLowerCase(), value.toUpperCase()];

const FIELDS: { readonly [name: string]: Field } = {
  account: (_, user) => [accountOf(user)],
  serial: ({ facts }) => spelled(facts['identity.serial']),
  mac: ({ facts: { 'identity.mac': mac } }) =>
    mac === undefined
      ? undefined
      : [mac, mac.replaceAll(':', '-'), mac.replaceAll(':', '')].flatMap((one) => spelled(one) ?? []),
  hostname: ({ facts }) => spelled(facts['network.hostname']),
  model: ({ facts }) => spelled(facts['identity.model']),
  ip: ({ address }) => addressSpellings(address),
} satisfies { readonly [Name in (typeof TEMPLATE_FIELDS)[number]]: Field };

/** The fields that a template names. */
export const fieldsOf = (template: string): readonly string[] => parts(template).filter((_, at) => at % 2 === 1);

/** Literal text at even places, names of fields at odd ones. */
const parts = (template: string): readonly string[] => template.split(TEMPLATE_FIELD);

/**
 * Whether a user is what the template makes of this device. A label that the device does not have makes nothing; text that
 * a device reports stands for itself, whatever characters it has.
 */
export const matchesTemplate = (template: string, user: string, device: Templated): boolean => {
  let ends: ReadonlySet<number> = new Set([0]);
  for (const [at, part] of parts(template).entries())
    ends = at % 2 === 0 ? afterText(user, ends, part) : afterField(user, ends, part, device);
  return ends.has(user.length);
};

/** Whether a pattern in which `*` stands for any text is this text. Case does not matter. */
export const matchesGlob = (pattern: string, text: string): boolean =>
  afterText(text.toLowerCase(), new Set([0]), pattern.toLowerCase()).has(text.toLowerCase().length);

/** Where the user can go on after a text with stars in it. */
const afterText = (user: string, starts: ReadonlySet<number>, text: string): ReadonlySet<number> => {
  const [head = '', ...tail] = text.split('*');
  let ends = afterAny(user, starts, [head]);
  for (const piece of tail) ends = afterAny(user, from(user, ends, 0), [piece]);
  return ends;
};

const afterField = (
  user: string,
  starts: ReadonlySet<number>,
  name: string,
  device: Templated,
): ReadonlySet<number> => {
  const field = Object.hasOwn(FIELDS, name) ? FIELDS[name] : undefined;
  const label = Object.hasOwn(device.labels, name) ? device.labels[name] : undefined;
  const values = field === undefined ? [label].filter((value) => value !== undefined) : field(device, user);
  return values === undefined ? from(user, starts, 1) : afterAny(user, starts, values);
};

/** The ends of these values where they stand at one of the starts. */
const afterAny = (user: string, starts: ReadonlySet<number>, values: readonly string[]): ReadonlySet<number> => {
  const ends = new Set<number>();
  for (const start of starts)
    for (const value of values) if (user.startsWith(value, start)) ends.add(start + value.length);
  return ends;
};

/** Every place that is at least so far behind the first start. */
const from = (user: string, starts: ReadonlySet<number>, least: number): ReadonlySet<number> => {
  const first = Math.min(...starts) + least;
  return new Set(Array.from({ length: Math.max(0, user.length + 1 - first) }, (_, at) => first + at));
};

/** The template with what is known of this device in its places; what is not known keeps its braces. */
export const fillTemplate = (template: string, user: string, device: Templated): string =>
  parts(template)
    .map((part, at) => {
      if (at % 2 === 0) return part;
      const label = Object.hasOwn(device.labels, part) ? device.labels[part] : undefined;
      const field = Object.hasOwn(FIELDS, part) ? FIELDS[part]?.(device, user)?.[0] : label;
      return field ?? `{${part}}`;
    })
    .join('');
