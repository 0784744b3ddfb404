/** A log line is JSON on stderr; it is not evidence. `error` needs a person, `warn` is retried, `info` is a change of state. */
export type Level = 'error' | 'warn' | 'info' | 'debug';

/** Writes one event. `event` is `area.problem`; foreign text goes into members, never into the code. No credential may be passed. */
export type Emit = (level: Level, event: string, members?: { readonly [name: string]: unknown }) => void;

const ORDER: readonly Level[] = ['error', 'warn', 'info', 'debug'];

/** What JSON leaves as it is and a terminal or a line reader does not: DEL, C1 controls, bidi and format characters. */
const UNQUOTED = /[\x7f-\x9f\p{Cf}\u2028\u2029]/gu;

/** A value as one line of JSON that is harmless on a terminal; what it stands for stays the same. */
export const jsonLine = (value: unknown): string => `${JSON.stringify(value).replace(UNQUOTED, escapes)}\n`;

const escapes = (mark: string): string =>
  mark
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('');

/** Events as JSON lines on `out`, from `least` upwards. */
export const jsonEvents =
  (out: { write: (line: string) => unknown }, least: Level, wallMs: () => number): Emit =>
  (level, event, members = {}) => {
    if (ORDER.indexOf(level) > ORDER.indexOf(least)) return;
    out.write(jsonLine({ at: new Date(wallMs()).toISOString(), level, event, ...members }));
  };
