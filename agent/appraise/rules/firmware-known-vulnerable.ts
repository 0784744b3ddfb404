import type { Severity } from '../finding.ts';
import { advisoriesFor } from '../firmware-policy.ts';
import { defineRule, type RuleContext } from '../rule.ts';

/** An advisory of the operator's table speaks of this version (catalogue 5.2). */
export const firmwareKnownVulnerable = defineRule({
  id: 'firmware.known-vulnerable',
  title: 'Firmware with a known weakness',
  meaning:
    'An advisory that the operator keeps speaks of this version of firmware. It weighs more where the device takes changes from this gateway, and most where it takes them from anywhere.',
  benign: ['a correction that the maker put into the old version'],
  severity: 'low',
  gravest: 'high',
  basis: 'self-reported',
  confirm: 'C2',
  approval: 'A2',
  version: 1,
  against: 'policy',
  applies: ({ firmware }) => (firmware?.advisories.length ?? 0) > 0,
  reads: ['firmware.version'],
  shows: ({ after }, { 'firmware.version': version }) => (after as { readonly version?: string }).version === version,
  appraise: (observed, _approved, context) => {
    const { firmware, device } = context;
    if (firmware === undefined || firmware.advisories.length === 0) return 'unknown';
    const exposure = exposureOf(context);
    return advisoriesFor(firmware, { ...device.facts, ...observed }).map(({ id, fixed_in }) => ({
      part: id,
      after: {
        version: observed['firmware.version'],
        exposure,
        ...(fixed_in === undefined ? {} : { fixed_in }),
      },
      severity: WEIGHT[exposure],
    }));
  },
});

type Exposure = 'closed-or-unknown' | 'write-open' | 'write-open-to-all';

const WEIGHT: { readonly [Name in Exposure]: Severity } = {
  'closed-or-unknown': 'low',
  'write-open': 'medium',
  'write-open-to-all': 'high',
};

/** The device lets every address write. */
const EVERYBODY = /(?:^|[,\s])W:0(?:\.0\.0\.0)?\/0/i;

const exposureOf = ({ device: { facts }, address, vantage }: RuleContext): Exposure => {
  if (facts['access.api_write'] !== true) return 'closed-or-unknown';
  // The gateway itself asks from another network, and is let through.
  const routed = ADDRESS.test(address) && vantage !== undefined && vantage() === undefined;
  const beyond = routed || EVERYBODY.test(facts['access.api_allow'] ?? '') || facts['access.cloud'] === true;
  return beyond ? 'write-open-to-all' : 'write-open';
};

/** Of a name nobody knows in which network it stands. */
const ADDRESS = /^[\d.]+$|:/;
