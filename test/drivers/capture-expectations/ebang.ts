import type { FamilyExpectations } from './expectation.ts';

/** Short values, each compared by eye with the file it stands in; the digests pin the files. */
export const ebang: FamilyExpectations = {
  family: 'ebang',
  whole: [],
  captures: {
    'others/ebang-e9i-9.1.0.34': {
      files: {
        'network.json': {
          query: 'network',
          sha256: 'f14b558c4ff17417a28c7c00fb9fe480f975cadbe7a8c1147a9839fd03fdfe59',
        },
        'pools_form.json': {
          query: 'stored',
          sha256: '4e5fd2a045ac6526bb6ae76aeeff322f710e5253cb86ff212f6961c6312bdd5e',
        },
        'systeminfo.json': {
          query: 'system',
          sha256: '7a0ca105759ea1ee410c7d04dbe1f1d6fb71724402d6a5b3190efe36ff0f70c3',
        },
      },
      facts: {
        'identity.make': 'Ebang',
        'identity.model': 'E9I',
        'identity.mac': '8c:c7:d0:1b:76:f3',
        'identity.control_board': 'EBAZ4303-13-1.1.1.1',
        'firmware.name': 'Ebang',
        'firmware.version': 'soft_v9.1.0.34',
        'firmware.components': [
          { name: 'bank1', value: 'soft_v9.1.0.34' },
          { name: 'bank2', value: 'soft_v9.1.0.34' },
          { name: 'fpga', value: 'Fpga v1.0.13' },
          { name: 'hardware', value: 'EBAZ4303-13-1.1.1.1' },
          { name: 'keys.system', value: 'jdUsSfH2oxO1cqkGnins0nFCFRwxgrpfKH_ipNQ-Rdg' },
          { name: 'software', value: 'soft_v9.1.0.34' },
        ],
        pools: [
          { slot: 0, url: 'stratum+tcp://aaa.com:3001', priority: 0, user: '111' },
          { slot: 1, url: 'stratum+tcp://yyy.com:1883', priority: 1 },
          { slot: 2, url: 'stratum+tcp://btc.ss.poolin.com:25', priority: 2 },
        ],
        'network.dhcp': false,
        'network.netmask': '255.255.0.0',
        'network.gateway': '10.0.0.1',
        'network.dns': ['10.0.0.1'],
        'network.address': '10.0.4.23',
        'telemetry.temp_max_mc': 65000,
        'telemetry.fans_rpm': [5640, 5640],
      },
    },
  },
};
