import type { FamilyExpectations } from './expectation.ts';

/** The only file of this maker is a report that the unit broadcasts. */
export const ipollo: FamilyExpectations = {
  family: 'ipollo',
  whole: [],
  captures: {
    'others/ipollo-ip-report': {
      files: {
        'ip_report_udp_54321.txt': {
          unasked: 'a report that the unit broadcasts',
          sha256: '23c312818ebe467a6391a093cbf4e5e805f6fd0a355f7e4f8df8c6b2514eda1b',
        },
      },
      facts: {},
    },
  },
};
