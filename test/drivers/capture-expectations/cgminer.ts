import type { FamilyExpectations } from './expectation.ts';

/** Short values, each compared by eye with the file it stands in; the digests pin the files. */
export const cgminer: FamilyExpectations = {
  family: 'cgminer',
  whole: ['cgminer-core'],
  captures: {
    'others/baikal-2018-08': {
      files: {
        'devs.json': { query: 'devs', sha256: '19ff180471ec5bf7e38733ec41a9f6f6aaeee67daa5a72558a9b3a56fadd7370' },
        'pools.json': { query: 'pools', sha256: '271b5770758e28778b66ba3d41400a5d9f2a98b1e0901dc31c7716d066ceb85e' },
      },
      facts: {
        'identity.model': 'BKLU',
        'firmware.name': 'sgminer',
        'firmware.version': '5.6.6-l',
        pools: [
          {
            slot: 0,
            url: 'stratum+tcp://hub.miningpoolhub.com:17016',
            priority: 3,
            user: 'ZZZZZZZZZZZZZZZZZZZZZZZ',
            quota: 1,
            status: 'Alive',
            active: false,
          },
          {
            slot: 1,
            url: 'stratum+tcp://hub.miningpoolhub.com:17014',
            priority: 0,
            user: 'ZZZZZZZZZZZZZZZZZZZZZZZZ',
            quota: 1,
            status: 'Alive',
            active: true,
          },
        ],
        live_pools: [
          {
            url: 'stratum+tcp://hub.miningpoolhub.com:17016',
            user: 'ZZZZZZZZZZZZZZZZZZZZZZZ',
            status: 'Alive',
            active: false,
          },
          {
            url: 'stratum+tcp://hub.miningpoolhub.com:17014',
            user: 'ZZZZZZZZZZZZZZZZZZZZZZZZ',
            status: 'Alive',
            active: true,
            host: 'hub.miningpoolhub.com',
          },
        ],
        'telemetry.hashrate_hs': 10137551800,
        'telemetry.temp_max_mc': 47000,
        'telemetry.last_share_age_s': 0,
      },
      gaps: {},
    },
    'others/sgminer-gm-2018-08': {
      files: {
        'devs.json': { query: 'devs', sha256: 'b598dffd2f5160f2a12cdf6591612887d9f2536a9548fa8ac581a0826f4db28b' },
        'pools.json': { query: 'pools', sha256: '973b6ea5990916ddcd6a9867bfef3c707603c855df82d487e86f4a522727563c' },
      },
      facts: {
        'firmware.name': 'sgminer',
        'firmware.version': '5.5.5-gm',
        pools: [
          {
            slot: 0,
            url: 'stratum+tcp://zec-us-east1.nanopool.org:16666',
            priority: 0,
            user: 'zzzz',
            quota: 1,
            status: 'Alive',
            active: true,
          },
        ],
        live_pools: [
          {
            url: 'stratum+tcp://zec-us-east1.nanopool.org:16666',
            user: 'zzzz',
            status: 'Alive',
            active: true,
            host: 'zec-us-east1.nanopool.org',
          },
        ],
        'telemetry.hashrate_hs': 13,
        'telemetry.temp_max_mc': 70000,
      },
      gaps: { 'telemetry.last_share_age_s': 'absent' },
    },
    'others/futurebit-moonlander2-bfgminer': {
      files: {
        'devs.json': { query: 'devs', sha256: 'c4c547c29c2af3f9c4dc55b49d5b64a67cc2d929da10924b24d90aca8bba1ab2' },
        'pools.json': { query: 'pools', sha256: 'c853639ecd012dc1e3ef0a4fd5a84d0fa91051fd316e16a6feef2abc2a75c98c' },
      },
      facts: {
        'identity.model': 'MLD',
        'firmware.name': 'bfgminer',
        'firmware.version': '5.4.2',
        pools: [
          {
            slot: 0,
            url: 'stratum+tcp://us.litecoinpool.org:3333',
            priority: 0,
            quota: 1,
            status: 'Alive',
            active: true,
          },
        ],
        live_pools: [
          { url: 'stratum+tcp://us.litecoinpool.org:3333', status: 'Alive', active: true, host: 'us.litecoinpool.org' },
        ],
        'telemetry.hashrate_hs': 2962000,
        'telemetry.last_share_age_s': 5,
      },
      gaps: { 'telemetry.temp_max_mc': 'absent' },
    },
    'others/minerva-2021-02': {
      files: {
        'pools.json': { query: 'pools', sha256: '6490ee1a0afb3614dcd147ae9df836e7f05f5bf06789c7d66473f62fb3f9cfa1' },
        'stats.json': {
          query: 'stats',
          sha256: '77eabf2fb284eb0b1afcbdd1f3c721cbfff7452ead36ed1a822faa1bbf13063c',
        },
        'summary.json': {
          query: 'summary',
          sha256: '0e51709e57b8fa0c46cbf8a5c44ae9030f43b0af8253fd24a3f274c1eeb160e8',
        },
      },
      facts: {
        'firmware.name': 'cgminer',
        'firmware.version': '4.10.0',
        pools: [
          {
            slot: 0,
            url: 'stratum+tcp://btc-us.f2pool.com:3333',
            priority: 0,
            user: 'xxx.MV8',
            quota: 1,
            status: 'Alive',
            active: true,
          },
        ],
        live_pools: [
          {
            url: 'stratum+tcp://btc-us.f2pool.com:3333',
            user: 'xxx.MV8',
            status: 'Alive',
            active: true,
            host: 'btc-us.f2pool.com',
          },
        ],
        'telemetry.hashrate_hs': 87243238610000,
        'telemetry.elapsed_s': 10336,
        'telemetry.accepted': 489,
        'telemetry.rejected': 1,
        'telemetry.hw_errors': 1351,
        'telemetry.last_share_age_s': 11,
      },
      gaps: {},
    },
    'others/spondoolies-sp36-2019-02': {
      files: {
        'pools.json': { query: 'pools', sha256: 'ddd1817752b832993395feb52644bd02baa1fc7d036ed00fa2c892145c359314' },
        'stats.json': {
          query: 'stats',
          sha256: 'f51f51b680401364eebed3f94dd3fa7cfb11b98935a21c78835e5af0c4e9a098',
        },
        'summary.json': {
          query: 'summary',
          sha256: 'be9621fe95e53399246216874711803175d01b5e5ae472d7e28db341dd8e0bfb',
        },
      },
      facts: {
        'firmware.name': 'cgminer',
        'firmware.version': '4.10.0-spx',
        pools: [
          {
            slot: 0,
            url: 'stratum+tcp://dash.coinmine.pl:6099',
            priority: 0,
            user: 'xxx.001SPX36',
            quota: 1,
            status: 'Alive',
            active: true,
          },
          {
            slot: 1,
            url: 'stratum+tcp://x11.usa.nicehash.com:3336',
            priority: 1,
            user: 'xxx.001SPX36',
            quota: 1,
            status: 'Alive',
            active: false,
          },
        ],
        live_pools: [
          {
            url: 'stratum+tcp://dash.coinmine.pl:6099',
            user: 'xxx.001SPX36',
            status: 'Alive',
            active: true,
            host: 'dash.coinmine.pl',
          },
          { url: 'stratum+tcp://x11.usa.nicehash.com:3336', user: 'xxx.001SPX36', status: 'Alive', active: false },
        ],
        'telemetry.hashrate_hs': 377763370000,
        'telemetry.elapsed_s': 147407,
        'telemetry.accepted': 17010,
        'telemetry.rejected': 7,
        'telemetry.hw_errors': 3844,
        'telemetry.last_share_age_s': 3,
      },
      gaps: {},
    },
    'others/dayun-zig-z1-2018-10': {
      files: {
        'pools.json': { query: 'pools', sha256: 'c5e37c7a648cc1ef3c83c85d291836c3e2ddf2794e9b064d811b470e7059e3c4' },
        'stats.json': {
          query: 'stats',
          sha256: '5b49c2ce78f37769b1d51b9e960dfe2301b835ba987302003e947820b74f35ba',
        },
      },
      facts: {
        'firmware.name': 'cgminer',
        'firmware.version': '4.11.1',
        pools: [
          {
            slot: 0,
            url: 'stratum+tcp://hub.1miningpoolhub.com:20593',
            priority: 0,
            user: 'xxxxxxx.z1',
            quota: 1,
            status: 'Dead',
            active: false,
          },
          {
            slot: 1,
            url: 'stratum+tcp://lyra2rev2.eu.nicehash.com:3347',
            priority: 1,
            user: 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx.z1',
            quota: 1,
            status: 'Alive',
            active: true,
          },
          {
            slot: 2,
            url: 'stratum+tcp://lyra2rev2.usa.nicehash.com:3347',
            priority: 2,
            user: 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx.z1',
            quota: 1,
            status: 'Alive',
            active: false,
          },
        ],
        live_pools: [
          { url: 'stratum+tcp://hub.1miningpoolhub.com:20593', user: 'xxxxxxx.z1', status: 'Dead', active: false },
          {
            url: 'stratum+tcp://lyra2rev2.eu.nicehash.com:3347',
            user: 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx.z1',
            status: 'Alive',
            active: true,
            host: 'lyra2rev2.eu.nicehash.com',
          },
          {
            url: 'stratum+tcp://lyra2rev2.usa.nicehash.com:3347',
            user: 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx.z1',
            status: 'Alive',
            active: false,
          },
        ],
        'telemetry.last_share_age_s': 3,
      },
      gaps: {},
    },
    'others/honorknight-2020-04': {
      files: {
        'edevs.json': {
          unasked: 'devs has the same rows',
          sha256: 'fd1b4ce6135d7e08a08c3eafbe108e949d5ff2c77c65cbc0de612aaae943445c',
        },
        'pools.json': { query: 'pools', sha256: '3edc7faa1adae0649ff6e27035efde051466ef8aa78bdad49f778b4357c67f04' },
        'stats.json': {
          query: 'stats',
          sha256: '3df291a167c7ea929060d2457462a6a128f86aac5947c1a02a428f025c8e502c',
        },
      },
      facts: {
        'firmware.name': 'cgminer',
        'firmware.version': '4.10.0',
        pools: [
          {
            slot: 0,
            url: 'stratum+tcp://bitcoin.viabtc.com:3333',
            priority: 0,
            user: 'xxx',
            quota: 1,
            status: 'Alive',
            active: true,
          },
          {
            slot: 1,
            url: 'stratum+tcp://bitcoin.viabtc.com:443',
            priority: 1,
            user: 'xxx',
            quota: 1,
            status: 'Alive',
            active: false,
          },
          {
            slot: 2,
            url: 'stratum+tcp://bch.viabtc.com:3333',
            priority: 2,
            user: 'xxx',
            quota: 1,
            status: 'Alive',
            active: false,
          },
        ],
        live_pools: [
          {
            url: 'stratum+tcp://bitcoin.viabtc.com:3333',
            user: 'xxx',
            status: 'Alive',
            active: true,
            host: 'bitcoin.viabtc.com',
          },
          { url: 'stratum+tcp://bitcoin.viabtc.com:443', user: 'xxx', status: 'Alive', active: false },
          { url: 'stratum+tcp://bch.viabtc.com:3333', user: 'xxx', status: 'Alive', active: false },
        ],
        'telemetry.last_share_age_s': 1,
      },
      gaps: {},
    },
    'cgminer-core/cgminer-3.7.2': {
      files: {
        'joined_not_supported.json': {
          query: 'pools',
          sha256: 'a518aac8bf4f5ff3e1cc4fabf2779352ffddf9d2bb26d06efb5d1523b0f564a6',
        },
      },
      facts: {},
      gaps: { pools: 'unreadable', 'telemetry.last_share_age_s': 'absent' },
    },
    'cgminer-core/cgminer-4.9.0-no-devices': {
      files: {
        'devs_joined_error_section.json': {
          query: 'devs',
          sha256: '383e40eb5276dc45cca22590aa919d595ee7238241f9baca26bef2461330ca08',
        },
      },
      facts: {},
      gaps: { 'telemetry.temp_max_mc': 'unreadable' },
    },
  },
};
