import type { z } from 'zod';

/** What is said of a schema, or of the one inside its default. */
export const meaningOf = (schema: z.ZodType | undefined): string | undefined =>
  schema === undefined
    ? undefined
    : (schema.meta()?.description ?? meaningOf((schema.def as SchemaDefinition).innerType));

/** The schema behind a path of the file, through defaults, lists, records and the forms of an entry. */
export const schemaAt = (root: z.ZodType, path: readonly PropertyKey[]): z.ZodType | undefined =>
  path.reduce<z.ZodType | undefined>((schema, key) => (schema === undefined ? undefined : step(schema, key)), root);

const step = (schema: z.ZodType, key: PropertyKey): z.ZodType | undefined => {
  const definition = unwrapped(schema).def as SchemaDefinition;
  if (definition.type === 'object') return definition.shape?.[String(key)];
  if (definition.type === 'array') return definition.element;
  if (definition.type === 'record') return definition.valueType;
  if (definition.type === 'union')
    return definition.options?.map((option) => step(option, key)).find((inner) => inner !== undefined);
  return undefined;
};

/** The members of a zod 4 definition that this file reads; zod documents `def` as the way to look inside a schema. */
interface SchemaDefinition {
  readonly type: string;
  readonly shape?: { readonly [key: string]: z.ZodType };
  readonly element?: z.ZodType;
  readonly valueType?: z.ZodType;
  readonly innerType?: z.ZodType;
  readonly options?: readonly z.ZodType[];
}

/** The schema inside its default. */
export const unwrapped = (schema: z.ZodType): z.ZodType => {
  const inner = (schema.def as SchemaDefinition).innerType;
  return inner === undefined ? schema : unwrapped(inner);
};

/** The settings that may stand there, in whatever form. */
export const knownKeys = (schema: z.ZodType | undefined): readonly string[] => {
  if (schema === undefined) return [];
  const definition = unwrapped(schema).def as SchemaDefinition;
  if (definition.type === 'union') return [...new Set(definition.options?.flatMap((option) => knownKeys(option)))];
  return Object.keys(definition.shape ?? {});
};
