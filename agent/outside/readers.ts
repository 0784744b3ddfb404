import { FACTS, type FactName, type FactRow, type Reading } from '../../shared/facts.ts';
import { inRows, lastShareAge, namedRate, sumOfRates } from '../drivers/cgminer-api.ts';
import { settings } from '../drivers/named-texts.ts';
import { CGMINER_POOL, livePools, type PoolMembers, poolList } from '../drivers/pools.ts';
import { rateWithLetter } from '../drivers/rate-text.ts';
import {
  asObject,
  count,
  flag,
  integer,
  listOf,
  mac,
  memberIn,
  type Reader,
  rateText,
  scalarText,
  scaled,
  serial,
  temperatureMc,
  text,
  textList,
  UNREADABLE,
  watts,
  worded,
} from '../drivers/readers.ts';
import { highest, sum } from '../drivers/rows.ts';

/**
 * The readers of the built-in drivers that a driver file may name. Names, meanings and units are kept: a file that was
 * written for one version is read by the next in the same way.
 */

/** Every reader, in the order of the documentation. */
export const READER_NAMES = [
  'text',
  'scalar_text',
  'serial',
  'mac',
  'words',
  'integer',
  'count',
  'scaled',
  'celsius',
  'watts',
  'rate_text',
  'rate_letter',
  'cgminer_rate',
  'cgminer_rates',
  'last_share_age',
  'flag',
  'text_list',
  'list',
  'list_of_rows',
  'sum_of_rows',
  'highest_of_rows',
  'pools',
  'live_pools',
  'settings',
] as const;

export type ReaderName = (typeof READER_NAMES)[number];

/** What a reader gives: the type of a fact; lists of objects have one reader each. */
export type Kind = Exclude<FactRow['type'], 'object list'> | 'pools' | 'live_pools' | 'settings' | 'parts';

/** What a driver file may say beside the name of a reader. */
export interface ReaderParameters {
  readonly factor?: number | undefined;
  readonly words?: { readonly [theirs: string]: string } | undefined;
  readonly member?: string | undefined;
  readonly each?: ReaderName | undefined;
  readonly members?: 'cgminer' | PoolMembersText | undefined;
  readonly except?: readonly string[] | undefined;
}

export type ParameterName = keyof ReaderParameters;

/** What a reader is made of. No driver file says which names are those of secrets in all: some are so in every family. */
interface Making extends ReaderParameters {
  readonly isSecret?: (name: string) => boolean;
}

/** `PoolMembers` as a parsed file has them: what is left out may stand there as undefined. */
export type PoolMembersText = {
  readonly [Name in keyof PoolMembers]: PoolMembers[Name] | undefined;
} & Pick<PoolMembers, 'url'>;

interface NamedReader {
  /** `each`: a list of what `each` gives; `of each`: what `each` gives. */
  readonly gives: Kind | 'list of each' | 'of each';
  readonly needs?: readonly ParameterName[];
  readonly takes?: readonly ParameterName[];
  readonly meaning: string;
  readonly make: (parameters: Making) => Reader<unknown>;
}

const plain = (gives: Kind, reader: Reader<unknown>, meaning: string): NamedReader => ({
  gives,
  meaning,
  make: () => reader,
});

/** A member of every row of a section, read by `each`. */
const ofRows =
  (conclude: (each: Reader<unknown>) => Reader<unknown>): NamedReader['make'] =>
  ({ member = '', ...parameters }) => {
    const each = eachOf(parameters);
    return conclude((row) => {
      const object = asObject(row);
      return object === undefined ? UNREADABLE : memberIn(object, member, each);
    });
  };

/** What these two names promised to driver files from the first: what cannot be read is left out. */
const readable = <T>(readings: readonly Reading<T>[]): readonly Reading<T>[] =>
  readings.filter(({ kind }) => kind !== 'unknown');

/** The compiler lets only readers of whole numbers through here. */
const asNumbers = (reader: Reader<unknown>): Reader<number> => reader as Reader<number>;

const MEMBER_AND_EACH: Pick<NamedReader, 'needs' | 'takes'> = { needs: ['member', 'each'], takes: ['factor', 'words'] };

