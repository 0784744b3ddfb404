import type { Facts, PoolSlot } from '../../shared/facts.ts';
import { accountOf } from '../../shared/pool-user.ts';
import { tellsKey } from '../baseline/compared.ts';
import { keptFacts } from '../baseline/kept.ts';
import { holderOf } from '../baseline/reference.ts';
import { digestOfList, isListed, isListedProxy } from './allow.ts';
import type { DeviceState } from './device.ts';
import { endpointText, ownerText, withoutPath } from './pool-url.ts';
import type { Deviation, RuleContext } from './rule.ts';
import { filledSlots, slotValue } from './slots.ts';
import type { LookContext } from './verdict.ts';

/**
 * A device that stands where another one stood, or shows what that one showed, is not taken at its word: who can change
 * a pool can change serials, too. Until its own reference holds pools, and for whom, it is held against those of the other one.
 */
export type Replaced = NonNullable<DeviceState['replaces']>;

/** What a device that comes after this one is held against: what this one is itself held against, else its own pools. */
export const replacedBy = (state: DeviceState): Replaced | undefined => {
  if (isHeld(state)) return state.replaces;
  const { pools } = keptFacts(state.reference?.facts);
  const { allow } = state.attested ?? {};
  return pools === undefined ? undefined : { device: state.id, pools, ...(allow === undefined ? {} : { allow }) };
};

/**
 * Whether its pools are still to be held against those of another device: a new one is until it has pools of its own, a known one
 * that took the place of another until that one showed elsewhere, or a person answered it.
 */
export const isHeld = (state: DeviceState): boolean =>
  state.replaces !== undefined && (isTaker(state) || !hasOwnPools(state, state.replaces));

/**
 * Whether the reference of the device says for whom it works. Pools without a user, where the device before told one, do not
 * until people approved them: the account would be learned, whoever's it is, as soon as it shows.
 */
const hasOwnPools = ({ reference }: DeviceState, replaces: Replaced): boolean => {
  const { pools } = keptFacts(reference?.facts);
  if (pools === undefined) return false;
  const { approval = 'none' } = holderOf(reference?.entries ?? [], 'pools') ?? {};
  return approval !== 'none' || !hidesUsers(replaces, pools);
};

/** Whether it was known before it took the place of another one. */
export const isTaker = ({ replaces }: Pick<DeviceState, 'replaces'>): boolean => replaces?.sinceMs !== undefined;

/** The pools that a person is shown as those before: where it was found to work for somebody else than the other one, those of that one. */
export const poolsBefore = ({ replaces, tracks }: DeviceState): Pick<Facts, 'pools'> =>
  replaces !== undefined && tracks.some(({ finding }) => finding.state !== 'provisional' && isStrange(finding))
    ? { pools: replaces.pools }
    : {};

/** The device, where it is held against no other one any more. */
export const withoutReplaced = (state: DeviceState): DeviceState => {
  const { replaces: _, ...rest } = state;
  return rest;
};

/** Whether one of these pools tells no user, where the other device told some. */
export const hidesUsers = ({ pools: known }: Pick<Replaced, 'pools'>, pools: readonly PoolSlot[]): boolean =>
  known.some(({ user }) => user !== undefined) && filledSlots(pools).some(({ user }) => user === undefined);

type PoolValue = ReturnType<typeof slotValue>;

/** Pools for which the other device did not work, as a deviation. */
export type Strange = Required<Pick<Deviation, 'severity' | 'reasons'>> & {
  readonly before: { readonly device: string; readonly pools: readonly PoolValue[] };
  readonly after: { readonly pools: readonly PoolValue[] };
};

/**
 * Which of these pools the other device did not work for, as far as these columns tell. Undefined where there is none. Where
 * approvers are named a list counts that was in force when that one was attested: one that was edited since approves nothing.
 */
export const strangePools = (
  { pools: known, device, allow: before }: Replaced,
  pools: readonly PoolSlot[],
  columns: readonly ('url' | 'user')[],
  { device: machine, allow, people = 0 }: Pick<RuleContext, 'allow' | 'device'> & Pick<LookContext, 'people'>,
): Strange | undefined => {
  const isInForce = allow !== undefined && (people === 0 || before === digestOfList(allow));
  const context = { device: machine, allow: isInForce ? allow : [] };
  const [slots, served] = [filledSlots(pools), servedBy(known)];
  const accounts = columns.includes('user') ? slots.filter((slot) => hasOtherAccount(slot, served, context)) : [];
  const others = columns.includes('url') ? slots.filter((slot) => hasOtherPool(slot, served, context)) : [];
  if (accounts.length + others.length === 0) return undefined;
  return {
    severity: accounts.length > 0 ? 'high' : 'medium',
    reasons: [...(accounts.length > 0 ? [OTHER_ACCOUNT] : []), ...(others.length > 0 ? [OTHER_POOL] : [])],
    before: { device, pools: filledSlots(known).map(slotValue) },
    after: { pools: slots.map(slotValue) },
  };
};

export const OTHER_ACCOUNT = 'other-account';
const OTHER_POOL = 'other-pool';

/** What a finding, or what will be one, says of a new device. */
type Told = Pick<Deviation, 'reasons'>;

/** Whether it works for another account than the device before. */
export const isOtherAccount = ({ reasons = [] }: Told): boolean => reasons.includes(OTHER_ACCOUNT);

/** Whether it works for somebody else than the device before. */
export const isStrange = (told: Told): boolean => isOtherAccount(told) || told.reasons?.includes(OTHER_POOL) === true;

/** For whom a device works, in a form that a long list can be held against. */
interface Served {
  readonly urls: ReadonlySet<string>;
  readonly owners: ReadonlySet<string | undefined>;
  readonly accounts: ReadonlySet<string>;
  /** Those of pools that tell no user. */
  readonly open: ReadonlySet<string>;
  readonly proxies: ReadonlySet<string>;
}

const servedBy = (known: readonly PoolSlot[]): Served => ({
  urls: new Set(known.map(({ url }) => endpointText(url))),
  owners: new Set(known.map(({ url }) => ownerText(url))),
  accounts: new Set(known.flatMap(({ user }) => (user === undefined ? [] : accountOf(user)))),
  open: new Set(known.flatMap(({ url, user }) => (user === undefined ? endpointText(url) : []))),
  proxies: new Set(known.flatMap(({ proxy }) => (proxy === undefined ? [] : endpointText(proxy)))),
});

/** A line of the list that names nobody allows the pool, not whoever works there. */
const hasOtherAccount = (
  { url, user }: PoolSlot,
  { accounts, open }: Served,
  { allow = [], device }: Pick<RuleContext, 'allow' | 'device'>,
): boolean =>
  user !== undefined &&
  !accounts.has(accountOf(user)) &&
  !open.has(endpointText(url)) &&
  !isListed(
    allow.filter((line) => line.user !== undefined),
    url,
    user,
    device,
  );

const hasOtherPool = (
  { url, user, proxy }: PoolSlot,
  { urls, owners, proxies }: Served,
  { allow = [], device }: Pick<RuleContext, 'allow' | 'device'>,
): boolean => {
  if (proxy !== undefined && !proxies.has(endpointText(proxy)) && !isListedProxy(allow, proxy)) return true;
  const [owner, keyless] = [ownerText(url), withoutPath(url)];
  const isServed = urls.has(endpointText(url)) || (tellsKey(keyless, url) && urls.has(endpointText(keyless)));
  return !isServed && (owner === undefined || !owners.has(owner)) && !isListed(allow, url, user, device);
};
