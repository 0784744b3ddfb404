import type { KeyClass } from '../../../shared/terms.ts';
import { changedParts, changedSettings, keyedValues, othersOf } from '../keyed.ts';
import { defineRule } from '../rule.ts';
import { tellsSetting, weakenings } from '../safety.ts';
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

/** Settings without a finding of their own left their class; one finding lists them all (catalogue 5.3). */
export const configDrift = defineRule({
  id: 'config.drift',
  title: 'Settings drifted',
  meaning: 'Settings that no more specific finding speaks of differ from the reference.',
  benign: ['tuning by the firmware', 'profile schedule'],
  severity: 'low',
  basis: 'self-reported',
  confirm: 'C2',
  approval: 'A1',
  version: 2,
  against: 'reference',
  reads: [],
  compares: [...SETTINGS, 'config.other'],
  sees: tellsSetting,
  appraise: (observed, approved, { classOf }) => {
    const settings = changedSettings(SETTINGS, observed, approved);
    const dangerous = new Set(weakenings(observed, approved).map(({ key }) => key));
    const changes = [...settings, ...changedParts(othersOf(observed), othersOf(approved))].filter(
      ({ key }) => !dangerous.has(key) && !ACCESS_KEYS.test(key),
    );
    if (changes.length === 0) return [];
    const slow = changes.every(({ key }) => SLOW.has(classOf?.(`config.${key}` as 'config.fan_mode')));
    return [{ ...keyedValues(changes), ...(slow ? { confirm: 'C3' as const } : {}) }];
  },
});

/** A number in a band, or a value by the time of day, may be on its way. */
const SLOW: ReadonlySet<KeyClass | undefined> = new Set(['band', 'schedule']);
