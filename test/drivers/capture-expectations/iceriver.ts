import type { FamilyExpectations } from './expectation.ts';

/** Short values, each compared by eye with the file it stands in; the digests pin the files. */
export const iceriver: FamilyExpectations = {
  family: 'iceriver',
  whole: ['iceriver'],
  captures: {
    'iceriver/ks5l-ICM168_3_2_10': {
      files: {
        'userpanel_post4.json': {
          query: 'panel',
          sha256: '6d8fdb82c4f49fad06cf34a310b067dd82bdbc958beb8d73e230ec06604943bf',
        },
      },
      facts: {
        'identity.make': 'IceRiver',
        'identity.model': 'ks5L',
        'firmware.name': 'IceRiver',
        'firmware.version': 'ICM168_3_2_10_ks5L_miner',
        'firmware.components': [
          { name: 'firmtype', value: 'Factory' },
          { name: 'firmver1', value: 'BOOT_3_1' },
          { name: 'firmver2', value: 'image_1.0' },
          { name: 'keys.panel', value: 'PYmIlfv3xMuZhrRwTSdaNNoa8dDZPDyaHGOkDC6JFcE' },
          { name: 'softver1', value: 'ICM168_3_2_10_ks5L_miner' },
          { name: 'softver2', value: 'ICM168_3_2_10_ks5L_bg' },
        ],
        pools: [
          {
            slot: 0,
            url: 'stratum+tcp://asia1.kaspa-pool.org:4441',
            priority: 0,
            user: 'kaspa:qqfakeexamplewalletaddressfortests0000000000000000000000000000.worker_1',
            status: '1',
            active: true,
          },
          {
            slot: 1,
            url: 'stratum+tcp://eu1.kaspa-pool.org:4441',
            priority: 1,
            user: 'kaspa:**********.worker_1',
            status: '0',
            active: false,
          },
          {
            slot: 2,
            url: 'stratum+tcp://us1.kaspa-pool.org:4441',
            priority: 2,
            user: 'kaspa:**********.worker_1',
            status: '0',
            active: false,
          },
        ],
        live_pools: [
          {
            url: 'stratum+tcp://asia1.kaspa-pool.org:4441',
            user: 'kaspa:qqfakeexamplewalletaddressfortests0000000000000000000000000000.worker_1',
            status: '1',
            active: true,
          },
          {
            url: 'stratum+tcp://eu1.kaspa-pool.org:4441',
            user: 'kaspa:**********.worker_1',
            status: '0',
            active: false,
          },
          {
            url: 'stratum+tcp://us1.kaspa-pool.org:4441',
            user: 'kaspa:**********.worker_1',
            status: '0',
            active: false,
          },
        ],
        'config.freq_mhz': 875,
        'network.hostname': 'XJGXG_SSYYGB',
        'network.dhcp': false,
        'network.netmask': '255.255.255.0',
        'network.gateway': '192.168.1.xx',
        'network.dns': ['xx.xx.xx.xx'],
        'network.address': '192.168.1.XX',
        'telemetry.hashrate_hs': 15_011_000_000_000,
        'telemetry.temp_max_mc': 67000,
        'telemetry.fans_rpm': [5900, 5900, 5900, 5855],
        // 1 day, 4 h, 29 min, 2 s
        'telemetry.elapsed_s': 102_542,
        'telemetry.accepted': 7225,
        'telemetry.rejected': 0,
      },
      gaps: { 'identity.mac': 'unreadable' },
    },
  },
};
