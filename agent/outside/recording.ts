import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { FACTS, type FactName } from '../../shared/facts.ts';
import { AgentError } from '../platform/errors.ts';

/** Recorded replies of a device: a folder with `device.json` and the reply files that it names. */

/** Why a reply is not in a recording. */
const LEFT_OUT = ['unreachable', 'timeout', 'refused', 'truncated', 'unreadable'] as const;

export type LeftOut = (typeof LEFT_OUT)[number];

/** What `device.json` may hold; made when it is first needed. The specimens of the tests are made of the same parts. */
export const recordingParts = () => {
  const question = z
    .string()
    .regex(
      /^(cgminer(@[a-z]+)?:[A-Za-z0-9_]+( [a-z_]+)?|http(@[a-z]+)?:(POST )?\/[!-~]*( [ -~]*)?|framed:[a-z._]+( [a-z+-]+)?|grpc:[A-Za-z0-9_.]+\/[A-Za-z0-9_]+)$/,
      'cgminer:<command>, http:<path>, http:POST <path> <body>, framed:<command>, grpc:<package>.<Service>/<Method>; @<port> behind the kind where it is another port',
    )
    .describe('a question, as `questionOf` of agent/drivers/driver.ts has it');

  const factName = z.enum(Object.keys(FACTS) as [FactName, ...FactName[]]);
  // Object.keys gives text; the keys are those of the table.

  const file = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/, 'a file beside device.json');

  const reply = z.strictObject({
    file: file.optional().describe('file with the exact bytes; without it an empty body'),
    status: z.int().min(100).max(599).default(200).describe('HTTP status'),
    headers: z.record(z.string(), z.string()).default({}).describe('HTTP headers beside Content-Length and Connection'),
    auth: z.boolean().default(false).describe('needs the log-in of the device'),
  });

  const look = z.strictObject({
    credentials: z.boolean().describe('whether the agent knows the log-in'),
    facts: z.partialRecord(factName, z.unknown()).describe('every fact that is present, firmware.fingerprint apart'),
    readings: z
      .partialRecord(
        factName,
        z.string().regex(/^(absent|unknown: (unreachable|timeout|refused|truncated|unreadable))$/),
      )
      .default({}),
  });

  const account = { user: z.string(), password: z.string() };

  /** How the device asks for its log-in. */
  const auth = z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.enum(['digest', 'basic', 'bearer']), realm: z.string(), ...account }),
    z.strictObject({
      kind: z.literal('key'),
      header: z.string().describe('header that carries the password'),
      ...account,
    }),
    z.strictObject({
      kind: z.literal('grpc-login'),
      ...account,
      method: z.string().describe('the call that opens a session, as `<package>.<Service>/<Method>`'),
      token: z.string().describe('what the session is'),
      told: z
        .enum(['metadata', 'field'])
        .describe('whether the token comes in the metadata or in field 1 of the answer'),
    }),
    z.strictObject({
      kind: z.literal('login'),
      ...account,
      request: z.string().describe('the request that opens a session, as `POST <path> <body>` or `GET <path>`'),
      file: file.optional().describe('file with the answer to it'),
      headers: z.record(z.string(), z.string()).default({}).describe('headers of the answer to it'),
      opens: z.string().describe('the header line that every further request then carries'),
      denied: file.optional().describe('file with the answer to a request without a session; without it 401'),
    }),
  ]);

  const common = {
    title: z.string(),
    model: z.string().describe('for people'),
    quirks: z.array(z.string()).default([]).describe('what this specimen is there to show'),
    auth: auth.optional(),
    cgminer: z
      .strictObject({
        ending: z.enum(['nul', 'newline', 'none']).default('nul'),
        unanswered: file.optional().describe('file for commands that are not listed'),
        only_cmd: z.array(z.string()).default([]).describe('commands that it knows by the key `cmd` only'),
      })
      .prefault({}),
    replies: z.record(question, reply),
    left_out: z
      .record(question, z.enum(LEFT_OUT))
      .default({})
      .describe('questions whose reply was not kept, with what the agent makes of that'),
  };
  return { common, look };
};

const build = () => {
  const { common, look } = recordingParts();
  return z.strictObject({
    ...common,
    family: z.string().optional().describe('id of the family; without it that of driver.yaml'),
    passive: z.literal(true).optional(),
    expect: z.array(look).default([]).describe('what a full look gives'),
  });
};

type DeviceSchema = ReturnType<typeof build>;

/** `device.json` after validation. */
export type RecordedDevice = z.infer<DeviceSchema>;

/** What a device of a recording answers. */
export interface Recording {
  readonly device: Pick<RecordedDevice, 'auth' | 'cgminer' | 'replies' | 'left_out'>;
  /** The bytes of the reply files, by name. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/** Larger than any `device.json`, bytes. */
const LARGEST_DEVICE = 4_194_304;

/** The largest reply that the agent can be told to read, bytes. */
const LARGEST_REPLY = 16_777_216;

/** Reads a folder of recorded replies. Throws `driver.folder` for what is missing or wrong in it. */
export const readRecording = (folder: string): Recording & { readonly device: RecordedDevice } => {
  const file = join(folder, 'device.json');
  const checked = build().safeParse(jsonIn(file));
  if (!checked.success) {
    const { path = [], message } = checked.error.issues[0] ?? { message: 'not what it should be' };
    throw folderError(`${file}: ${path.join('.')}: ${message}`, 'docs/write-a-driver.md says what may stand there');
  }
  const device = checked.data;
  return { device, files: new Map(filesOf(device).map((name) => [name, bytesOf(join(folder, name), LARGEST_REPLY)])) };
};

/** The names of all reply files. */
export const filesOf = ({ replies, cgminer, auth }: Recording['device']): readonly string[] => {
  const ofLogin = auth?.kind === 'login' ? [auth.file, auth.denied] : [];
  const named = [...Object.values(replies).map(({ file }) => file), cgminer.unanswered, ...ofLogin];
  return named.filter((name) => name !== undefined);
};

const jsonIn = (file: string): unknown => {
  const text = new TextDecoder().decode(bytesOf(file, LARGEST_DEVICE));
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw folderError(
      `${file} is no JSON: ${(cause as Error).message}`,
      'correct it, or record the device anew',
      cause,
    );
  }
};

const bytesOf = (file: string, largest: number): Uint8Array => {
  try {
    // Before it is opened: reading a pipe or a device would wait, or never end.
    const stats = statSync(file);
    if (!stats.isFile() || stats.size > largest)
      throw folderError(`${file} is no regular file, or is too large`, 'name a folder that `assayer record` made');
    return new Uint8Array(readFileSync(file));
  } catch (cause) {
    if (cause instanceof AgentError) throw cause;
    const { code } = cause as NodeJS.ErrnoException;
    throw folderError(`cannot read ${file}: ${code}`, 'name a folder that `assayer record` made', cause);
  }
};

const folderError = (message: string, remedy: string, cause?: unknown): AgentError =>
  new AgentError({ code: 'driver.folder', message, remedy, cause });
