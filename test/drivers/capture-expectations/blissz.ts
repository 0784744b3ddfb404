import type { FamilyExpectations } from './expectation.ts';

/** Short values, each compared by eye with the file it stands in; the digests pin the files. */
export const blissz: FamilyExpectations = {
  family: 'blissz',
  whole: ['blissz'],
  captures: {
    'blissz/d3-v2.06beta-2018-01-05': {
      files: {
        'pools.json': { query: 'pools', sha256: '567c332b2f669cf859f8a758d1a934c056ea54723cf81417b1a15dc0d30ef72e' },
        'stats.txt': { query: 'stats', sha256: '08748ec76270691b53f4dceddd31d501045c30b0f2373cb23e720089bd2777dd' },
      },
      facts: {
        'identity.make': 'Bitmain',
        'identity.model': 'Antminer D3',
        'firmware.name': 'Blissz',
        'firmware.version': '2.06 beta',
        'firmware.build': 'Fri Jan 05 16:48:56 CST 2018',
        pools: [
          {
            slot: 0,
            url: 'stratum+tcp://dash-eu.coinmine.pl:6099',
            priority: 0,
            user: 'Dash.default',
            status: 'Alive',
            active: true,
          },
        ],
        live_pools: [
          {
            url: 'stratum+tcp://dash-eu.coinmine.pl:6099',
            user: 'Dash.default',
            status: 'Alive',
            active: true,
            host: 'dash-eu.coinmine.pl',
          },
        ],
        fee_pools: [
          { url: 'stratum+tcp://dash.suprnova.cc:9991', user: 'devFeeMiner.9' },
          { url: 'stratum+tcp://dash-eu.coinmine.pl:6099', user: 'devFeeMiner.1' },
        ],
        'config.freq_mhz': 450,
        'telemetry.hashrate_hs': 16_346_640_000,
        'telemetry.temp_max_mc': 69_000,
        'telemetry.fans_rpm': [6030, 5790],
        'telemetry.chips': 180,
        'telemetry.elapsed_s': 54_422,
        'telemetry.accepted': 3038,
        'telemetry.rejected': 8,
        'telemetry.hw_errors': 0,
        'telemetry.last_share_age_s': 0,
      },
      gaps: {
        'identity.chip_id': 'absent',
        'identity.hashboards': 'absent',
        'config.voltage_mv': 'absent',
        'telemetry.power_w': 'absent',
      },
    },
  },
};
