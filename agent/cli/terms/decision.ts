import type { ControlRequest } from '../../platform/control.ts';
import { AgentError } from '../../platform/errors.ts';
import { confirmed } from '../ask.ts';
import { type Io, printable } from '../io.ts';

/** Options of the verbs with which a person decides something that the log states: what is accepted, in force, or ended. */
export interface DecisionOptions {
  readonly config: string;
  readonly by?: string;
  readonly breakGlass?: boolean;
  readonly note?: string;
  readonly yes?: boolean;
  readonly json?: boolean;
}

/** The emergency is meant and explained, or there is none. */
export const emergencyOf = (
  { breakGlass, note }: Pick<DecisionOptions, 'breakGlass' | 'note'>,
  by: string,
): Pick<Extract<ControlRequest, { do: 'adopt' }>, 'break_glass'> => {
  if (breakGlass !== true) return {};
  if (note !== undefined && note.trim() !== '') return { break_glass: { by, note } };
  throw new AgentError({
    code: 'usage.note',
    message: '--break-glass needs a reason',
    remedy: 'say why with --note: it goes into the log with your name',
  });
};

/** Shows what follows, and whether the person wants that. Where the result is printed as JSON, it is shown on stderr. */
export const isWanted = (
  lines: readonly string[],
  { question, done }: { readonly question: string; readonly done: string },
  { yes, json }: Pick<DecisionOptions, 'yes' | 'json'>,
  io: Io,
): Promise<boolean> => {
  (json ? io.err : io.out).write(lines.map((line) => `${printable(line)}\n`).join(''));
  return confirmed(question, { yes, done }, io);
};
