import { FACTS, type FactName, type PoolSlot, present } from '../../shared/facts.ts';
import type { Source } from '../drivers/driver.ts';
import { components, keysOf, settingsFrom } from '../drivers/named-texts.ts';
import { anyOf, at, firstOf, type Reader, tokens, whenPresent } from '../drivers/readers.ts';
import { known } from '../drivers/rows.ts';
import { withoutSecretOf } from '../drivers/secret-names.ts';
import { storedAndRunning } from '../drivers/stored-pools.ts';
import { letIn } from '../drivers/write-access.ts';
import type { SecretNames } from '../normalise/mask.ts';
import { type Report, reportNoQuery } from './flaw.ts';
import {
  isSingle,
  type Kind,
  kindGiven,
  kindWanted,
  type ParameterName,
  READER_NAMES,
  type ReaderName,
  readerNamed,
} from './readers.ts';
import type { FactText, KeysText, PlacedText, SingleText } from './schema.ts';

/** What the facts of a file are compiled with. */
export interface FactContext {
  readonly isQuery: (name: string) => boolean;
  readonly queries: readonly string[];
  /** The members whose values no fact may be read from. */
  readonly secrets: SecretNames;
  readonly report: Report;
}

/** The queries that a fact is read from. */
export const queriesOfFact = (fact: FactText): readonly string[] => {
  if ('query' in fact) return [fact.query];
  if ('first_of' in fact) return fact.first_of.map(({ query }) => query);
  if ('any_of' in fact) return fact.any_of.map(({ query }) => query);
  if ('components' in fact) return Object.values(fact.components).map(({ query }) => query);
  if ('settings_of' in fact) return Object.values(fact.settings_of).map(({ query }) => query);
  return [fact.stored.query, fact.running.query];
};

/** The source of a fact; undefined where something is wrong, which is then reported. */
export const factSource = (name: FactName, fact: FactText, context: FactContext): Source<unknown> | undefined => {
  const wanted = kindWanted(name);
  if ('query' in fact) return singleSource(wanted, fact, context);
  if ('first_of' in fact) return listSource('first_of', fact.first_of, wanted, context, firstOf);
  if ('any_of' in fact) {
    if (FACTS[name].class !== 'volatile')
      context.report(['any_of'], `${name} is compared, and two places may spell it differently`, 'use first_of');
    return listSource('any_of', fact.any_of, wanted, context, anyOf);
  }
  if ('components' in fact) {
    if (name !== 'firmware.components') return misplaced('components', 'firmware.components', context);
    return namedSource('components', fact.components, context, components);
  }
  if ('settings_of' in fact) {
    if (name !== 'config.other') return misplaced('settings_of', 'config.other', context);
    return namedSource('settings_of', fact.settings_of, context, settingsFrom);
  }
  if (name !== 'pools') return misplaced('stored', 'pools', context);
  const [stored, running] = (['stored', 'running'] as const).map((part) =>
    singleSource('pools', fact[part], within(context, part)),
  );
  // A source whose reader gives pools: `singleSource` has checked the kind.
  return stored === undefined || running === undefined
    ? undefined
    : storedAndRunning(stored as Source<readonly PoolSlot[]>, running as Source<readonly PoolSlot[]>);
};

const within = (context: FactContext, ...above: readonly PropertyKey[]): FactContext => ({
  ...context,
  report: (path, message, remedy) => context.report([...above, ...path], message, remedy),
});

const misplaced = (key: string, fact: FactName, { report }: FactContext): undefined =>
  report([key], `"${key}" is for ${fact} only`, 'give the place: query, at and read') as undefined;

const listSource = (
  key: string,
  places: readonly SingleText[],
  wanted: Kind,
  context: FactContext,
  combine: (...sources: readonly Source<unknown>[]) => Source<unknown>,
): Source<unknown> | undefined => {
  const sources = places.map((one, index) => singleSource(wanted, one, within(context, key, index)));
  const whole = sources.filter((source) => source !== undefined);
  return whole.length === sources.length ? combine(...whole) : undefined;
};

const namedSource = (
  key: string,
  parts: { readonly [name: string]: SingleText | KeysText },
  context: FactContext,
  combine: (named: { readonly [name: string]: Source<string> }) => Source<unknown>,
): Source<unknown> | undefined => {
  const sources = Object.entries(parts).map(([name, part]) => [
    name,
    partSource(name, part, within(context, key, name)),
  ]);
  if (sources.length === 0) context.report([key], 'it is empty', 'name at least one, or remove it');
  // Each part was compiled as a text.
  return sources.every(([, source]) => source !== undefined) ? combine(Object.fromEntries(sources)) : undefined;
};

/** What begins with `keys.` is kept as a digest, and nothing else may be a set of keys. */
const partSource = (name: string, part: SingleText | KeysText, context: FactContext): Source<unknown> | undefined => {
  const isKeys = 'keys' in part;
  if (isKeys !== name.startsWith('keys.')) {
    const remedy = 'a part with `keys` is called keys.<query>, and no other part is';
    context.report([], `the name "${name}" does not fit the part`, remedy);
    return undefined;
  }
  if (!isKeys) return singleSource('text', part, context);
  if (!hasQuery(part.query, context)) return undefined;
  return keysOf(part.query, part.keys, new Set(part.passing));
};

