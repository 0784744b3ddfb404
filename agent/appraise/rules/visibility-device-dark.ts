import type { UnknownReason } from '../../../shared/facts.ts';
import type { DeviceState } from '../device.ts';
import type { Finding } from '../finding.ts';
import type { Deviation, RuleEntry } from '../rule.ts';
import { saysRefused } from './visibility-coverage-reduced.ts';

/** No valid observation for five polls (catalogue 5.9). */
export const visibilityDeviceDark: RuleEntry = {
  id: 'visibility.device-dark',
  title: 'Device dark',
  meaning: 'The device gave no usable answer to five polls in a row.',
  benign: ['power off', 'network outage', 'interface switched off'],
  severity: 'low',
  basis: 'gateway-observed',
  confirm: 'C1',
  approval: 'A0',
  version: 1,
};

/** So many polls without an answer make a device dark. */
export const DARK_POLLS = 5;

/** `api-only`: the device is there, as its own answer or that to ARP shows, and nothing of it can be read. */
export const darkSeen = (
  reason: Exclude<UnknownReason, 'unsupported'>,
  linkAlive: (() => boolean | undefined) | undefined,
): readonly Deviation[] => {
  const isThere = ANSWERS.has(reason) || linkAlive?.() === true;
  return [{ reasons: [reason, ...(isThere ? ['api-only'] : [])] }];
};

/** What only somebody says who is there. */
const ANSWERS: ReadonlySet<string> = new Set(['refused', 'truncated', 'unreadable']);

/** Whether nothing of a device can be seen: it is silent, or refuses all that it is asked. */
export const isDark = ({ tracks }: DeviceState): boolean =>
  tracks.some(({ finding }) => saysDark(finding) || saysRefused(finding));

/** Whether a finding says that a device is silent. */
export const saysDark = ({ ruleId }: Pick<Finding, 'ruleId'>): boolean => ruleId === visibilityDeviceDark.id;
