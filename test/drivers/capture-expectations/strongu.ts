import type { FamilyExpectations } from './expectation.ts';

/** Short values, each compared by eye with the file it stands in; the digests pin the files. */
export const strongu: FamilyExpectations = {
  family: 'strongu',
  whole: [],
  captures: {
    'others/strongu-u6-2020-06': {
      files: {
        'devs.json': { query: 'devs', sha256: '458ab9794789db5c382dcea429035a2c234876ca201a9f75ae7e36460b8911fb' },
        'pools.txt': { query: 'pools', sha256: '4fd3fede2680940ab7ab6b488f92d4d20be25b13826b84f3b1b8d763d641738d' },
        'summary.json': {
          query: 'summary',
          sha256: '597475fa5d9a3a4dc1ead4072f36d9899044935246ddcd221bb917dc273394e3',
        },
      },
      facts: {
        'identity.make': 'StrongU',
        'identity.model': 'u6',
        'firmware.name': 'cgminer',
        'firmware.version': '4.11.1',
        'firmware.components': [
          { name: 'program.chips', value: 'dash' },
          { name: 'program.description', value: 'cgminer 4.11.1' },
        ],
        pools: [
          {
            slot: 0,
            url: 'stratum+tcp://img.f2pool.com:4400',
            priority: 0,
            user: 'xxx',
            status: 'Alive',
            active: true,
          },
          {
            slot: 1,
            url: 'stratum+tcp://img.f2pool.com:4400',
            priority: 1,
            user: 'xxx',
            status: 'Alive',
            active: false,
          },
          {
            slot: 2,
            url: 'stratum+tcp://img.f2pool.com:4400',
            priority: 2,
            user: 'xxx',
            status: 'Alive',
            active: false,
          },
        ],
        live_pools: [
          {
            url: 'stratum+tcp://img.f2pool.com:4400',
            user: 'xxx',
            status: 'Alive',
            active: true,
            host: 'img.f2pool.com',
          },
          { url: 'stratum+tcp://img.f2pool.com:4400', user: 'xxx', status: 'Alive', active: false },
          { url: 'stratum+tcp://img.f2pool.com:4400', user: 'xxx', status: 'Alive', active: false },
        ],
        'config.freq_mhz': 550,
        'telemetry.hashrate_hs': 397759080000,
        'telemetry.temp_max_mc': 55620,
        'telemetry.fans_rpm': [7800, 7800],
        'telemetry.chips': 140,
        'telemetry.elapsed_s': 2416,
        'telemetry.accepted': 162,
        'telemetry.rejected': 4,
        'telemetry.hw_errors': 8061,
        'telemetry.last_share_age_s': 5,
      },
    },
    'others/strongu-network': {
      files: {
        'get_network_info.json': {
          query: 'network',
          sha256: 'f277f0360f78785e25d143502aec5714488260b1d06c664862f71c481cda3984',
        },
      },
      facts: {
        'identity.mac': '00:8f:a6:97:59:c5',
        'network.dhcp': true,
        'network.netmask': '255.255.252.0',
        'network.gateway': '10.16.232.3',
        'network.dns': ['10.16.232.3'],
        'network.ntp': ['pool.ntp.org'],
        'network.address': '10.16.232.52',
      },
    },
  },
};
