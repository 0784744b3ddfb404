/** What the store of a collector needs of a database. SQL is what SQLite and PostgreSQL both read; `?` stands for a value. */

export type Value = string | number | Uint8Array | null;
export type Row = { readonly [column: string]: unknown };

/** One statement for any number of rows: `before`, a `row` for each, `after`. */
export interface Write {
  readonly before: string;
  readonly row: string;
  readonly after: string;
  readonly rows: readonly (readonly Value[])[];
  /** Every row has to be written, otherwise somebody else was here: `StoreConflict`, and nothing of the transaction stays. */
  readonly isCompared?: true;
}

type Awaitable<Result> = Result | Promise<Result>;

export interface Database extends AsyncDisposable {
  readonly all: (sql: string, values?: readonly Value[]) => Awaitable<readonly Row[]>;
  /** One transaction, durable when it returns. */
  readonly write: (writes: readonly Write[]) => Awaitable<void>;
  /** Throws `store.replaced` where what was written went with a file that is not there any more. */
  readonly requireThere?: () => void;
}

/** `INSERT` of rows; `after` says what becomes of one that is there. */
export const insertion = (
  table: string,
  columns: readonly string[],
  rows: readonly (readonly Value[])[],
  after = '',
): Write => ({
  before: `INSERT INTO ${table} (${columns.join(', ')}) VALUES `,
  row: `(${columns.map(() => '?').join(', ')})`,
  after,
  rows,
});

/** `ON CONFLICT` that replaces everything but the key. */
export const replacing = (key: readonly string[], columns: readonly string[], where = ''): string => {
  const rest = columns.filter((column) => !key.includes(column));
  return ` ON CONFLICT (${key.join(', ')}) DO UPDATE SET ${rest.map((column) => `${column} = excluded.${column}`).join(', ')}${where}`;
};

export const text = (value: unknown): string => {
  if (typeof value !== 'string') throw new TypeError('a text was expected in the store');
  return value;
};

/** PostgreSQL hands 64-bit integers over as texts. */
export const integer = (value: unknown): number => {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw new TypeError('an integer was expected in the store');
  return number;
};

export const bytes = (value: unknown): Uint8Array => {
  if (!(value instanceof Uint8Array)) throw new TypeError('bytes were expected in the store');
  return value;
};
