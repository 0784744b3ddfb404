type Json = { readonly [name: string]: unknown } | readonly unknown[];

const isJson = (value: unknown): value is Json => typeof value === 'object' && value !== null;

/** Where in a JSON value: names of members and numbers of items. */
export type Path = readonly (string | number)[];

/** What stands at a path; undefined where nothing does. */
export const valueAt = (value: unknown, [name, ...rest]: Path): unknown => {
  if (name === undefined) return value;
  return isJson(value) ? valueAt((value as { readonly [name: string]: unknown })[name], rest) : undefined;
};

/** A copy with something else at a path; undefined takes the member away. */
export const changed = (value: unknown, [name, ...rest]: Path, to: unknown): unknown => {
  if (name === undefined) return to;
  if (!isJson(value)) throw new Error(`nothing is inside ${JSON.stringify(value)}`);
  const copy: { [name: string]: unknown } = Array.isArray(value) ? (Object.assign([], value) as never) : { ...value };
  const inside = changed(copy[name], rest, to);
  if (inside === undefined) delete copy[name];
  else copy[name] = inside;
  return copy;
};

/** Every path in a JSON value, the inner ones after those around them. */
const pathsOf = (value: unknown, path: Path = []): readonly Path[] => [
  path,
  ...(isJson(value)
    ? Object.entries(value).flatMap(([name, inner]) =>
        pathsOf(inner, [...path, Array.isArray(value) ? Number(name) : name]),
      )
    : []),
];

const OTHERS: readonly unknown[] = [null, 'Xx', '', -1, 1.5, 2 ** 53, true, {}, [], { zz: 1 }];

/** Copies with one thing changed each: a member gone or something else in its place, a member that nobody knows. */
export function* mutationsOf(value: unknown): Generator<{ readonly path: Path; readonly value: unknown }> {
  for (const path of pathsOf(value)) {
    const inside = valueAt(value, path);
    for (const other of OTHERS) yield { path, value: changed(value, path, other) };
    if (typeof path.at(-1) === 'string') yield { path, value: changed(value, path, undefined) };
    if (isJson(inside) && !Array.isArray(inside))
      yield { path: [...path, 'zz'], value: changed(value, [...path, 'zz'], 1) };
    if (Array.isArray(inside)) yield { path: [...path, inside.length], value: changed(value, path, [...inside, 'Xx']) };
  }
}
