import { COMPARED_WHERE_HELD } from '../../agent/appraise/where-held.ts';
import { READER_NAMES, readerNamed } from '../../agent/outside/readers.ts';
import { OUTSIDE_FACTS } from '../../agent/outside/schema.ts';
import { FACTS } from '../../shared/facts.ts';
import { code, generatedFrom, markdownTable, page } from './markdown.ts';

/** `docs/driver-readers.md`: the readers that a driver file may name, and the facts that it may give. */
export const readersPage = (): string =>
  page(
    generatedFrom('agent/outside/readers.ts and shared/facts.ts'),
    '# Readers and facts of a driver file',
    INTRODUCTION,
    '## Readers',
    markdownTable(
      ['Reader', 'Gives', 'Needs', 'Takes', 'Reads'],
      READER_NAMES.map((name) => {
        const { gives, needs = [], takes = [], meaning } = readerNamed(name);
        return [code(name), GIVES[gives] ?? gives, needs.map(code).join(', '), takes.map(code).join(', '), meaning];
      }),
    ),
    '## Facts',
    markdownTable(
      ['Fact', 'Is', 'Compared', 'Meaning and unit'],
      OUTSIDE_FACTS.map((name) => {
        const { type, class: compared, meaning } = FACTS[name];
        return [code(name), type, compared === 'volatile' ? rarely(name) : compared, meaning];
      }),
    ),
  );

/** How what changes by itself is compared. */
const rarely = (name: string): string => (COMPARED_WHERE_HELD.has(name) ? 'where a signed document holds it' : 'no');

const GIVES: { readonly [kind: string]: string } = {
  'list of each': 'a list of what `each` gives',
  'of each': 'integer',
  pools: 'pool slots',
  live_pools: 'live pools',
  settings: 'named texts',
};

const INTRODUCTION = [
  'What `read:` and `each:` may name in a [driver file](write-a-driver.md), and what may stand under `facts:`. A reader makes of',
  'the value at a place a fact in the unit of the second table, or says that it is absent, or unreadable; it never makes up a',
  'default. Names and units are kept from version to version.',
].join('\n');
