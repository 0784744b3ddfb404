import type { FamilyExpectations } from './expectation.ts';

/** Short values, each compared by eye with the file it stands in; the digests pin the files. */
export const goldshell: FamilyExpectations = {
  family: 'goldshell',
  whole: ['goldshell'],
  captures: {
    'goldshell/ck5-2.0.1': {
      files: {
        'mcb_cgminer_devs.json': {
          query: 'devs',
          sha256: '66f0bb09a52fe8fa8d676fe68c2cd624262de43e0328ef6f37749a993b28ed57',
        },
        'mcb_ip.json': { query: 'ip', sha256: 'bbb3985f77a41b412d427c5da38b33e39aac93bc968b5408eaa0a98a6c539a7d' },
        'mcb_pools.json': {
          query: 'stored',
          sha256: '7d7e7d139f733468cb3417cdead4ac4668c232e44324781815c51ce70341d12f',
        },
        'mcb_setting.json': {
          query: 'setting',
          sha256: 'd5d7a0627d760cf746dfbec688eefb1698d871fcbff0a108388b6d1597e89a22',
        },
        'mcb_status.json': {
          query: 'status',
          sha256: '93bca872c43e5d115d5a639d5951d73045b408540f84e408b6282379f0fce813',
        },
      },
      facts: {
        'identity.make': 'Goldshell',
        'identity.model': 'Goldshell-CK5',
        'identity.mac': '28:e2:97:4d:55:10',
        'identity.control_board': '10.40.HA',
        'firmware.name': 'Goldshell',
        'firmware.version': '2.0.1',
        'firmware.components': [
          { name: 'firmware', value: '2.0.1' },
          { name: 'hardware', value: '10.40.HA' },
          { name: 'keys.status', value: 'NddaYehR09h6tNifLEjb0X61Zy8cGBIMmlVFcsMr24w' },
          { name: 'model', value: 'Goldshell-CK5' },
          { name: 'setting.version', value: 'v1.0' },
        ],
        pools: [
          {
            slot: 0,
            url: 'stratum+tcp://us-ckb.2miners.com:6464',
            priority: 0,
            user: '[REDACTED]',
            active: true,
          },
          {
            slot: 1,
            url: 'stratum+tcp://ckb.f2pool.com:4300',
            priority: 1,
            user: '[REDACTED]',
            active: false,
          },
        ],
        'config.preset': '0',
        'config.other': [
          { key: 'ledcontrol', value: 'false' },
          { key: 'manualPowerplan', value: '800 MHz 0.42 V 100 RPM 100 RPM' },
          { key: 'tempcontrol', value: 'true' },
        ],
        'network.dhcp': false,
        'network.netmask': '255.255.255.0',
        'network.gateway': '192.168.1.1',
        'network.address': '192.168.1.189',
        // 2992548.779 + 3240137.484 + 3205471.732 + 3013904.369 MH/s
        'telemetry.hashrate_hs': 12_452_062_364_000,
        'telemetry.temp_max_mc': 84000,
        'telemetry.fans_rpm': [2940, 2940, 2940, 2940],
        'telemetry.elapsed_s': 1293,
        'telemetry.accepted': 890_282,
        'telemetry.rejected': 17_760,
        'telemetry.hw_errors': 1061,
      },
    },
    'goldshell/devs-4-sensor': {
      files: {
        'mcb_cgminer_devs.json': {
          query: 'devs',
          sha256: 'e66d8bfcb40619aef7e8d330512a3ee59138e04dfa16655a0c255b6ab99e900e',
        },
      },
      facts: {
        'identity.make': 'Goldshell',
        'firmware.name': 'Goldshell',
        // 546.357 + 453.2 + 534.744 + 581.252 MH/s
        'telemetry.hashrate_hs': 2_115_553_000,
        'telemetry.temp_max_mc': 80200,
        'telemetry.fans_rpm': [6060, 6120],
        'telemetry.elapsed_s': 11769,
        'telemetry.accepted': 83,
        'telemetry.rejected': 3,
        'telemetry.hw_errors': 14,
      },
    },
    'goldshell/dgmax-2.2.3-ip-report': {
      files: {
        'ip_report_udp_1314.txt': {
          unasked: 'a report that the unit broadcasts',
          sha256: 'fc838e3e4c75f503886cc54399935c7670e7503e90abcbf97852600850789e9c',
        },
      },
      facts: {},
    },
  },
};
