import { keyedValues } from '../keyed.ts';
import { defineRule } from '../rule.ts';
import { SAFETY_FACTS, tellsSetting, weakenings } from '../safety.ts';

/** A setting that protects the machine moved in its dangerous direction, wherever its class would allow it (catalogue 5.3). */
export const configSafetyWeakened = defineRule({
  id: 'config.safety-weakened',
  title: 'Protection weakened',
  meaning:
    'Fan control was switched off or its minimum is 0, fewer fans are wanted, a temperature limit was raised or removed, a temperature offset was changed, or the watchdog is off. What concerns fans is `info` on a device that had the label `cooling: immersion` or `hydro` before; a finding that is open keeps its weight.',
  benign: ['conversion to immersion or hydro cooling'],
  severity: 'critical',
  basis: 'self-reported',
  confirm: 'C2',
  approval: 'A2',
  version: 1,
  against: 'reference',
  reads: [],
  compares: [...SAFETY_FACTS, 'config.other'],
  sees: tellsSetting,
  appraise: (observed, approved, { accepted, classOf, device }) => {
    // Within a band every value is approved, and the dangerous direction is one all the same.
    const found = weakenings(observed, withoutBands(approved, accepted(), classOf));
    if (found.length === 0) return [];
    const guards = [...new Set(found.map(({ guard }) => guard))];
    const wet = COOLED_OTHERWISE.test(device.labels.cooling ?? '') && guards.every((guard) => guard === 'fan-control');
    return [{ ...keyedValues(found), severity: wet ? 'info' : 'critical', reasons: guards }];
  },
});

const COOLED_OTHERWISE = /^(?:immersion|hydro)$/i;

type Held = Parameters<typeof weakenings>[1];

/** What was accepted of the device itself, where a document holds the fact to a band only. */
const withoutBands = (approved: Held, accepted: Held, classOf: (fact: 'config.fan_mode') => unknown): Held => ({
  ...approved,
  ...Object.fromEntries(
    SAFETY_FACTS.filter((fact) => classOf(fact as 'config.fan_mode') === 'band' && accepted[fact] !== undefined).map(
      (fact) => [fact, accepted[fact]],
    ),
  ),
});
