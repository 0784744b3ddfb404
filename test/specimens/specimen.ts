import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { FACTS, type FactName } from '../../shared/facts.ts';

const question = z
  .string()
  .regex(
    /^(cgminer(@[a-z]+)?:[A-Za-z0-9_]+( [a-z_]+)?|http(@[a-z]+)?:(POST )?\/[!-~]*( [ -~]*)?|framed:[a-z._]+( [a-z+-]+)?)$/,
    'cgminer:<command>, http:<path>, http:POST <path> <body>, framed:<command>; @<port> behind the kind where it is another port',
  )
  .describe('a question, as `questionOf` of agent/drivers/driver.ts has it');

const factName = z.enum(Object.keys(FACTS) as [FactName, ...FactName[]]);
// Object.keys gives text; the keys are those of the table.

const reply = z.strictObject({
  file: z.string().optional().describe('file with the exact bytes; without it an empty body'),
  status: z.int().min(100).max(599).default(200).describe('HTTP status'),
  headers: z.record(z.string(), z.string()).default({}).describe('HTTP headers beside Content-Length and Connection'),
  auth: z.boolean().default(false).describe('needs the log-in of the device'),
});

const look = z.strictObject({
  credentials: z.boolean().describe('whether the agent knows the log-in'),
  facts: z.partialRecord(factName, z.unknown()).describe('every fact that is present, firmware.fingerprint apart'),
  readings: z
    .partialRecord(factName, z.string().regex(/^(absent|unknown: (unreachable|timeout|refused|truncated|unreadable))$/))
    .default({}),
});

const account = { user: z.string(), password: z.string() };

/** How the device asks for its log-in. */
const auth = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.enum(['digest', 'basic', 'bearer']), realm: z.string(), ...account }),
  z.strictObject({ kind: z.literal('key'), header: z.string().describe('header that carries the password'), ...account }),
  z.strictObject({
    kind: z.literal('login'),
    ...account,
    request: z.string().describe('the request that opens a session, as `POST <path> <body>` or `GET <path>`'),
    file: z.string().optional().describe('file with the answer to it'),
    headers: z.record(z.string(), z.string()).default({}).describe('headers of the answer to it'),
    opens: z.string().describe('the header line that every further request then carries'),
    denied: z.string().optional().describe('file with the answer to a request without a session; without it 401'),
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
      unanswered: z.string().optional().describe('file for commands that are not listed'),
      only_cmd: z.array(z.string()).default([]).describe('commands that it knows by the key `cmd` only'),
    })
    .prefault({}),
  replies: z.record(question, reply),
};

/** `device.json` of a specimen. */
export const deviceSchema = z.union([
  z.strictObject({ ...common, family: z.string(), expect: z.array(look).min(1) }),
  z.strictObject({ ...common, passive: z.literal(true) }),
]);

export type SpecimenDevice = z.infer<typeof deviceSchema>;

/** A device that exists only here, with the bytes of its replies by file name. */
export interface Specimen {
  /** Folder of the family and of the case: `antminer-stock/s21`. */
  readonly name: string;
  readonly device: SpecimenDevice;
  readonly files: ReadonlyMap<string, Uint8Array>;
}

const root = dirname(fileURLToPath(import.meta.url));

const folders = (path: string): readonly string[] =>
  readdirSync(path, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort();

const loadSpecimen = (name: string): Specimen => {
  const folder = join(root, name);
  const device = deviceSchema.parse(JSON.parse(readFileSync(join(folder, 'device.json'), 'utf8')));
  const ofLogin = device.auth?.kind === 'login' ? [device.auth.file, device.auth.denied] : [];
  const named = [...Object.values(device.replies).map(({ file }) => file), device.cgminer.unanswered, ...ofLogin];
  const files = new Map(
    named.filter((file) => file !== undefined).map((file) => [file, new Uint8Array(readFileSync(join(folder, file)))]),
  );
  return { name, device, files };
};

/** Every specimen, in order of its name. Throws where a folder is wrong, so that none is skipped. */
export const loadSpecimens = (): readonly Specimen[] =>
  folders(root).flatMap((family) => folders(join(root, family)).map((name) => loadSpecimen(`${family}/${name}`)));

/** The realm that a device names where it asks for a log-in by a scheme of HTTP. */
export const realmOf = ({ auth }: SpecimenDevice): string | undefined =>
  auth !== undefined && 'realm' in auth ? auth.realm : undefined;

/** Whether a device knows a command where it is asked for by this key. */
export const knowsBy = ({ cgminer }: SpecimenDevice, command: string, key: 'command' | 'cmd'): boolean =>
  key === 'cmd' || !cgminer.only_cmd.includes(command);

/** The bytes of the reply to a question, where the specimen has one. */
export const replyBytes = (specimen: Specimen, questionAsked: string): Uint8Array | undefined => {
  const listed = specimen.device.replies[questionAsked];
  if (listed === undefined) return undefined;
  return listed.file === undefined ? new Uint8Array() : specimen.files.get(listed.file);
};
