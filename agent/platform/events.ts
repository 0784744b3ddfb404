/** A log line is JSON on stderr; it is not evidence. `error` needs a person, `warn` is retried, `info` is a change of state. */
export type Level = 'error' | 'warn' | 'info' | 'debug';

/** Writes one event. `event` is `area.problem`; foreign text goes into members, never into the code. No credential may be passed. */
export type Emit = (level: Level, event: string, members?: { readonly [name: string]: unknown }) => void;

const ORDER: readonly Level[] = ['error', 'warn', 'info', 'debug'];

/** Events as JSON lines on `out`, from `least` upwards. JSON quoting keeps foreign text on its line. */
export const jsonEvents =
  (out: { write: (line: string) => unknown }, least: Level, wallMs: () => number): Emit =>
  (level, event, members = {}) => {
    if (ORDER.indexOf(level) > ORDER.indexOf(least)) return;
    out.write(`${JSON.stringify({ at: new Date(wallMs()).toISOString(), level, event, ...members })}\n`);
  };
