import type { Facts } from '../../shared/facts.ts';

/** Values that firmware gives where it knows none. They identify nothing and are treated as not read. */

const NO_SERIAL = /^(?:unknown|unkown|n\/?a|none|null|undefined|default|not? set|to be filled.*|[0fx?.-]+)$/i;

/** Addresses of boards whose own was never programmed: all equal, all-ones, and the maker's of the controller chip. */
const NO_MAC = /^(?:00:00:00:00:00:00|ff:ff:ff:ff:ff:ff|00:0a:35:00:00:00)$/i;

/** Whether a text names one machine or part, as far as its spelling tells. */
export const isSerial = (text: string | undefined): text is string =>
  text !== undefined && text.trim() !== '' && !NO_SERIAL.test(text.trim());

/** Whether a hardware address belongs to one machine. */
export const isMac = (text: string | undefined): text is string => text !== undefined && !NO_MAC.test(text);

/** All serials of a set, or none: a board that has not answered yet must not look like a missing one. */
const areSerials = (list: readonly string[] | undefined): list is readonly string[] =>
  list !== undefined && list.length > 0 && list.every(isSerial);

/** A miner without a hash rate and without pools on both surfaces may truly have none; any other empty list was not read. */
const emptyPools = ({ pools, live_pools, 'telemetry.hashrate_hs': hashrate }: Facts): boolean =>
  pools?.length === 0 && !(live_pools?.length === 0 && hashrate === 0);

const isEmptyList = (value: unknown): boolean => Array.isArray(value) && value.length === 0;

/** Lists that a device may truly have with nothing in them: of those of its maker that is an answer. */
const MAY_BE_EMPTY: ReadonlySet<string> = new Set(['pools', 'live_pools', 'fee_pools']);

/** The facts without placeholders, and without other lists that hold nothing: those were not read. */
export const believable = (facts: Facts): Facts => {
  const { 'identity.serial': serial, 'identity.mac': mac, 'identity.hashboards': boards } = facts;
  const drop = (Object.keys(facts) as (keyof Facts)[]).filter(
    (name) => isEmptyList(facts[name]) && !MAY_BE_EMPTY.has(name),
  );
  if (serial !== undefined && !isSerial(serial)) drop.push('identity.serial');
  if (mac !== undefined && !isMac(mac)) drop.push('identity.mac');
  if (boards !== undefined && !areSerials(boards)) drop.push('identity.hashboards');
  if (emptyPools(facts)) drop.push('pools');
  if (drop.length === 0) return facts;
  return Object.fromEntries(Object.entries(facts).filter(([name]) => !drop.includes(name as keyof Facts))) as Facts;
};
