import type { FeePool } from '../../../shared/facts.ts';
import type { KeyClass } from '../../../shared/terms.ts';
import { changedParts, changedSettings, type KeyedChange, keyedValues, othersOf } from '../keyed.ts';
import { defineRule, type RuleContext } from '../rule.ts';
import { tellsSetting, weakenings } from '../safety.ts';
import { samePool } from '../slots.ts';
import { ACCESS_KEYS } from './config-access-changed.ts';

const SETTINGS = [
  'config.fan_mode',
  'config.fan_min_pct',
  'config.temp_limit_mc',
  'config.watchdog',
  // These change by themselves: they are compared where a document holds them to a band.
  'config.freq_mhz',
  'config.voltage_mv',
] as const;

const FEES = 'fee_pools';
const MODEL = 'identity.model';

/** Firmwares spell these as they like: they are compared where a document says what they shall be. */
const STATED = [
  'identity.make',
  'firmware.name',
  'firmware.kernel',
  'firmware.secure_boot',
  'access.default_login',
] as const;

/** Facts that have their whole names as keys. */
const WHOLE: readonly string[] = [FEES, MODEL, ...STATED];

/** Settings without a finding of their own left their class; one finding lists them all (catalogue 5.3). */
export const configDrift = defineRule({
  id: 'config.drift',
  title: 'Settings drifted',
  meaning:
    'Settings that no more specific finding speaks of differ from the reference. `fee_pools` among them is medium: the firmware mines for its maker at a pool or for an account that it did not declare before, or takes another part (`quota`); so is `identity.model`: a machine does not become another one; and so are maker, name, kernel and secure boot of the firmware and the default log-in, which are compared where a document states them. They are low where the firmware is another version than the reference says. Where all that differs is held by a band or a schedule, or is the model, it takes three looks over ten minutes (C3): such a value may be on its way, or told in one place of several.',
  benign: ['tuning by the firmware', 'profile schedule', 'a maker that moved its fee pools'],
  severity: 'low',
  gravest: 'medium',
  basis: 'self-reported',
  confirm: 'C2',
  approval: 'A1',
  version: 4,
  against: 'reference',
  reads: [],
  compares: [...SETTINGS, 'config.other', FEES, MODEL, ...STATED],
  sees: (key, observed) =>
    WHOLE.includes(key) ? observed[key as typeof MODEL] !== undefined : tellsSetting(key, observed),
  appraise: (observed, approved, context) => {
    const { classOf } = context;
    const settings = changedSettings(SETTINGS, observed, approved);
    const dangerous = new Set(weakenings(observed, approved).map(({ key }) => key));
    const others = [...settings, ...changedParts(othersOf(observed), othersOf(approved))].filter(
      ({ key }) => !dangerous.has(key) && !ACCESS_KEYS.test(key),
    );
    const fees = changedFees(observed[FEES], approved[FEES]);
    const stated = STATED.filter((name) => classOf(name) !== undefined);
    const named = ([MODEL, ...stated] as const).flatMap((name) => changedText(name, observed[name], approved[name]));
    const changes = [...others, ...fees, ...named];
    if (changes.length === 0) return [];
    const slow = changes.every(({ key }) => key === MODEL || SLOW.has(classOf(`config.${key}` as 'config.fan_mode')));
    return [
      {
        ...keyedValues(changes),
        ...(slow ? { confirm: 'C3' as const } : {}),
        ...((fees.length > 0 && !isOtherFirmware(context)) || (named.length > 0 && !isOtherVersion(context))
          ? { severity: 'medium' as const }
          : {}),
      },
    ];
  },
});

/** A number in a band, or a value by the time of day, may be on its way. A model is told in several places, and one of them may be empty for a moment. */
const SLOW: ReadonlySet<KeyClass | undefined> = new Set(['band', 'schedule']);

/**
 * Pools of the maker that the reference lacks. One that is missing says nothing: a list may show those of the moment. Neither
 * does one that names neither pool nor account where there was none.
 */
const changedFees = (observed: readonly FeePool[] = [], approved?: readonly FeePool[]): readonly KeyedChange[] =>
  approved === undefined ||
  observed.every((fee) => approved.some((known) => sameFee(known, fee)) || (approved.length === 0 && isMasked(fee)))
    ? []
    : [{ key: FEES, before: approved, after: observed }];

/** How firmwares show a pool of their maker that they do not name, in both members. */
const MASKS: ReadonlySet<string> = new Set(['*', 'devfee']);

const isMasked = ({ url, user = url }: FeePool): boolean => [url, user].every((text) => MASKS.has(text.toLowerCase()));

/** What one side does not tell is no difference. */
const sameFee = (known: FeePool, fee: FeePool): boolean =>
  samePool(known, fee) && (known.quota === undefined || fee.quota === undefined || known.quota === fee.quota);

const changedText = (key: string, observed?: string, approved?: string): readonly KeyedChange[] =>
  observed === undefined || approved === undefined || observed === approved
    ? []
    : [{ key, before: approved, after: observed }];

/** The device runs another version than it was accepted with, and may spell things otherwise. */
const isOtherVersion = ({ accepted, device }: RuleContext): boolean => {
  const known = accepted()['firmware.version'];
  const now = device.facts['firmware.version'];
  return known !== undefined && now !== undefined && known !== now;
};

/** That is a finding of its own where no document says what it may run. */
const isOtherFirmware = (context: RuleContext): boolean =>
  isOtherVersion(context) && context.classOf('firmware.version') === undefined;
