import { closest } from 'fastest-levenshtein';
import { FACTS, type FactName, type FactRow } from '../../shared/facts.ts';
import { type ExpectedValue, TEMPLATE_FIELDS } from '../../shared/terms.ts';
import { fieldsOf } from '../appraise/template.ts';
import { isTimeZone } from '../baseline/expected.ts';

/** Whether an expected value could ever be what a device shows: what no look can match is a slip of the pen. */

type Kind = FactRow['type'];

/** Columns of the pools that terms can speak of by themselves. */
const COLUMNS: { readonly [column: string]: Kind } = {
  'pools.url': 'text',
  'pools.user': 'text',
  'pools.priority': 'integer',
  'pools.quota': 'integer',
  'pools.proxy': 'text',
};

/** Every name that terms of this version can speak of. */
export const KNOWN_FACTS: readonly string[] = [...Object.keys(FACTS), ...Object.keys(COLUMNS)];

/** Names come from whoever signed: those of every object are none of ours. */
const kindOf = (fact: string): Kind | undefined => {
  if (Object.hasOwn(COLUMNS, fact)) return COLUMNS[fact];
  return Object.hasOwn(FACTS, fact) ? FACTS[fact as FactName].type : undefined;
};

/** A value of another type than the fact has, and where it stands below the item. */
export interface Misfit {
  readonly path: readonly PropertyKey[];
  readonly message: string;
  readonly remedy: string;
}

/** What of an expected value cannot match its fact. Nothing is said of facts that this version does not know. */
export const misfitsOf = (expected: ExpectedValue): readonly Misfit[] => {
  const kind = kindOf(expected.fact);
  if (kind === undefined) return [];
  const check = (value: unknown, ...path: PropertyKey[]): readonly Misfit[] => misfit(expected.fact, kind, value, path);
  switch (expected.class) {
    case 'exact':
      // Of a column it may be a list: a value for each slot, by its place.
      return Object.hasOwn(COLUMNS, expected.fact) && Array.isArray(expected.value)
        ? expected.value.flatMap((one, at) => check(one, 'value', at))
        : check(expected.value, 'value');
    case 'set':
      return expected.value.flatMap((one, at) => check(one, 'value', at));
    case 'band':
      return kind === 'integer' ? [] : [wrongClass(expected, kind, 'a band is for integers')];
    case 'schedule':
      return [
        ...zoneMisfit(expected.value.zone),
        ...expected.value.slots.flatMap(({ value }, at) => check(value, 'value', 'slots', at, 'value')),
        ...(expected.value.otherwise === undefined ? [] : check(expected.value.otherwise, 'value', 'otherwise')),
      ];
    case 'template':
      return kind === 'text' ? [] : [wrongClass(expected, kind, 'a template is for text')];
    case 'volatile':
      return expected.value === undefined || hasNamedParts(expected.fact) ? [] : [wholeOnly(expected)];
  }
};

const hasNamedParts = (fact: string): boolean =>
  Object.hasOwn(FACTS, fact) && ['by-name', 'by-key'].includes(FACTS[fact as FactName].class);

const wholeOnly = ({ fact }: ExpectedValue): Misfit => ({
  path: ['value'],
  message: `${fact} has no parts with names that could be left out`,
  remedy: 'leave value away: the whole fact is not compared then',
});

/** The labels that the templates of an expected value take from a device. */
export const labelsAsked = (expected: ExpectedValue): readonly string[] =>
  expected.class === 'template'
    ? [...new Set([expected.value].flat().flatMap(fieldsOf))].filter((field) => !isOwnField(field))
    : [];

const isOwnField = (field: string): boolean => (TEMPLATE_FIELDS as readonly string[]).includes(field);

/** A template that takes a label which no device has fits none. */
export const strangeFields = (expected: ExpectedValue, labels: readonly string[]): readonly Misfit[] =>
  labelsAsked(expected)
    .filter((field) => !labels.includes(field))
    .map((field) => {
      const known = [...TEMPLATE_FIELDS, ...labels];
      return {
        path: ['value'],
        message: `no device here has a label "${field}" for {${field}} of ${expected.fact}`,
        remedy: `did you mean {${closest(field, known)}}? known here: ${known.join(', ')}`,
      };
    });

const wrongClass = ({ fact }: ExpectedValue, kind: Kind, message: string): Misfit => ({
  path: ['class'],
  message: `${message}, and ${fact} is ${NAMES[kind]}`,
  remedy: 'give it another class: docs/approvers.md',
});

