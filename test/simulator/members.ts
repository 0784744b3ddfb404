import { within } from './gap.ts';
import { type Node, type ObjectNode, type Scalar, type Span, scan } from './scan.ts';

/** A value of a reply and the name it has there. `span` is what stands between the quotes or brackets. */
export interface NamedValue {
  readonly name: string;
  readonly span: Span;
  readonly quoted: boolean;
}

/** One row of a pool list, or the one pool of a flat reply. */
export interface PoolRow {
  readonly slot: number;
  readonly row: Span;
  readonly url?: Scalar;
  readonly user?: Scalar;
  readonly port?: Scalar;
  /** Host connected now. */
  readonly host?: Scalar;
  /** Whether it is mined on now, where port 4028 says so. */
  readonly active?: Scalar;
  /** Members that count rows: `POOL`, `index`, `Priority` … */
  readonly numbers: readonly Scalar[];
}

/** A pool list of a reply. A `flat` one (AxeOS) has its slots as members of one object and cannot grow. */
export interface PoolList {
  readonly flat: boolean;
  readonly rows: readonly PoolRow[];
}

const isScalar = (node: Node | undefined): node is Scalar => node?.kind === 'scalar';

const objectsIn = (node: Node | undefined): readonly ObjectNode[] => {
  if (node === undefined || node.kind === 'scalar') return [];
  if (node.kind === 'array') return node.items.flatMap(objectsIn);
  return [node, ...node.members.flatMap(({ value }) => objectsIn(value))];
};

/** Every value that has a name: members of objects, or in their place the items `Key[value]` of a text (Avalon). */
export const namedValues = (text: string): readonly NamedValue[] =>
  isPlain(text) ? plainItems(text) : objectsIn(scan(text)).flatMap((object) => membersOf(text, object));

const membersOf = (text: string, { members }: ObjectNode): readonly NamedValue[] =>
  members.flatMap(({ key, value }) => {
    if (!isScalar(value)) return [];
    const items = itemsIn(text, value);
    return items.length > 0 ? items : [{ name: key, span: value, quoted: value.quoted }];
  });

/** The plain form of the CGMiner API: `STATUS=S,When=1,Code=22|VERSION,CGMiner=4.11,API=3.7|`. */
export const isPlain = (text: string): boolean => text.startsWith('STATUS=');

/** The sections of its pools, as the rows of a list. */
const plainPools = (text: string): readonly ObjectNode[] =>
  [...text.matchAll(/(?<=\|)POOL=(?:\\.|[^|\\])*/g)].map(({ 0: section, index: start }) => ({
    kind: 'object',
    start,
    end: start + section.length,
    members: plainItems(section).map(({ name, span }) => ({
      key: name,
      value: { kind: 'scalar', quoted: true, start: start + span.start, end: start + span.end },
    })),
  }));

const plainItems = (text: string): readonly NamedValue[] =>
  [...text.matchAll(/([^|,=]+)=((?:\\.|[^|,\\])*)/g)].map((item) => {
    const [, name = '', value = ''] = item;
    const start = item.index + name.length + 1;
    return { name, span: { start, end: start + value.length }, quoted: true };
  });

const itemsIn = (text: string, { start, end, quoted }: Scalar): readonly NamedValue[] => {
  if (!quoted || end - start < 8) return [];
  return [...text.slice(start, end).matchAll(/(\w+)\[([^\]]*)\]/g)].map((item) => {
    const [, name = '', value = ''] = item;
    const from = start + item.index + name.length + 1;
    return { name, span: { start: from, end: from + value.length }, quoted: true };
  });
};

const scalarOf = (row: ObjectNode, names: RegExp): Scalar | undefined => {
  const found = row.members.find(({ key, value }) => names.test(key) && isScalar(value))?.value;
  return isScalar(found) ? found : undefined;
};

