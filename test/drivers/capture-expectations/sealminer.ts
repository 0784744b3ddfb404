import type { FamilyExpectations } from './expectation.ts';

/** Short values, each compared by eye with the file it stands in; the digests pin the files. */
export const sealminer: FamilyExpectations = {
  family: 'sealminer',
  whole: ['sealminer'],
  captures: {
    'sealminer/a2-2025091001': {
      files: {
        'get_system_info.json': {
          query: 'system_info',
          sha256: 'cc64968b4660c02b9b32794f79bfe2bc15032708df61b22ffb5a73c40575b343',
        },
        'miner_psu_status.json': {
          unasked: 'what stands in stats as well',
          sha256: 'e8672ad554c0da8ede76606efb708e3ab968eb43d2ef49e0c655ed01d4aeba74',
        },
        'pools.json': { query: 'pools', sha256: 'de8069b039acb690f277db6f170f9d95671c0f15f41e1d1fd12f184fc30567e5' },
        'stats.json': { query: 'stats', sha256: 'ab6a484d1eda18318af28b83dadfed5d26637ecd704bb8e675706148c8685fe4' },
        'summary.json': {
          query: 'summary',
          sha256: 'af0408066ee22f0e96ed907ff065f1daa2d4797d356b39b95cd2ca51e3d8c1a2',
        },
        'version.json': {
          query: 'version',
          sha256: 'b1b5d0df8f271271354e8405e903391dd01d39276938bee0bd93b27e65532298',
        },
      },
      facts: {
        'identity.make': 'Bitdeer',
        'identity.model': 'A2',
        'identity.serial': 'S127200252001850',
        'identity.mac': '50:d4:48:4b:86:78',
        'identity.control_board': 'taurus_air_v1.1',
        'identity.hashboards': ['S124600252004637', 'S124600252004521', 'S124600252004476'],
        'identity.psu': '3C251501801',
        'firmware.name': 'SealMiner',
        'firmware.version': '2025091001',
        'firmware.build': '4.11.1-08690-gd309fbe0',
        'firmware.components': [
          { name: 'api', value: '3.7' },
          { name: 'bdminer', value: '4.11.1' },
          { name: 'chip', value: 'Seal02-V1' },
          { name: 'control_board', value: 'taurus_air_v1.1' },
          { name: 'firmware', value: '2025091001' },
          { name: 'keys.system_info', value: 'tDAHY2TfTLx1aeANU1aPLNJFPow21R_pzEHxN7pAWCo' },
          { name: 'keys.version', value: 'YjAY1NXS82JOBGZtbd1bgUeWzFSLeMIayl4kpVGDM4c' },
          { name: 'psu.firmware', value: '222121' },
          { name: 'psu.model', value: 'BTPSU04KSA-03.00' },
          { name: 'software', value: '4.11.1-08690-gd309fbe0' },
        ],
        pools: [
          {
            slot: 0,
            url: 'stratum+tcp://stratum.braiins.com:3333',
            priority: 0,
            user: 'Oak_Mining.SealMinerA2',
            status: 'Alive',
            active: true,
          },
        ],
        live_pools: [
          {
            url: 'stratum+tcp://stratum.braiins.com:3333',
            user: 'Oak_Mining.SealMinerA2',
            status: 'Alive',
            active: true,
            host: 'stratum.braiins.com',
          },
        ],
        'config.mode': 'Normal',
        'config.power_limit_w': 3500,
        'config.freq_mhz': 346,
        'config.voltage_mv': 307,
        'config.other': [
          { key: 'debug', value: 'true' },
          { key: 'fast_raise_freq', value: 'false' },
          { key: 'hashrate_boost_ratio', value: '0' },
          { key: 'liquid_cooling', value: 'false' },
          { key: 'target_ctrl_temp', value: '70' },
        ],
        'network.dhcp': true,
        'network.address': '10.0.13.179',
        'telemetry.hashrate_hs': 220407636771225,
        'telemetry.power_w': 3504,
        'telemetry.temp_max_mc': 70000,
        'telemetry.fans_rpm': [3723, 3723, 3753, 3723],
        'telemetry.chips': 459,
        'telemetry.elapsed_s': 2481,
        'telemetry.uptime_s': 2743,
        'telemetry.accepted': 1421,
        'telemetry.rejected': 3,
        'telemetry.hw_errors': 54,
        'telemetry.last_share_age_s': 2,
      },
      gaps: { 'access.api_write': 'unreachable' },
    },
  },
};
