import type { FamilyExpectations } from './expectation.ts';

/** Short values, each compared by eye with the file it stands in; the digests pin the files. */
export const innosilicon: FamilyExpectations = {
  family: 'innosilicon',
  whole: ['innosilicon'],
  captures: {
    'innosilicon/t1-20180409': {
      files: {
        'api_overview.json': {
          query: 'overview',
          sha256: '6e97b03e204d3d5414ddf56ea9df7aa2b3ec264fc2f00c971720cf8733b313e0',
        },
      },
      facts: {
        'identity.make': 'Innosilicon',
        'identity.model': 'T1',
        'identity.control_board': 'g19',
        'firmware.name': 'Innosilicon',
        'firmware.version': 't1_20180409_152051',
        'firmware.build': '9th of April 2018 03:20 PM',
        'firmware.components': [
          { name: 'build_date', value: '9th of April 2018 03:20 PM' },
          { name: 'hwver', value: 'g19' },
          { name: 'keys.overview', value: 'VicfmZ6bdB6J8VrcZ1_FmI37w7cFASVe9YA7nHAwXZI' },
          { name: 'platform_v', value: 't1_20180409_152051' },
          { name: 'type', value: 'T1' },
        ],
        'network.dhcp': false,
        'network.netmask': '255.255.255.0',
        'network.gateway': '192.168.0.1',
        'network.dns': ['8.8.8.8', '8.8.4.4'],
        'network.address': '192.168.0.151',
        'telemetry.uptime_s': 600,
      },
      gaps: { 'identity.mac': 'absent' },
    },
    'innosilicon/a9-1.1.0-2020': {
      files: {
        'pools.json': { query: 'pools', sha256: 'a10069c422830e35fc1809e5de642015c97d44547ef3d39cab6b9342f363ab4e' },
        'stats.json': { query: 'stats', sha256: '41896701454919e8043087fa2b718f0acd0b285417b79f22bae5f8183198406e' },
        'summary.json': {
          query: 'summary',
          sha256: '3050dfa9fd2354ac01780b95acd100041ebe042fb5946de88182f89b0fc8bfd6',
        },
      },
      facts: {
        'identity.make': 'Innosilicon',
        'identity.model': 'A9',
        'firmware.name': 'Innosilicon',
        'firmware.version': 'a9-1.1.0',
        'firmware.components': [{ name: 'miner.description', value: 'innominer a9-1.1.0' }],
        pools: [
          {
            slot: 0,
            url: 'stratum+tcp://americas.equihash.mining-dutch.nl:6663',
            priority: 0,
            user: 'xxx',
            status: 'Alive',
            active: true,
          },
          {
            slot: 1,
            url: 'stratum+tcp://solo-zen.2miners.com:7070',
            priority: 1,
            user: 'xxx',
            status: 'Alive',
            active: false,
          },
          {
            slot: 2,
            url: 'stratum+tcp://us1.zhash.pro:8059',
            priority: 2,
            user: 'xxx',
            status: 'Alive',
            active: false,
          },
        ],
        live_pools: [
          {
            url: 'stratum+tcp://americas.equihash.mining-dutch.nl:6663',
            user: 'xxx',
            status: 'Alive',
            active: true,
            host: 'americas.equihash.mining-dutch.nl',
          },
          { url: 'stratum+tcp://solo-zen.2miners.com:7070', user: 'xxx', status: 'Alive', active: false },
          { url: 'stratum+tcp://us1.zhash.pro:8059', user: 'xxx', status: 'Alive', active: false },
        ],
        // Sol/s, whatever the label says: an A9 does about 50 kSol/s.
        'telemetry.hashrate_hs': 51452,
        'telemetry.temp_max_mc': 72000,
        'telemetry.chips': 36,
        'telemetry.elapsed_s': 48768,
        'telemetry.accepted': 5128,
        'telemetry.rejected': 26,
        'telemetry.hw_errors': 806,
        'telemetry.last_share_age_s': 2,
      },
    },
  },
};