const singleSource = (wanted: Kind, single: SingleText, context: FactContext): Source<unknown> | undefined => {
  const { query } = single;
  if (!hasQuery(query, context)) return undefined;
  if ('read' in single) return placedSource(wanted, single, context);
  const given = 'let_in' in single ? 'boolean' : KIND_OF_VALUE[typeof single.value];
  if (given !== wanted) {
    const key = 'let_in' in single ? 'let_in' : 'value';
    context.report([key], `this is a ${given}, and the fact is a ${wanted}`, 'give the place: query, at and read');
    return undefined;
  }
  return 'let_in' in single ? letIn(query) : known(query, single.value);
};

const KIND_OF_VALUE: { readonly [type: string]: Kind } = { string: 'text', number: 'integer', boolean: 'boolean' };

const hasQuery = (query: string, { isQuery, queries, report }: FactContext): boolean => {
  if (isQuery(query)) return true;
  reportNoQuery(query, queries, report);
  return false;
};

const PARAMETERS = ['factor', 'words', 'member', 'each', 'members', 'except'] as const satisfies ParameterName[];

const placedSource = (
  wanted: Kind,
  placed: PlacedText,
  { secrets, report }: FactContext,
): Source<unknown> | undefined => {
  const { query, at: pointer, read, ...parameters } = placed;
  const { needs = [], takes = [] } = readerNamed(read);
  let isWell = true;
  const flaw: Report = (...words) => {
    isWell = false;
    report(...words);
  };
  for (const name of needs) {
    if (parameters[name] === undefined) flaw(['read'], `the reader ${read} needs "${name}"`, `add: ${name}`);
  }
  for (const name of PARAMETERS) {
    if (parameters[name] === undefined || [...needs, ...takes].includes(name)) continue;
    flaw(
      [name],
      `the reader ${read} takes no "${name}"`,
      `remove it; it takes: ${[...needs, ...takes].join(', ') || 'nothing'}`,
    );
  }
  const { each } = parameters;
  if (each !== undefined && !isSingle(each))
    flaw(['each'], `${each} reads no single value`, `one of: ${READER_NAMES.filter(isSingle).join(', ')}`);
  else if (isWell && each !== undefined) isWell = eachFits(each, placed, flaw);
  const given = kindGiven(read, parameters);
  if (isWell && given !== wanted) {
    const fitting = READER_NAMES.filter((name) => fits(name, wanted));
    const remedy =
      fitting.length === 0 ? 'this fact is not read from one place' : `readers that do: ${fitting.join(', ')}`;
    flaw(['read'], `the reader ${read} does not give a ${wanted}`, remedy);
  }
  for (const [key, name] of namesIn(placed)) {
    if (secrets.has(name))
      flaw(
        [key],
        `"${name}" is the name of a secret, and no secret becomes a fact`,
        'read the fact from another place',
      );
  }
  if (!isWell) return undefined;
  const reader = readerNamed(read).make({ ...parameters, isSecret: secrets.has });
  return at(query, pointer, wanted === 'text' ? maskedUnder(pointer, reader) : reader);
};

/** A text at a place whose name may be that of a secret, `auth`, is masked where it is one; a word of the file is none. */
const maskedUnder = (pointer: PlacedText['at'], reader: Reader<unknown>): Reader<unknown> => {
  const names = [pointer].flat().map((one) => String(tokens(one).at(-1)));
  return (value) =>
    whenPresent(reader(value), (found) =>
      present(
        typeof found === 'string' && typeof value === 'string' && found === value.trim()
          ? names.reduce((text, name) => withoutSecretOf(name, value, text), found)
          : found,
      ),
    );
};

/** The names of members that a place leads through or reads, each with the setting that says it. */
const namesIn = ({ at: pointer, member, members }: PlacedText): readonly (readonly [key: string, name: string])[] => [
  ...[pointer].flat().flatMap((one) => tokens(one).map((token) => ['at', String(token)] as const)),
  ...(member === undefined ? [] : [['member', member] as const]),
  ...(typeof members === 'object'
    ? Object.values(members).flatMap((names) => [names ?? []].flat().map((name) => ['members', name] as const))
    : []),
];

/** What `each` needs and takes goes through the reader that it is the `each` of. */
const eachFits = (each: ReaderName, parameters: PlacedText, flaw: Report): boolean => {
  const { needs = [], takes = [] } = readerNamed(each);
  const missing = needs.filter((name) => parameters[name] === undefined);
  for (const name of missing) flaw(['each'], `the reader ${each} needs "${name}"`, `add: ${name}`);
  const idle = (['factor', 'words'] as const).filter(
    (name) => parameters[name] !== undefined && ![...needs, ...takes].includes(name),
  );
  for (const name of idle) flaw([name], `the reader ${each} takes no "${name}"`, 'remove it');
  return missing.length + idle.length === 0;
};

const fits = (name: ReaderName, wanted: Kind): boolean =>
  kindGiven(name, { each: 'text' }) === wanted || kindGiven(name, { each: 'integer' }) === wanted;
