import type { AgentError } from '../platform/errors.ts';
import { jsonLine } from '../platform/events.ts';

/** The streams and the ambient facts a verb may use; tests pass their own. */
export interface Io {
  readonly out: {
    write: (text: string) => unknown;
    readonly isTTY?: boolean;
    readonly columns?: number;
    readonly rows?: number;
  };
  readonly err: { write: (text: string) => unknown; readonly isTTY?: boolean; readonly columns?: number };
  readonly input: NodeJS.ReadableStream & { readonly isTTY?: boolean };
}

/** Whether what is written there may move the cursor and be bold: on a terminal that knows how. */
export const isDrawable = ({ isTTY }: { readonly isTTY?: boolean }): boolean =>
  isTTY === true && process.env.TERM !== 'dumb';

/** Exit codes of every verb. */
export const EXIT = { ok: 0, failed: 1, usage: 2, unreachable: 3, interrupted: 130 } as const;
export type Exit = (typeof EXIT)[keyof typeof EXIT];

/** What a person has to correct here: the command, the configuration, or the files it names. */
const USAGE: ReadonlySet<string> = new Set([
  'usage',
  'config',
  'key',
  'log',
  'mqtt',
  'baseline',
  'driver',
  'terms',
  'finding',
]);

/** The exit code of a verb that ended with this error. */
export const exitOf = ({ code }: AgentError): Exit => {
  if (code === 'usage.interrupted') return EXIT.interrupted;
  return USAGE.has(code.slice(0, code.indexOf('.'))) ? EXIT.usage : EXIT.unreachable;
};

/** Where a verb puts its exit code: the process ends by itself, with this code, when nothing is left to do. */
export const setExit = (code: Exit): void => {
  process.exitCode = code;
};

/** Writes a value as one line of JSON. */
export const printJson = (io: Io, value: unknown): void => {
  io.out.write(jsonLine(value));
};

/** Text from outside for a terminal: control and bidi characters are shown as U+FFFD, so that nothing can move the cursor. */
export const printable = (text: string): string => text.replace(UNPRINTABLE, '\u{FFFD}');

/** The same for a text of several lines. */
export const printableLines = (text: string): string => text.split('\n').map(printable).join('\n');

const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\u2028\u2029]/gu;
