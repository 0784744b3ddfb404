import type { RuleEntry } from '../rule.ts';

/**
 * The firmware says that somebody holds a write session (catalogue 5.4). Its id is as good as a password and is not kept,
 * not even as a digest. This agent opens none.
 */
export const remoteControlWriteSessionHeld: RuleEntry = {
  id: 'remote-control.write-session-held',
  title: 'Write session held',
  meaning: 'For more than two polls the device says that somebody holds a session in which settings can be changed.',
  benign: ['batch tool', 'a browser that was left open'],
  severity: 'medium',
  basis: 'self-reported',
  confirm: 'C1',
  approval: 'A0',
  version: 1,
};
