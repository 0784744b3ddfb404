import { defineRule } from '../rule.ts';

/**
 * The device is switched to answer to somebody's cloud, and no person accepted that (catalogue 5.4). What was learned at
 * first sight is no permission. Sessions to such a cloud would be seen on the network only.
 */
export const remoteControlVendorCloudEnabled = defineRule({
  id: 'remote-control.vendor-cloud-enabled',
  title: 'Cloud link on',
  meaning: 'The device says that its link to a cloud is switched on: whoever runs that may control it.',
  benign: ['contracted manager'],
  severity: 'medium',
  basis: 'self-reported',
  confirm: 'C2',
  approval: 'A2',
  version: 1,
  against: 'reference',
  reads: ['access.cloud'],
  appraise: ({ 'access.cloud': on }, { 'access.cloud': approved }, { commissioned, classOf }) => {
    const isAccepted = commissioned || classOf('access.cloud') !== undefined;
    if (!on || (approved && isAccepted)) return [];
    return [{ ...(approved ? {} : { before: approved }), after: on }];
  },
});
