import { isDeepStrictEqual } from 'node:util';
import { parseRange } from '../schedule/range.ts';
import type { Contradiction } from './meaning.ts';
import type { Config } from './schema.ts';

type Entry = Extract<Config['devices'][number], { range: string }>;

/** A range, and where it stands under `devices`. */
interface Placed {
  readonly entry: Entry;
  readonly index: number;
}

/**
 * Ranges with addresses that an earlier one has, which says otherwise what is there: the earlier one holds, and nobody sees that the later
 * one does not. A `host` holds wherever it stands: that is how one machine of a range is named. Each address is looked at once for each
 * range that has it.
 */
export const shadowedRanges = ({ devices }: Pick<Config, 'devices'>): readonly Omit<Contradiction, 'path'>[] => {
  const hosts = new Set(devices.flatMap((entry) => ('host' in entry ? [entry.host] : [])));
  const holders = new Map<string, Placed>();
  return devices.flatMap((entry, index) => {
    if (!('range' in entry)) return [];
    const placed = { entry, index };
    const range = parseRange(entry.range);
    if (range.kind === 'bad') return [];
    const lost = new Map<Placed, number>();
    for (const address of range.addresses) {
      if (hosts.has(address)) continue;
      const holder = holders.getOrInsert(address, placed);
      if (holder !== placed) lost.set(holder, (lost.get(holder) ?? 0) + 1);
    }
    return shadowed(placed, lost);
  });
};

/** One warning for a range, about the first entry that takes addresses from it and differs, or one range over many would give one for each. */
const shadowed = (later: Placed, lost: ReadonlyMap<Placed, number>): readonly Omit<Contradiction, 'path'>[] => {
  const differing = [...lost].filter(([holder]) => differences(holder.entry, later.entry).length > 0);
  const [first] = differing;
  if (first === undefined) return [];
  const [holder, count] = first;
  const others = differing.length - 1;
  const further = others === 0 ? '' : ` (so ${others === 1 ? 'does another entry' : `do ${others} more`})`;
  const what = differences(holder.entry, later.entry).join(' and ');
  return [
    {
      message: `${nameOf(holder)} stands before ${nameOf(later)} and holds for ${count} address${count === 1 ? '' : 'es'} of it${further}: the ${what} of ${nameOf(later)} do not count there`,
      remedy:
        'let no two ranges have the same address, written first-last if need be; as long as they do, put the entry first that is to hold. One machine is named by a host entry, which holds wherever it stands',
    },
  ];
};

const nameOf = ({ entry, index }: Placed): string => `devices[${index}] (range ${entry.range})`;

const differences = (one: Entry, other: Entry): readonly string[] =>
  (['labels', 'credentials', 'ports'] as const).filter((name) => !isDeepStrictEqual(one[name], other[name]));
