import type { FamilyExpectations } from './expectation.ts';

/** Short values, each compared by eye with the file it stands in; the digests pin the files. */
export const hiveon: FamilyExpectations = {
  family: 'hiveon',
  whole: ['hiveon'],
  captures: {
    'hiveon/s9-2019-11-20': {
      files: {
        'get_miner_conf.json': {
          query: 'conf',
          sha256: 'e1b3b0841d702cb63d865bbbb5a0eb994772b42c4b108ee03ef63ca1b0fc12b8',
        },
        'stats.txt': { query: 'stats', sha256: '558e68122708cd95deb6e7476a406b13e9aa84e53c6843c411234e0e577ee479' },
        'version.json': {
          query: 'version',
          sha256: '73dee5a006f30da518cb507b6011e0930ec44324b4ef2780f7d64b14e2cb6d8a',
        },
      },
      facts: {
        'identity.make': 'Bitmain',
        'identity.model': 'Antminer S9',
        'firmware.name': 'Hiveon',
        'firmware.version': '30.0.1.3',
        'firmware.build': 'Tue Nov 20 10:12:30 UTC 2019',
        'firmware.components': [
          { name: '4028.api', value: '3.1' },
          { name: '4028.build', value: 'Tue Nov 20 10:12:30 UTC 2019' },
          { name: '4028.description', value: 'bmminer 1.0.0' },
          { name: '4028.miner', value: '30.0.1.3' },
          { name: '4028.program', value: '2.0.0 rwglr' },
          { name: '4028.type', value: 'Antminer S9 Hiveon' },
          { name: 'keys.version', value: 'tuzNnI4LfgDskjMi9xP-ZIXi8SeFMjdnAMD5RT1w0mA' },
        ],
        pools: [
          { slot: 0, url: 'solo.antpool.com:3333', priority: 0, user: 'antminer_1' },
          { slot: 1, url: 'stratum.antpool.com:3333', priority: 1, user: 'antminer_1' },
          { slot: 2, url: 'stratum+tcp://cn.ss.btc.com:3333', priority: 2, user: 'antminer.1' },
        ],
        'config.freq_mhz': 550,
        'config.other': [
          { key: 'api-groups', value: 'A:stats:pools:devs:summary:version' },
          { key: 'api-listen', value: 'true' },
          { key: 'api-network', value: 'true' },
          { key: 'bitmain-freq', value: '550' },
          { key: 'bitmain-use-vil', value: 'true' },
          { key: 'multi-version', value: '1' },
        ],
        'access.api_allow': 'A:0/0,W:*',
        'telemetry.hashrate_hs': 11_781_400_000_000,
        'telemetry.temp_max_mc': 74_000,
        'telemetry.fans_rpm': [3840, 4920],
        'telemetry.chips': 189,
        'telemetry.elapsed_s': 69,
        'telemetry.hw_errors': 0,
      },
      gaps: {
        'identity.chip_id': 'absent',
        'identity.hashboards': 'absent',
        'config.mode': 'absent',
        'config.voltage_mv': 'absent',
        'config.fan_mode': 'absent',
        'telemetry.power_w': 'unreadable',
      },
    },
  },
};