const poolRow = (object: ObjectNode, slot: number, prefix = ''): PoolRow => {
  const named = (name: string) => scalarOf(object, new RegExp(`^${prefix}${name}$`));
  // ePIC has a pool with a login; a pool with a user is the one FDMiner mines for its maker.
  const login = named('login');
  const url = named('(URL|url|addr|[sS]tratumURL)') ?? named('host') ?? (login && named('pool'));
  const user = named('(User|user|account|[sS]tratumUser)') ?? login;
  const port = named('(port|[sS]tratumPort)');
  const host = named('Stratum URL');
  const active = named('Stratum Active');
  const counting =
    prefix === ''
      ? object.members.filter(({ key }) => /^(POOL|index|id|no|dragid|Priority|priority|pool-priority)$/.test(key))
      : [];
  return {
    slot,
    row: object,
    ...(url === undefined ? {} : { url }),
    ...(user === undefined ? {} : { user }),
    ...(port === undefined ? {} : { port }),
    ...(host === undefined ? {} : { host }),
    ...(active === undefined ? {} : { active }),
    numbers: counting.map(({ value }) => value).filter(isScalar),
  };
};

/** The three slots of Ebang: `Mip1`, `Mwork1` … */
const numberedRows = (object: ObjectNode): readonly PoolRow[] =>
  [1, 2, 3].map((number) => {
    const url = scalarOf(object, new RegExp(`^Mip${number}$`));
    const user = scalarOf(object, new RegExp(`^Mwork${number}$`));
    const found = { ...(url === undefined ? {} : { url }), ...(user === undefined ? {} : { user }) };
    return { slot: number - 1, row: object, numbers: [], ...found };
  });

/** What ePIC and Ebang say that they are connected to: the pool that is tried first. */
const connectionRows = (object: ObjectNode): readonly PoolRow[] => {
  const url = scalarOf(object, /^(Current Pool|cgminerstatus)$/);
  const user = scalarOf(object, /^Current User$/);
  return url === undefined ? [] : [{ slot: 0, row: object, numbers: [], url, ...(user === undefined ? {} : { user }) }];
};

const hasPool = ({ url, user }: PoolRow): boolean => url !== undefined && user !== undefined;

/** The pool lists of a reply, in the order they stand. */
export const poolLists = (text: string): readonly PoolList[] => {
  const root = isPlain(text) ? undefined : scan(text);
  const lists = isPlain(text) ? listOf(plainPools(text)) : root?.kind === 'array' ? listOf(root.items) : [];
  return (lists.length > 0 ? lists : poolListsIn(root))
    .map((list) => ({ ...list, rows: list.rows.filter((row) => !isMakers(text, row)) }))
    .map((list) => (list.flat ? list : { ...list, rows: blankLast(text, list.rows) }))
    .filter(({ rows }) => rows.length > 0);
};

/** The rows in their order, of which the blank ones have the last numbers: lists of one device may have blanks in other places. */
const blankLast = (text: string, rows: readonly PoolRow[]): readonly PoolRow[] => {
  const isBlank = ({ url }: PoolRow): boolean => url !== undefined && within(text, url).trim() === '';
  const order = [...rows.filter((row) => !isBlank(row)), ...rows.filter(isBlank)];
  return rows.map((row) => ({ ...row, slot: order.indexOf(row) }));
};

/** From here on priorities are those of pools that firmware mines for its maker: nobody entered them. */
const MAKERS_PRIORITY = 900;

const isMakers = (text: string, { numbers, url }: PoolRow): boolean =>
  numbers.some((number) => Number(within(text, number)) >= MAKERS_PRIORITY) ||
  (url !== undefined && within(text, url) === 'DevFee');

const poolListsIn = (node: Node | undefined): readonly PoolList[] => {
  if (node === undefined || node.kind === 'scalar') return [];
  if (node.kind === 'array') return node.items.flatMap(poolListsIn);
  const entered = [poolRow(node, 0), poolRow(node, 1, 'fallback'), ...numberedRows(node)].filter(hasPool);
  const flat = [...entered, ...connectionRows(node)];
  const deeper = node.members.flatMap(({ key, value }) =>
    /^(pools|stratum_?configs)$/i.test(key) && value.kind === 'array' ? listOf(value.items) : poolListsIn(value),
  );
  return flat.length === 0 ? deeper : [{ flat: true, rows: flat }, ...deeper];
};

const listOf = (items: readonly Node[]): readonly PoolList[] => {
  const rows = items
    .filter((item) => item.kind === 'object')
    .map((item, slot) => poolRow(item, slot))
    .filter(hasPool);
  return rows.length === 0 ? [] : [{ flat: false, rows }];
};
