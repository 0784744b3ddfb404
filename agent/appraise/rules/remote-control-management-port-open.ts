import { defineRule } from '../rule.ts';

/** A management port accepts connections that did not before (catalogue 5.4). What was open at the first check is the reference. */
export const remoteControlManagementPortOpen = defineRule({
  id: 'remote-control.management-port-open',
  title: 'Management port opened',
  meaning:
    'A port at which devices are managed accepts connections from this gateway, and did not when the reference was made. Telnet (23) and the port of a known remote control (8889) weigh more.',
  benign: ['maintenance', 'an interface that was switched on'],
  severity: 'medium',
  gravest: 'high',
  basis: 'gateway-observed',
  confirm: 'C2',
  approval: 'A1',
  version: 1,
  against: 'reference',
  reads: ['access.open_ports'],
  appraise: ({ 'access.open_ports': now }, { 'access.open_ports': before }, { vantage }) => {
    const opened = now.filter((port) => !before.includes(port)).sort((a, b) => a - b);
    if (opened.length === 0) return [];
    const from = vantage?.();
    return [
      {
        before: { open: [...before].sort((a, b) => a - b) },
        after: { opened, ...(from === undefined ? {} : { from }) },
        severity: opened.some((port) => GRAVE.has(port)) ? 'high' : 'medium',
      },
    ];
  },
});

const GRAVE: ReadonlySet<number> = new Set([23, 8889]);
