import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { code, generatedFrom, markdownTable, page, prose } from './markdown.ts';

const root = join(import.meta.dirname, '..', '..');

/** A source file of the agent. */
interface Source {
  readonly file: string;
  readonly text: string;
}

/**
 * `docs/events.md`: the codes of log lines and of errors, found in the source. Every place that writes a log line has to
 * be understood, or the page is not written: a list with holes would be worse than none.
 */
export const eventsPage = (): string => {
  const sources = globSync('agent/**/*.ts', { cwd: root })
    .sort()
    .map((file) => ({ file, text: readFileSync(join(root, file), 'utf8') }));
  return page(
    generatedFrom('agent/'),
    '# Events and errors',
    INTRODUCTION,
    '## Log lines',
    markdownTable(['Event', 'Level', 'From'], eventRows(sources)),
    '## Errors',
    ERRORS,
    markdownTable(['Code', 'Remedy', 'From'], errorRows(sources)),
  );
};

const INTRODUCTION = [
  'The agent writes one JSON object per line to stderr: `at`, `level`, `event`, and members that depend on the event.',
  '`error` needs a person, `warn` mends itself or is tried again, `info` is a change of state, `debug` is for developers.',
  '`log_level` in the configuration sets the least level. A log line is not evidence: that is the log of signed entries.',
].join('\n');

const ERRORS = [
  'A verb prints an error with its remedy; in a running agent it is a log line with the code as its event. Remedies of several',
  'cases are divided by a slash, an ellipsis is what is put in when it happens, and where there is none here it depends on the case',
  'and is beside the message.',
].join('\n');

/** The first two arguments of a call that writes a log line: level and code. */
const CALL = /\bemit\(\s*([^,]+?),\s*([^,)]+?)\s*[,)]/g;
const CODE = /'([a-z]+\.[a-z-]+)'/g;
/** A literal code, or an area with a reason that is put in: `probe.${reason}`. */
const ERROR_CODE = /'([a-z]+\.[a-z-]+)'|`([a-z]+)\.\$\{[^}]*\}`/g;
/** A code that was made elsewhere: of an error below, or of a fault that is listed there. */
const FORWARDED = /^(?:\w+\.)?code$|^\w+ \? \w+\.code : '[a-z.-]+'$/;
/** `uplink.${ending.kind}`: one event for each way a connection can end. */
const ENDING = /^`uplink\.\$\{ending\.kind\}`$/;

const eventRows = (sources: readonly Source[]): readonly (readonly string[])[] => {
  const rows = sources.flatMap(({ file, text }) =>
    [...text.matchAll(CALL)].flatMap(([call, level = '', event = '']) => {
      const words = [...level.matchAll(/'(\w+)'/g)].map(([, word]) => word ?? '');
      const levels = words.length === 0 ? '`warn` or `error`' : words.map(code).join(' or ');
      const codes = ENDING.test(event) ? endings(sources) : [...event.matchAll(CODE)].map(([, found]) => found ?? '');
      if (codes.length === 0 && !FORWARDED.test(event))
        throw new Error(`${file}: which events does this write? ${call}`);
      return codes.map((found) => [code(found), levels, code(file)]);
    }),
  );
  const calls = sources.reduce((sum, { text }) => sum + (text.match(/\bemit\(/g)?.length ?? 0), 0);
  const read = sources.reduce((sum, { text }) => sum + [...text.matchAll(CALL)].length, 0);
  if (calls === 0 || calls !== read) throw new Error(`${calls - read} of ${calls} log lines are not understood`);
  return byCode(rows);
};

/** The kinds of the type that says how a connection ended; `left` is our own doing and is no event. */
const endings = (sources: readonly Source[]): readonly string[] => {
  const type = sources.find(({ file }) => file === 'agent/publish/ending.ts')?.text.split('export type Ending')[1];
  const kinds = [...(type?.split(';\n\n')[0] ?? '').matchAll(/readonly kind: '(\w+)'/g)].map(([, kind]) => kind ?? '');
  if (kinds.length === 0) throw new Error('agent/publish/ending.ts: no kinds of endings found');
  return kinds.filter((kind) => kind !== 'left').map((kind) => `uplink.${kind}`);
};

const errorRows = (sources: readonly Source[]): readonly (readonly string[])[] =>
  byCode(
    sources.flatMap(({ file, text }) =>
      [...text.matchAll(/\bcode:([^,;]*)/g)].flatMap((found) =>
        [...(found[1] ?? '').matchAll(ERROR_CODE)].map(([, name, area]) => [
          code(name ?? `${area}.<reason>`),
          remedyAfter(text, found.index),
          code(file),
        ]),
      ),
    ),
  );

/** The remedy beside a code, as far as it is a text in the source; what is put in when it happens is an ellipsis. */
const remedyAfter = (text: string, from: number): string => {
  const rest = text.slice(from, from + 900);
  const own = rest.slice(0, nextProblem(rest));
  const remedy = /\bremedy(?::|\s*=)([\s\S]*?)(?:,\n\s*cause|\n\s*\}|\}\)|\},)/.exec(own)?.[1] ?? '';
  const texts = [...remedy.matchAll(/'((?:[^'\\\n]|\\.)*)'|`([^`]*)`/g)].map(
    ([, plain, template]) => plain ?? template ?? '',
  );
  return texts
    .filter((words) => words.includes(' '))
    .map((words) => prose(words.replace(/\$\{[^}]*\}/g, '…')))
    .join(' / ');
};

const nextProblem = (rest: string): number => {
  const next = rest.slice(5).search(/\bcode:/);
  return next < 0 ? rest.length : next + 5;
};

/** One row for each code, with everything that is said of it. */
const byCode = (rows: readonly (readonly string[])[]): readonly (readonly string[])[] =>
  [...Map.groupBy(rows, ([name]) => name ?? '')]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, same]) => [name, joined(same, 1, ' / '), joined(same, 2, ', ')]);

const joined = (rows: readonly (readonly string[])[], column: number, between: string): string =>
  [...new Set(rows.map((row) => row[column] ?? ''))].filter((cell) => cell !== '').join(between);
