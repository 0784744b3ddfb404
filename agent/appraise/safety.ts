import type { Facts } from '../../shared/facts.ts';
import { changedParts, changedSettings, type KeyedChange, OTHER, othersOf } from './keyed.ts';

/** Settings that keep a machine from burning, and which way is the dangerous one. */

/** The facts among them; further ones stand among `config.other`. */
export const SAFETY_FACTS = [
  'config.fan_mode',
  'config.fan_min_pct',
  'config.temp_limit_mc',
  'config.watchdog',
] as const;

/** What keeps a machine from damage. */
export type Guard = 'fan-control' | 'temperature-limit' | 'temperature-offset' | 'watchdog';

/** A setting that moved in its dangerous direction. */
export interface Weakening extends KeyedChange {
  readonly guard: Guard;
}

interface Direction {
  readonly keys: RegExp;
  readonly guard: Guard;
  readonly weakens: (before: unknown, after: unknown) => boolean;
}

/** How much the firmware still does for the fans: from a speed that somebody set to none at all. */
const FAN_MODES: readonly RegExp[] = [/^(?:off|none|disabled?|immersion|immers)$/i, /^(?:manual|fixed)$/i];

const controlOf = (mode: unknown): number => {
  const at = FAN_MODES.findIndex((words) => words.test(String(mode).trim()));
  return at === -1 ? FAN_MODES.length : at;
};

const number = (value: unknown): number => (String(value).trim() === '' ? Number.NaN : Number(value));
const isOn = (value: unknown): boolean => /^(?:true|1|on|yes|enabled?)$/i.test(String(value).trim());
const isOff = (value: unknown): boolean => /^(?:false|0|off|no|disabled?)$/i.test(String(value).trim());

const lowered = (before: unknown, after: unknown): boolean => number(after) < number(before);
const raised = (before: unknown, after: unknown): boolean => number(after) > number(before);
/** A limit of 0 is none. */
const raisedOrNone = (before: unknown, after: unknown): boolean =>
  raised(before, after) || (number(after) <= 0 && number(before) > 0);
const switchedOn = (before: unknown, after: unknown): boolean => isOff(before) && isOn(after);
const switchedOff = (before: unknown, after: unknown): boolean => isOn(before) && isOff(after);

/** Keys as firmwares name them, behind `other.` where they have no fact. A voltage ceiling is told by none of them. */
const DIRECTIONS: readonly Direction[] = [
  { keys: /^fan_mode$/, guard: 'fan-control', weakens: (before, after) => controlOf(after) < controlOf(before) },
  {
    keys: /^fan_min_pct$/,
    guard: 'fan-control',
    weakens: (before, after) => number(after) === 0 && number(before) > 0,
  },
  {
    keys: /^other\.(?:cooling\.fan_min_count|fans\.min|minimum_working_fans)$/,
    guard: 'fan-control',
    weakens: lowered,
  },
  {
    keys: /^other\.(?:ImmersionMode|liquid_cooling|switcher\.ignore_fan_speed)$/,
    guard: 'fan-control',
    weakens: switchedOn,
  },
  { keys: /^temp_limit_mc$/, guard: 'temperature-limit', weakens: raisedOrNone },
  {
    keys: /^other\.(?:temp\.hot|critical_temp|general\.ambient-limit)$/,
    guard: 'temperature-limit',
    weakens: raisedOrNone,
  },
  { keys: /^other\.tempcontrol$/, guard: 'temperature-limit', weakens: switchedOff },
  {
    keys: /^other\..*temp[a-z]*[._-]?offset$/i,
    guard: 'temperature-offset',
    weakens: (a, b) => number(a) !== number(b),
  },
  { keys: /^watchdog$/, guard: 'watchdog', weakens: switchedOff },
];

const guardOf = ({ key, before, after }: KeyedChange): Guard | undefined =>
  DIRECTIONS.find(({ keys, weakens }) => keys.test(key) && weakens(before, after))?.guard;

/** What became more dangerous. */
export const weakenings = (observed: Facts, approved: Facts): readonly Weakening[] =>
  [
    ...changedSettings(SAFETY_FACTS, observed, approved),
    ...changedParts(othersOf(observed), othersOf(approved)),
  ].flatMap((change) => {
    const guard = guardOf(change);
    return guard === undefined ? [] : [{ ...change, guard }];
  });

/** Whether a look tells the setting of this key. */
export const tellsSetting = (key: string, observed: Facts): boolean =>
  key.startsWith(OTHER)
    ? (observed['config.other']?.some((setting) => OTHER + setting.key === key) ?? false)
    : observed[`config.${key}` as 'config.fan_mode'] !== undefined;
