import type { FamilyExpectations } from './expectation.ts';

/** Short values, each compared by eye with the file it stands in; the digests pin the files. */
export const luxos: FamilyExpectations = {
  family: 'luxos',
  whole: ['luxos'],
  captures: {
    'luxos/docs-0.1.0': {
      files: {
        'session.json': {
          query: 'session',
          sha256: 'a5157ed46dd188eab106a1a498947391e2666085355b94ad208d403b2ba70d64',
        },
      },
      facts: { 'access.write_session': false },
    },
    'luxos/events-2025.9.8': {
      files: {
        'events.json': {
          unasked: 'what happened before is no fact',
          sha256: 'df425946446f90891a5ec197fa133af48df5bcf11b7a3d2bac802a2012aa0d98',
        },
      },
      facts: {},
    },
    // Settings are read as a whole or not at all, and these two replies are a part of them.
    'luxos/luxos-tooling-fixture': {
      files: {
        'atm.json': { query: 'atm', sha256: '78bd32a8937c5122a454b22d0575b4ad182d4566191bfa5a0dd521c0eac99277' },
        'groups.json': { query: 'groups', sha256: 'ef39d2eb2efc31dc4169108fa4c5df648562cd51fd8d0f408f928c27e2bf04bf' },
      },
      facts: {},
      gaps: { 'config.other': 'unreachable' },
    },
    'luxos/s19kpro-2025.4.8': {
      files: {
        'config.json': { query: 'config', sha256: '6ca9e6217d853d4bf1e75d69159630e9c9184ede96751706b88dfb699b5d59ad' },
        'devs.json': { query: 'devs', sha256: '8f746dc6a02953eee5ee96dcf53be8dc7880a8ffc2c6e303f0284bcf6a97f42d' },
        'fans.json': { query: 'fans', sha256: 'f8a9a1234d651055c80f4ebb1380bbb4e6d19eb33012902c55fff1385e592447' },
        'healthchipget_0.json': {
          unasked: 'chips are asked for board by board',
          sha256: '10619460049333ca016b2beec59ecc514ed9077fb19bdf7d0ed697201f8cb96c',
        },
        'pools.json': { query: 'pools', sha256: '0068745327e31853fec051172abb7337f18a4cf9972c51967113d63f4f31f504' },
        'power.json': { query: 'power', sha256: '80534bb4581de7c8b747bf33b5d629b909c6e16a531d18ecb4afd7ffad3f014f' },
        'profiles.json': {
          unasked: 'what could be chosen is no fact',
          sha256: '1f00429036e270daa08f12cd2d7357135070c57acd7a899a3c0af6167fe82abb',
        },
        'stats.json': { query: 'stats', sha256: '2b105f0eb927046c9d2389bde978a43e3d54d12a420dfbe400786bb2f0ae31ca' },
        'summary.json': {
          query: 'summary',
          sha256: 'aaea3378eb7040952037e2f1ef7bd5f20a1b242bf93d4ba0501c46104b0b31a0',
        },
        'temps.json': {
          unasked: 'stats has the hottest',
          sha256: '1ee781cd2be3ed6a6a07e23be930248735fb51348c160453ba10f6ef71fcb7f1',
        },
        'version.json': {
          query: 'version',
          sha256: '4beb6ca5c0ebf359cee0434fdcc4d0a1a0607436634e46be3fd951e2256595df',
        },
        'voltageget_0.json': {
          unasked: 'voltages are asked for board by board',
          sha256: 'c445fa8674c2542b2d296fbafdd3166c53008dfbd9da8095327217989d37f1da',
        },
      },
      facts: {
        'identity.make': 'Bitmain',
        'identity.model': 'Antminer S19k Pro',
        'identity.serial': 'JYZZB0UBDJABF06RB',
        'identity.mac': '62:f7:5e:b7:10:46',
        'identity.control_board': 'cvitek',
        'identity.hashboards': ['JYZZYRSBDJEBI06Z5', 'JYZZYRSBDJEBI06ZM', 'JYZZYRSBDJEBI06ZR'],
        'identity.psu': 'APW121215e',
        'firmware.name': 'LuxOS',
        'firmware.version': '2025.4.8.220305-57b389c7',
        'firmware.build': 'Tue Apr  8 22:05:35 UTC 2025',
        'firmware.components': [
          { name: 'config.fpga', value: '0x18351835' },
          { name: 'config.os', value: 'LuxOS' },
          { name: 'config.psu-hardware', value: '75' },
          { name: 'keys.config', value: 'TUA9LTiW-u9Dg4BvKLymK1uBRzruGNdjSjeaTtp1I1U' },
          { name: 'keys.version', value: 'IylfA2tQLvMB_Dm1WDqVc9B0VL9LQM5NHnJy51JfmZs' },
          { name: 'version.api', value: '3.7' },
          { name: 'version.build', value: 'Tue Apr  8 22:05:35 UTC 2025' },
          { name: 'version.description', value: 'LUXminer 2025.4.8.220305-57b389c7' },
          { name: 'version.luxminer', value: '2025.4.8.220305-57b389c7' },
          { name: 'version.miner', value: '2025.4.8.220305' },
          { name: 'version.type', value: 'Antminer S19k Pro' },
        ],
        pools: [
          {
            slot: 0,
            url: 'stratum+tcp://ca.stratum.braiins.com:3333',
            user: 'asic-rs.user1',
            priority: 0,
            quota: 1,
            status: 'Alive',
            active: true,
          },
          {
            slot: 1,
            url: 'stratum+tcp://stratum.braiins.com:3333',
            user: 'asic-rs.user1',
            priority: 1,
            quota: 1,
            status: 'Dead',
            active: false,
          },
          {
            slot: 2,
            url: 'stratum+tcp://ca.stratum.braiins.com:3333',
            user: 'asic-rs.user2',
            priority: 2,
            quota: 1,
            status: 'Alive',
            active: true,
          },
          {
            slot: 3,
            url: 'stratum+tcp://stratum.braiins.com:3333',
            user: 'asic-rs.user2',
            priority: 3,
            quota: 1,
            status: 'Dead',
            active: false,
          },
        ],
        live_pools: [
          {
            url: 'stratum+tcp://ca.stratum.braiins.com:3333',
            user: 'asic-rs.user1',
            status: 'Alive',
            active: true,
            host: 'ca.stratum.braiins.com:3333',
          },
          {
            url: 'stratum+tcp://stratum.braiins.com:3333',
            user: 'asic-rs.user1',
            status: 'Dead',
            active: false,
            host: 'stratum.braiins.com:3333',
          },
          {
            url: 'stratum+tcp://ca.stratum.braiins.com:3333',
            user: 'asic-rs.user2',
            status: 'Alive',
            active: true,
            host: 'ca.stratum.braiins.com:3333',
          },
          {
            url: 'stratum+tcp://stratum.braiins.com:3333',
            user: 'asic-rs.user2',
            status: 'Dead',
            active: false,
            host: 'stratum.braiins.com:3333',
          },
        ],
        'config.mode': 'None',
        'config.freq_mhz': 300,
        'config.strategy': 'Failover',
        'network.hostname': 'UrlacherS19k',
        'network.dhcp': true,
        'network.netmask': '255.255.255.0',
        'network.gateway': '192.168.86.1',
        'network.address': '192.168.86.46',
        'access.update_source': 'https://storage.googleapis.com/luxor-firmware/stable',
        'telemetry.hashrate_hs': 59_756_060_000_000,
        'telemetry.power_w': 1051,
        'telemetry.temp_max_mc': 47_000,
        'telemetry.fans_rpm': [1920, 1920, 2340, 2340],
        'telemetry.chips': 231,
        'telemetry.elapsed_s': 3453,
        'telemetry.accepted': 1483,
        'telemetry.rejected': 1,
        'telemetry.hw_errors': 0,
        'telemetry.last_share_age_s': 1,
      },
      // ATM is on; there are no DNS servers; `groups`, `atm` and `tempctrl` were not recorded.
      gaps: { 'config.preset': 'absent', 'network.dns': 'absent', 'config.other': 'unreachable' },
    },
  },
};