const READERS: { readonly [Name in ReaderName]: NamedReader } = {
  text: plain('text', text, 'a text, without the white space around it; an empty one is absent'),
  scalar_text: plain('text', scalarText, 'a text, or a number or a boolean as text'),
  serial: plain('text', serial, 'a serial number; words for none and rows of zeros are absent'),
  mac: plain('text', mac, 'a MAC address in any spelling; zeros and factory values are absent'),
  words: {
    gives: 'text',
    needs: ['words'],
    meaning: 'a word of the device as the one that `words` has for it',
    make: ({ words = {} }) => worded(words),
  },
  integer: plain('integer', integer, 'a whole number, also as text'),
  count: plain('integer', count, 'a whole number from 0, also as text'),
  scaled: {
    gives: 'integer',
    takes: ['factor'],
    meaning: 'a number times `factor` (1), rounded: a factor of 1e9 reads GH/s as H/s',
    make: ({ factor = 1 }) => scaled(factor),
  },
  celsius: plain('integer', temperatureMc, '°C, as number or text, in milli-°C'),
  watts: plain('integer', watts, 'W, as number or as text with its unit, in W'),
  rate_text: plain('integer', rateText, 'a rate with its unit, `21632.89GH/s` or `841 KSol/s`, in H/s'),
  rate_letter: plain('integer', rateWithLetter, 'a rate with the letter of its unit, `12.44T`, in H/s'),
  cgminer_rate: plain(
    'integer',
    namedRate,
    'of a row of the CGMiner API: its member `KHS 5s`, `MHS 5s`, `GHS 5s`, `MHS av` … in H/s',
  ),
  cgminer_rates: plain('integer', sumOfRates, 'of the rows of DEVS: the same of every row, added up, in H/s'),
  last_share_age: {
    gives: 'integer',
    needs: ['member'],
    meaning: 'of a whole reply with POOLS: seconds since the newest time in `member`, by the clock of the device',
    make: ({ member = '' }) => lastShareAge(member),
  },
  flag: plain('boolean', flag, 'yes or no: true, yes, on, enabled, 1 and their opposites'),
  text_list: plain('text list', textList, 'a list of texts, or one text with commas, semicolons or blanks between'),
  list: {
    gives: 'list of each',
    needs: ['each'],
    takes: ['factor', 'words'],
    meaning: 'a list; one element that cannot be read spoils it',
    make: (parameters) => listOf(eachOf(parameters)),
  },
  list_of_rows: {
    gives: 'list of each',
    ...MEMBER_AND_EACH,
    meaning: 'of rows: `member` of each; one that cannot be read spoils the list',
    make: ofRows((each) => inRows((rows) => listOf(each)(rows))),
  },
  sum_of_rows: {
    gives: 'of each',
    ...MEMBER_AND_EACH,
    meaning: 'of rows: `member` of each, added up; what cannot be read is left out',
    make: ofRows((each) => inRows((rows) => sum(readable(rows.map(asNumbers(each)))))),
  },
  highest_of_rows: {
    gives: 'of each',
    ...MEMBER_AND_EACH,
    meaning: 'of rows: the highest `member`; what cannot be read is left out',
    make: ofRows((each) => inRows((rows) => highest(readable(rows.map(asNumbers(each)))))),
  },
  pools: {
    gives: 'pools',
    needs: ['members'],
    meaning: 'the rows of a pool list as slots; a list that cannot be read whole is unknown',
    make: ({ members }) => poolList(poolMembers(members)),
  },
  live_pools: {
    gives: 'live_pools',
    needs: ['members'],
    meaning: 'the same list as a surface of its own: where each pool stands now',
    make: ({ members }) => livePools(poolMembers(members)),
  },
  settings: {
    gives: 'settings',
    takes: ['except'],
    meaning: 'the members of an object that are single values, without secrets and without those in `except`',
    make: ({ except = [], isSecret = () => false }) => settings((name) => !except.includes(name) && !isSecret(name)),
  },
};

/** A reader by its name. */
export const readerNamed = (name: ReaderName): NamedReader => READERS[name];

/** Readers of single values, which `each` may name. */
export const isSingle = (name: ReaderName): boolean => {
  const { gives, needs = [] } = readerNamed(name);
  const isScalar = gives === 'text' || gives === 'integer';
  return isScalar && needs.every((parameter) => parameter === 'words') && !name.startsWith('cgminer_');
};

/** What a reader gives with these parameters; undefined where `each` gives nothing that fits. */
export const kindGiven = (name: ReaderName, { each }: ReaderParameters): Kind | undefined => {
  const { gives } = readerNamed(name);
  if (gives !== 'list of each' && gives !== 'of each') return gives;
  const inside = each === undefined ? undefined : readerNamed(each).gives;
  if (gives === 'of each') return inside === 'integer' ? 'integer' : undefined;
  return inside === 'text' ? 'text list' : inside === 'integer' ? 'integer list' : undefined;
};

/** What a fact wants. */
export const kindWanted = (fact: FactName): Kind => {
  const { type } = FACTS[fact];
  if (type !== 'object list') return type;
  switch (fact) {
    case 'pools':
    case 'live_pools':
      return fact;
    case 'config.other':
      return 'settings';
    default:
      return 'parts';
  }
};

function eachOf({ each, ...parameters }: ReaderParameters): Reader<unknown> {
  return each === undefined ? text : readerNamed(each).make(parameters);
}

const poolMembers = (members: ReaderParameters['members']): PoolMembers => {
  if (members === undefined || members === 'cgminer') return CGMINER_POOL;
  const named = Object.entries(members).filter(([, name]) => name !== undefined);
  // What is left is what the schema asks for: `url`, and the names that were given.
  return Object.fromEntries(named) as unknown as PoolMembers;
};
