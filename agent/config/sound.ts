import type { z } from 'zod';
import { type Issue, leavesOf } from './problems.ts';
import { type Config, configSchema } from './schema.ts';

/** What is left of a configuration without what its schema refuses, so that the rest can be looked at all the same. */
export interface Sound {
  readonly config: Config;
  readonly written: z.input<typeof configSchema>;
  /** Whether what is found wrong with this setting would be so with the file as it was meant. */
  readonly isSound: (path: Path) => boolean;
}

type Path = readonly PropertyKey[];

/** What stands in for a device, and for the settings that no file goes without. Of these nothing is told. */
const DEVICE = { host: '192.0.2.1' };
const STAND_INS: { readonly [setting: string]: unknown } = {
  gateway: 'gateway',
  operator: 'operator.example',
  state_dir: '.',
  devices: [DEVICE],
};

/** The value of a file without the settings that the schema refuses; undefined where nothing is left of it. */
export const withoutWrong = (value: unknown): Sound | undefined => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const written = unshared(value);
  if (written === undefined) return undefined;
  const gone: Path[] = [];
  for (;;) {
    const checked = configSchema.safeParse(written);
    if (checked.success) return { config: checked.data, written, isSound: (path) => isApart(path, gone) };
    const before = JSON.stringify(written);
    for (const path of leavesOf(checked.error.issues).flatMap(wrongIn)) gone.push(leaveOut(written, path));
    if (JSON.stringify(written) === before) return undefined;
  }
};

/** A copy in which what the file has by alias in several places is several objects; undefined where one holds itself. */
const unshared = (value: object) => {
  try {
    return JSON.parse(JSON.stringify(value));
  } catch {
    return undefined;
  }
};

const wrongIn = (issue: Issue): readonly Path[] =>
  issue.code === 'unrecognized_keys' ? issue.keys.map((key) => [...issue.path, key]) : [issue.path];

/** Leaves out the setting, or, where it is missing or one of a list, what holds it. Gives the path of what was left out. */
const leaveOut = (root: Members, path: Path): Path => {
  const name = path.at(-1);
  if (name === undefined) return path;
  const holder = path.slice(0, -1).reduce<unknown>((inner, key) => (inner as Members | undefined)?.[String(key)], root);
  if (Array.isArray(holder) && path[0] === 'devices' && path.length === 2) {
    holder[Number(name)] = { ...DEVICE };
    return path;
  }
  const isMember = typeof holder === 'object' && holder !== null && !Array.isArray(holder);
  if (!isMember || !Object.hasOwn(holder, name)) {
    if (path.length > 1) return leaveOut(root, path.slice(0, -1));
    if (Object.hasOwn(STAND_INS, name)) root[String(name)] = structuredClone(STAND_INS[String(name)]);
    return path;
  }
  delete (holder as Members)[String(name)];
  return path;
};

type Members = { [name: string]: unknown };

/** A setting that was left out may have been what makes the others of its entry right; sections and entries stand for themselves. */
const isApart = (path: Path, gone: readonly Path[]): boolean =>
  !gone.some((left) => restsOn(path).some((section) => section === left[0]) || isNear(path, left));

const isNear = (path: Path, left: Path): boolean => {
  const isOfEntry = (left.length > 2 || left[0] === 'mqtt') && !isAlone(path);
  return begins(path, left) || begins(isOfEntry ? left.slice(0, -1) : left, path);
};

/** The URL of a line of a list of pools is right or wrong whatever else the line says. */
const isAlone = (path: Path): boolean => path.at(-1) === 'url' && path.at(-3) === 'allow';

const begins = (start: Path, path: Path): boolean => start.every((key, at) => path[at] === key);

/** Other sections of the file without which nobody can say whether this setting is right. */
const restsOn = (path: Path): readonly string[] => {
  const [section, , third] = path;
  switch (path.at(-1)) {
    case 'credentials':
      return section === 'devices' ? ['credentials'] : [];
    case 'tenant':
      return ['tenants'];
    case 'user':
      return section === 'pools' || section === 'tenants' ? ['labels', 'devices', 'tenants'] : [];
    default:
      return section === 'tenants' && third === 'devices' ? ['labels', 'devices'] : [];
  }
};
