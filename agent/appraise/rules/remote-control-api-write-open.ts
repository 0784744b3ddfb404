import { defineRule } from '../rule.ts';

/**
 * A documented question that changes nothing shows that the device would take changes from whoever asks (catalogue 5.4).
 * It is true of the caller: an allow list that the device reports says nothing of what this gateway may do.
 */
export const remoteControlApiWriteOpen = defineRule({
  id: 'remote-control.api-write-open',
  title: 'Open to changes',
  meaning:
    'The device would take changes from the address of this gateway without a log-in: a question that changes nothing was answered so.',
  benign: ['the gateway itself was granted writes, which it does not need', 'firmware that has no log-in'],
  severity: 'high',
  basis: 'self-reported',
  confirm: 'C2',
  approval: 'A2',
  version: 1,
  against: 'policy',
  reads: ['access.api_write'],
  appraise: ({ 'access.api_write': open }, _approved, { vantage }) => {
    if (!open) return [];
    const from = vantage?.();
    return [{ after: { writes: 'accepted', ...(from === undefined ? {} : { from }) } }];
  },
});
