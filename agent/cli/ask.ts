import { userInfo } from 'node:os';
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { AgentError } from '../platform/errors.ts';
import { EXIT, type Io, setExit } from './io.ts';

/** What a verb asks a person on the terminal. */

/** What a verb that asks has to be told: that it need not, and how it says that nothing was done. */
interface Confirmation {
  /** `--yes`. */
  readonly yes?: boolean | undefined;
  /** A past participle: nothing was …. */
  readonly done: string;
}

/**
 * Whether a person agrees to what was shown, or said so beforehand. Ctrl-C and the end of the input are a no: that nothing was done
 * is told, and the verb ends with 1. Throws `usage.confirmation` without a terminal.
 */
export const confirmed = async (question: string, { yes, done }: Confirmation, io: Io): Promise<boolean> => {
  if (yes === true || (await agreed(question, io))) return true;
  io.err.write(`nothing was ${done}\n`);
  setExit(EXIT.failed);
  return false;
};

const agreed = async (question: string, io: Io): Promise<boolean> => {
  if (io.input.isTTY !== true) {
    throw new AgentError({
      code: 'usage.confirmation',
      message: 'there is no terminal to confirm on',
      remedy: 'look at what is shown above, then repeat with --yes',
    });
  }
  const { answer } = await oneLine(io, `${question} [y/N] `, process.stderr);
  return /^y(es)?$/i.test(answer?.trim() ?? '');
};

/** What a person types, without echo. Throws `usage.passphrase` without a terminal or an answer, `usage.interrupted` after Ctrl-C. */
export const askHidden = async (prompt: string, io: Io): Promise<string> => {
  if (io.input.isTTY !== true) {
    throw new AgentError({
      code: 'usage.passphrase',
      message: 'there is no terminal to ask for the passphrase on',
      remedy: 'name a file with --passphrase-file, or an environment variable with --passphrase-env',
    });
  }
  io.err.write(prompt);
  const { answer, interrupted } = await oneLine(io, '', nowhere());
  io.err.write('\n');
  if (answer !== undefined) return answer;
  if (interrupted) throw gaveUp();
  throw new AgentError({ code: 'usage.passphrase', message: 'no passphrase was given', remedy: 'run it again' });
};

/** Takes what the line editor would echo. */
const nowhere = (): Writable => new Writable({ write: (_chunk, _encoding, done) => done() });

/** The person knows it: `main.ts` ends without a word, as a shell expects it. */
const gaveUp = (): AgentError =>
  new AgentError({ code: 'usage.interrupted', message: 'interrupted', remedy: 'run it again' });

interface Typed {
  /** Undefined after Ctrl-C or Ctrl-D. */
  readonly answer?: string;
  readonly interrupted: boolean;
}

/** One line. */
const oneLine = async (io: Io, prompt: string, output: NodeJS.WritableStream): Promise<Typed> => {
  const lines = createInterface({ input: io.input, output, terminal: true, historySize: 0 });
  try {
    return await new Promise<Typed>((resolve) => {
      lines.once('SIGINT', () => resolve({ interrupted: true })).once('close', () => resolve({ interrupted: false }));
      lines.question(prompt).then(
        (answer) => resolve({ answer, interrupted: false }),
        () => resolve({ interrupted: false }),
      );
    });
  } finally {
    lines.close();
  }
};

/** The account of this process; in a bare container it may have no name, only a number. */
export const accountName = (): string => {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.()}`;
  }
};