const zoneMisfit = (zone: string): readonly Misfit[] =>
  isTimeZone(zone)
    ? []
    : [
        {
          path: ['value', 'zone'],
          message: `${JSON.stringify(zone)} is no time zone`,
          remedy: 'give the IANA name of a time zone, such as Europe/Berlin or UTC',
        },
      ];

const NAMES: { readonly [K in Kind]: string } = {
  text: 'text',
  integer: 'an integer',
  boolean: 'true or false',
  'text list': 'a list of texts',
  'integer list': 'a list of integers',
  'object list': 'a list of objects',
};

const isList = (value: unknown, fits: (item: unknown) => boolean): boolean => Array.isArray(value) && value.every(fits);
const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null && !Array.isArray(value);

const FITS: { readonly [K in Kind]: (value: unknown) => boolean } = {
  text: (value) => typeof value === 'string',
  integer: (value) => Number.isSafeInteger(value),
  boolean: (value) => typeof value === 'boolean',
  'text list': (value) => isList(value, (item) => typeof item === 'string'),
  'integer list': (value) => isList(value, Number.isSafeInteger),
  'object list': (value) => isList(value, isObject),
};

/** The members of the objects in a list: without those that are needed nothing can be held against it; others may be left out. */
interface Members {
  readonly name: string;
  readonly needed: { readonly [member: string]: Kind };
  readonly others?: { readonly [member: string]: Kind };
}

const MEMBERS: { readonly [fact: string]: Members } = {
  pools: {
    name: 'a list of slots with slot and url',
    needed: { slot: 'integer', url: 'text' },
    others: {
      user: 'text',
      priority: 'integer',
      quota: 'integer',
      share_ppm: 'integer',
      tls: 'boolean',
      proxy: 'text',
    },
  },
  live_pools: {
    name: 'a list of pools with url',
    needed: { url: 'text' },
    others: { user: 'text', status: 'text', active: 'boolean', host: 'text', proxy: 'text' },
  },
  fee_pools: { name: 'a list of pools with url', needed: { url: 'text' }, others: { user: 'text', quota: 'text' } },
  'firmware.components': { name: 'a list of parts with name and value', needed: { name: 'text', value: 'text' } },
  'config.other': { name: 'a list of settings with key and value', needed: { key: 'text', value: 'text' } },
};

const misfit = (fact: string, kind: Kind, value: unknown, path: readonly PropertyKey[]): readonly Misfit[] => {
  const members = Object.hasOwn(MEMBERS, fact) ? MEMBERS[fact] : undefined;
  if (FITS[kind](value) && (members === undefined || hasNeeded(value, members)))
    return members === undefined ? [] : othersOf(fact, members, value, path);
  const meaning = FACTS[fact as FactName]?.meaning ?? 'see docs/approvers.md';
  return [
    {
      path,
      message: `${fact} is ${members?.name ?? NAMES[kind]}, and this is not`,
      remedy: isUnquoted(kind, value) ? 'write it in quotes' : `give ${NAMES[kind]}: ${meaning}`,
    },
  ];
};

const isUnquoted = (kind: Kind, value: unknown): boolean =>
  kind === 'text' && (typeof value === 'number' || typeof value === 'boolean');

const hasNeeded = (value: unknown, { needed }: Members): boolean =>
  isList(value, (one) => Object.entries(needed).every(([member, kind]) => FITS[kind](memberOf(one, member))));

/** Members that may be left out, and are of another type: a null, say, that the device never shows. */
const othersOf = (
  fact: string,
  { others = {} }: Members,
  value: unknown,
  path: readonly PropertyKey[],
): readonly Misfit[] =>
  // Whoever asks saw that it is a list of objects.
  (value as readonly object[]).flatMap((one, at) =>
    Object.entries(others).flatMap(([member, kind]) => {
      const told = memberOf(one, member);
      if (told === undefined || FITS[kind](told)) return [];
      return [
        {
          path: [...path, at, member],
          message: `${member} in ${fact} is ${NAMES[kind]}, and this is not`,
          remedy: isUnquoted(kind, told) ? 'write it in quotes' : `give ${NAMES[kind]}, or leave ${member} out`,
        },
      ];
    }),
  );

const memberOf = (one: unknown, member: string): unknown =>
  Object.hasOwn(one as object, member) ? (one as { readonly [member: string]: unknown })[member] : undefined;
