import { code, generatedFrom, markdownTable, page, prose } from './markdown.ts';

/** The members of a JSON Schema, as zod writes it, that the page speaks of. */
interface Schema {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly string[];
  readonly pattern?: string;
  readonly format?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly required?: readonly string[];
  readonly properties?: { readonly [name: string]: Schema };
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
}

/** `docs/configuration.md`: every setting with type, default and meaning. */
export const configurationPage = (schema: object): string => {
  // The schema is the one zod makes of the configuration.
  const root = schema as Schema;
  const [groups, plain] = parted(Object.entries(root.properties ?? {}));
  return page(
    generatedFrom('agent/config/schema.ts'),
    '# Configuration',
    INTRODUCTION,
    '## Top level',
    settingsTable(rowsOf(Object.fromEntries(plain), root.required ?? [], '')),
    ...groups.flatMap(([name, group]) => section(name, group)),
  );
};

const INTRODUCTION = [
  'One YAML file, `assayer.yaml` unless `-c` names another. `assayer init` writes a commented one, and',
  '`assayer check-config` checks it without starting anything. A setting that is not in these tables is an error that',
  'names the line and the nearest setting there is. Units are part of the names: `_s` seconds, `_ms` milliseconds.',
  '',
  'Paths are relative to the folder of the file. A password is never in the file: `password_file` names a file that holds',
  'it, `password_env` an environment variable; one of the two, not both.',
  '',
  'SIGHUP makes a running agent read the file again, and the other files that it names. A wrong file changes nothing and is',
  'reported; `gateway`, `operator` and `state_dir` need a restart.',
  '',
  '`config_sha256` of the `session` entries is the SHA-256 of the file. Where it names other files it is the SHA-256 of the',
  'digests of all, 32 bytes each, the file first, then the drivers in the order of `drivers`, then `firmware.file`:',
  '`for f in assayer.yaml acme.yaml; do openssl dgst -sha256 -binary $f; done | openssl dgst -sha256`.',
  '',
  'For completion in an editor, put this in the first line of the file:',
  '`# yaml-language-server: $schema=<path to>/assayer.schema.json` ([the schema](assayer.schema.json), also printed by',
  '`assayer check-config --schema`).',
].join('\n');

type Named = readonly [string, Schema];

/** Settings that hold settings, and those that hold a value. */
const parted = (settings: readonly Named[]): readonly [readonly Named[], readonly Named[]] => [
  settings.filter(([, setting]) => isGroup(setting)),
  settings.filter(([, setting]) => !isGroup(setting)),
];

const isGroup = (schema: Schema): boolean =>
  schema.properties !== undefined || schema.items?.anyOf !== undefined || entryOf(schema)?.properties !== undefined;

const section = (name: string, group: Schema): readonly string[] => {
  const head = [`## ${code(name)}`, ...(group.description === undefined ? [] : [sentence(prose(group.description))])];
  const forms = group.items?.anyOf;
  if (forms !== undefined) {
    return [...head, `A list. An entry takes one of these forms.`, ...forms.flatMap((form) => formOf(name, form))];
  }
  const entry = entryOf(group);
  const inside = entry ?? group;
  const path = entry === undefined ? `${name}.` : `${name}.<name>.`;
  return [...head, settingsTable(rowsOf(inside.properties ?? {}, inside.required ?? [], path))];
};

const formOf = (name: string, form: Schema): readonly string[] => {
  const [kind = ''] = form.required ?? [];
  return [
    `### An entry with ${code(kind)}`,
    settingsTable(rowsOf(form.properties ?? {}, form.required ?? [], `${name}[].`)),
  ];
};

const settingsTable = (rows: readonly (readonly string[])[]): string =>
  markdownTable(['Setting', 'Value', 'Default', 'Meaning'], rows);

const rowsOf = (
  settings: { readonly [name: string]: Schema },
  required: readonly string[],
  path: string,
): readonly (readonly string[])[] =>
  Object.entries(settings).flatMap(([name, setting]) => {
    const own = [
      code(`${path}${name}`),
      kindOf(setting),
      required.includes(name) ? 'required' : defaultOf(setting),
      prose(setting.description ?? ''),
    ];
    if (setting.properties !== undefined) {
      return rowsOf(setting.properties, setting.required ?? [], `${path}${name}.`);
    }
    const named = entryOf(setting);
    return [
      own,
      ...rowsOf(setting.items?.properties ?? {}, setting.items?.required ?? [], `${path}${name}[].`),
      ...rowsOf(named?.properties ?? {}, named?.required ?? [], `${path}${name}.<name>.`),
    ];
  });

/** What stands under each name, where an operator chooses the names. */
const entryOf = ({ additionalProperties }: Schema): Schema | undefined =>
  typeof additionalProperties === 'object' ? additionalProperties : undefined;

const kindOf = (schema: Schema): string => {
  if (schema.enum !== undefined) return schema.enum.map(code).join(', ');
  if (schema.format === 'date-time') return 'time with zone, like `2026-12-01T00:00:00Z`';
  switch (schema.type) {
    case 'integer':
      return `${schema.minimum} to ${schema.maximum}`;
    case 'boolean':
      return '`true`, `false`';
    case 'array':
      return `list${schema.items?.properties === undefined ? ` of ${kindOf(schema.items ?? {})}` : ''}`;
    case 'object':
      return `names with ${entriesOf(entryOf(schema) ?? {})}`;
    default:
      return schema.pattern === undefined ? 'text' : `text like ${code(schema.pattern)}`;
  }
};

const entriesOf = (entry: Schema): string => {
  if (entry.properties !== undefined) return 'settings';
  return entry.type === 'array' ? `lists of ${kindOf(entry.items ?? {})}` : 'texts';
};

const defaultOf = ({ default: value }: Schema): string =>
  value === undefined || JSON.stringify(value) === '{}' || JSON.stringify(value) === '[]'
    ? 'none'
    : code(typeof value === 'string' ? value : JSON.stringify(value));

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
