import type { FamilyExpectations } from './expectation.ts';

/** Short values, each compared by eye with the file it stands in; the digests pin the files. */
export const avalon: FamilyExpectations = {
  family: 'avalon',
  whole: ['avalon'],
  captures: {
    'avalon/a10-api-manual-v0.2': {
      files: {
        'pools.txt': {
          query: 'pools',
          sha256: 'f04293204974c2f0cce74601ae94d08f55866a58784427b18dff12ce9a4a4837',
        },
        'summary.txt': {
          query: 'summary',
          sha256: 'e9f4b4b1a21cf092dd17b8e96813d93cdb5b317b4749dd8c223a427dd00d33ee',
        },
        'version.txt': {
          query: 'version',
          sha256: 'bd064d185de05a40b4dad8fc7fd390f20afaa854191d46df55d92444c4ed100d',
        },
      },
      facts: {
        'identity.make': 'Canaan',
        'identity.model': '10xx',
        'identity.mac': 'aa:a5:83:6a:0f:14',
        'identity.control_board': 'MM3v2',
        'firmware.name': 'Avalon',
        'firmware.version': '19090589_789f8e9t_965ebdct',
        'firmware.build': '19090589',
        'firmware.components': [
          {
            name: 'api',
            value: '3.7',
          },
          {
            name: 'cgminer',
            value: '4.11.1',
          },
          {
            name: 'keys.version',
            value: 'cnYTz9m0YN5zbuMFbuHJqwAZF7kRiJEYmFgeTP9iCtI',
          },
          {
            name: 'prod',
            value: 'AvalonMiner 10xx',
          },
          {
            name: 'swtype',
            value: 'MM320',
          },
          {
            name: 'upapi',
            value: '2',
          },
          {
            name: 'version',
            value: '19090589_789f8e9t_965ebdct',
          },
        ],
        pools: [
          {
            slot: 0,
            url: 'stratum+tcp://btc.ss.poolin.com:443',
            priority: 0,
            user: 'cctrix.001',
            quota: 1,
            status: 'Alive',
            active: true,
          },
        ],
        live_pools: [
          {
            url: 'stratum+tcp://btc.ss.poolin.com:443',
            user: 'cctrix.001',
            status: 'Alive',
            active: true,
            host: 'btc.ss.poolin.com',
          },
        ],
        'telemetry.hashrate_hs': 51423478120000,
        'telemetry.elapsed_s': 17994,
        'telemetry.accepted': 1740,
        'telemetry.rejected': 2,
        'telemetry.hw_errors': 10,
      },
      gaps: {
        'telemetry.last_share_age_s': 'absent',
      },
    },
    'avalon/a10-cgminer-4.11.1': {
      files: {
        'pools+summary+stats.json': {
          joined: ['pools', 'summary', 'stats'],
          sha256: '79a7381f6b7f17cc5ce06cf78f4fb2e45455a1f9c848e47227d58ee1222b399b',
        },
      },
      facts: {
        'identity.make': 'Canaan',
        'identity.model': '1047',
        'identity.chip_id': '02010000cb231da8',
        'firmware.name': 'Avalon',
        'firmware.version': '20051101_85dc6f0_0332654',
        'firmware.build': '20051101',
        'firmware.components': [
          {
            name: 'module.ver',
            value: '1047-20051101_85dc6f0_0332654',
          },
        ],
        pools: [
          {
            slot: 0,
            url: 'stratum+tcp://sha256.mining-dutch.nl:9996',
            priority: 0,
            user: 'xxx',
            quota: 1,
            status: 'Alive',
            active: true,
          },
          {
            slot: 1,
            url: 'stratum+tcp://sha256.antpool.com:3333',
            priority: 1,
            user: 'xxx',
            quota: 1,
            status: 'Alive',
            active: false,
          },
          {
            slot: 2,
            url: 'stratum+tcp://sha256.mining-dutch.nl:9996',
            priority: 2,
            user: 'xxx',
            quota: 1,
            status: 'Alive',
            active: false,
          },
        ],
        live_pools: [
          {
            url: 'stratum+tcp://sha256.mining-dutch.nl:9996',
            user: 'xxx',
            status: 'Alive',
            active: true,
            host: 'sha256asicboost.eu.nicehash.com',
          },
          { url: 'stratum+tcp://sha256.antpool.com:3333', user: 'xxx', status: 'Alive', active: false },
          { url: 'stratum+tcp://sha256.mining-dutch.nl:9996', user: 'xxx', status: 'Alive', active: false },
        ],
        'config.mode': '1',
        'config.power_limit_w': 2220,
        'config.freq_mhz': 662,
        'config.other': [
          {
            key: 'smart_speed',
            value: '1',
          },
          {
            key: 'voltage_level_offset',
            value: '0',
          },
        ],
        'telemetry.hashrate_hs': 32247416810000,
        'telemetry.temp_max_mc': 64000,
        'telemetry.fans_rpm': [2896, 2927],
        'telemetry.chips': 240,
        'telemetry.elapsed_s': 155,
        'telemetry.accepted': 6,
        'telemetry.rejected': 0,
        'telemetry.hw_errors': 0,
      },
      gaps: {
        'identity.hashboards': 'absent',
        'config.preset': 'absent',
        'telemetry.power_w': 'absent',
        'telemetry.last_share_age_s': 'absent',
      },
    },
    'avalon/a10-nan-variant': {
      files: {
        'pools+summary+stats.txt': {
          joined: ['pools', 'summary', 'stats'],
          sha256: '9bc3f188df69bff3e4be290b32afaaad59d80fb8fb11e9fef63db2bd613bca9b',
        },
      },
      facts: {
        'identity.make': 'Canaan',
        'identity.model': '1047',
        'identity.chip_id': '02010000cb231da8',
        'firmware.name': 'Avalon',
        'firmware.version': '20051101_85dc6f0_0332654',
        'firmware.build': '20051101',
        'firmware.components': [
          {
            name: 'module.ver',
            value: '1047-20051101_85dc6f0_0332654',
          },
        ],
        pools: [
          {
            slot: 0,
            url: 'stratum+tcp://sha256.mining-dutch.nl:9996',
            priority: 0,
            user: 'xxx',
            quota: 1,
            status: 'Alive',
            active: true,
          },
          {
            slot: 1,
            url: 'stratum+tcp://sha256.antpool.com:3333',
            priority: 1,
            user: 'xxx',
            quota: 1,
            status: 'Alive',
            active: false,
          },
          {
            slot: 2,
            url: 'stratum+tcp://sha256.mining-dutch.nl:9996',
            priority: 2,
            user: 'xxx',
            quota: 1,
            status: 'Alive',
            active: false,
          },
        ],
        live_pools: [
          {
            url: 'stratum+tcp://sha256.mining-dutch.nl:9996',
            user: 'xxx',
            status: 'Alive',
            active: true,
            host: 'sha256asicboost.eu.nicehash.com',
          },
          { url: 'stratum+tcp://sha256.antpool.com:3333', user: 'xxx', status: 'Alive', active: false },
          { url: 'stratum+tcp://sha256.mining-dutch.nl:9996', user: 'xxx', status: 'Alive', active: false },
        ],
        'config.mode': '1',
        'config.power_limit_w': 2220,
        'config.freq_mhz': 662,
        'config.other': [
          {
            key: 'smart_speed',
            value: '1',
          },
          {
            key: 'voltage_level_offset',
            value: '0',
          },
        ],
        'telemetry.hashrate_hs': 0,
        'telemetry.temp_max_mc': 64000,
        'telemetry.fans_rpm': [2896, 2927],
        'telemetry.chips': 240,
        'telemetry.elapsed_s': 155,
        'telemetry.accepted': 6,
        'telemetry.rejected': 0,
        'telemetry.hw_errors': 0,
      },
      gaps: {
        'identity.hashboards': 'absent',
        'config.preset': 'absent',
        'telemetry.power_w': 'absent',
        'telemetry.last_share_age_s': 'absent',
      },
    },
    'avalon/a1047-web-20090401': {
      files: {
        'get_minerinfo.cgi.txt': {
          query: 'minerinfo',
          sha256: '81d9057c8a5b76254f8475a1068472b8a6dc9a121b463cce8a3a43b2526bc723',
        },
      },
      facts: {
        'identity.mac': 'b4:a2:eb:31:2f:7c',
      },
      gaps: {},
    },
    'avalon/a1246-83': {
      files: {
        'stats.json': {
          query: 'stats',
          sha256: '3fb1dae74e1598c883326dfc7c10a62aa5c49a846fa9ea51d4c84e88167fd355',
        },
      },
      facts: {
        'identity.model': '1246-83',
        'identity.chip_id': '02010000cbd2fd6d',
        'firmware.version': '21072802_4ec6bb0_211fc46',
        'firmware.build': '21072802',
        'firmware.components': [
          {
            name: 'module.ver',
            value: '1246-83-21072802_4ec6bb0_211fc46',
          },
        ],
        'config.mode': '1',
        'config.power_limit_w': 3200,
        'config.freq_mhz': 502,
        'config.other': [
          {
            key: 'smart_speed',
            value: '1',
          },
          {
            key: 'voltage_level_offset',
            value: '0',
          },
        ],
        'telemetry.hashrate_hs': 81072680000000,
        'telemetry.power_w': 3504,
        'telemetry.temp_max_mc': 77000,
        'telemetry.fans_rpm': [5344, 5392, 5349, 5309],
        'telemetry.chips': 360,
      },
      gaps: {
        'identity.hashboards': 'absent',
        'config.preset': 'absent',
      },
    },
    'avalon/a15-24102401_25462b2_9ddf522': {
      files: {
        'devs.json': {
          unasked: 'nothing beyond summary and stats',
          sha256: 'f5e58bcaf49b6c16656a05a090e787f6c02b3906536b327fa2a2b2b7c82870af',
        },
        'estats.json': {
          insteadOf: 'stats.json',
          sha256: 'ece1d6899542ba19c9dd09e5ef4c29ea7aeb5710ac11e98036dedfd9f8ed003c',
        },
        'pools.json': {
          query: 'pools',
          sha256: '4113d865fd934354d46527d50ff4676e2d0b6971cf44b69a96afd9f053d5a62c',
        },
        'stats.json': {
          query: 'stats',
          sha256: 'ece1d6899542ba19c9dd09e5ef4c29ea7aeb5710ac11e98036dedfd9f8ed003c',
        },
        'version.json': {
          query: 'version',
          sha256: '7c95d4939d70a11119031d0288757f83d11acefd992390b07c469d8e09ae9d8d',
        },
      },
      facts: {
        'identity.make': 'Canaan',
        'identity.model': '15-194',
        'identity.control_board': 'MM4v2_X3',
        'identity.chip_id': '020100008c699117',
        'firmware.name': 'Avalon',
        'firmware.version': '24102401_25462b2_9ddf522',
        'firmware.build': '24102401',
        'firmware.components': [
          {
            name: 'api',
            value: '3.7',
          },
          {
            name: 'cgminer',
            value: '4.11.1',
          },
          {
            name: 'keys.version',
            value: 'c_58beLAjUk1M48uDHZKNBLtbFTw7MhCMUrbBgSXwsw',
          },
          {
            name: 'loader',
            value: 'd0d779de.00',
          },
          {
            name: 'module.ver',
            value: '15-194-24102401_25462b2_9ddf522',
          },
          {
            name: 'prod',
            value: 'AvalonMiner 15-194',
          },
          {
            name: 'stm8',
            value: '20.08.01',
          },
          {
            name: 'swtype',
            value: 'MM319',
          },
          {
            name: 'upapi',
            value: '2',
          },
          {
            name: 'version',
            value: '24102401_25462b2_9ddf522',
          },
        ],
        pools: [
          {
            slot: 0,
            url: 'stratum+tcp://stratum.pool.io:3333',
            priority: 0,
            user: 'pool_username.real_worker',
            quota: 1,
            status: 'Alive',
            active: true,
          },
          {
            slot: 1,
            url: 'stratum+tcp://stratum.pool.io:3334',
            priority: 1,
            user: 'pool_username.real_worker',
            quota: 1,
            status: 'Alive',
            active: false,
          },
          {
            slot: 2,
            url: 'stratum+tcp://stratum.pool.io:3335',
            priority: 2,
            user: 'pool_username.real_worker',
            quota: 1,
            status: 'Alive',
            active: false,
          },
        ],
        live_pools: [
          {
            url: 'stratum+tcp://stratum.pool.io:3333',
            user: 'pool_username.real_worker',
            status: 'Alive',
            active: true,
            host: 'stratum.pool.io',
          },
          {
            url: 'stratum+tcp://stratum.pool.io:3334',
            user: 'pool_username.real_worker',
            status: 'Alive',
            active: false,
            host: 'stratum.pool.io',
          },
          {
            url: 'stratum+tcp://stratum.pool.io:3335',
            user: 'pool_username.real_worker',
            status: 'Alive',
            active: false,
            host: 'stratum.pool.io',
          },
        ],
        'config.mode': '1',
        'config.power_limit_w': 3515,
        'config.freq_mhz': 346,
        'config.other': [
          {
            key: 'smart_speed',
            value: '1',
          },
          {
            key: 'voltage_level_offset',
            value: '0',
          },
        ],
        'telemetry.hashrate_hs': 199241070000000,
        'telemetry.power_w': 3731,
        'telemetry.temp_max_mc': 78000,
        'telemetry.fans_rpm': [4275, 4282],
        'telemetry.chips': 480,
      },
      gaps: {
        'identity.hashboards': 'absent',
        'config.preset': 'absent',
        'telemetry.last_share_age_s': 'absent',
      },
    },
    'avalon/a7-2017-08': {
      files: {
        'pools.json': {
          query: 'pools',
          sha256: 'cdfb8d0ed8926682c007d2f3b7a4636eaecb712ab5d497d5645606d6ae22d278',
        },
        'stats.json': {
          query: 'stats',
          sha256: '3775be8ed84c364dfc804ff7830bc36cd01831f8ebec9f70b18b18d34cc80bd8',
        },
        'summary.json': {
          query: 'summary',
          sha256: '2ff2b4a5ac87b361c9e706d58a46f72daf88bde815840dc3182f64db0ec03347',
        },
      },
      facts: {
        'identity.make': 'Canaan',
        'identity.model': '841, 821',
        'identity.hashboards': ['0137dace492a2ec1', '013a7366855f4c56', '013b8d95d80b8043'],
        'firmware.name': 'Avalon',
        'firmware.version': '1803-14b0f10',
        'firmware.components': [
          {
            name: 'module.ver',
            value: '8411803-14b0f10, 8211803-14b0f10',
          },
        ],
        pools: [
          {
            slot: 0,
            url: 'stratum+tcp://eu.stratum.slushpool.com:3333',
            priority: 0,
            user: 'Foreman is great!',
            quota: 1,
            status: 'Alive',
            active: true,
          },
          {
            slot: 1,
            url: 'stratum+tcp://eu.stratum.slushpool.com:3333',
            priority: 1,
            user: 'Foreman is great!',
            quota: 1,
            status: 'Alive',
            active: false,
          },
        ],
        live_pools: [
          {
            url: 'stratum+tcp://eu.stratum.slushpool.com:3333',
            user: 'Foreman is great!',
            status: 'Alive',
            active: true,
            host: 'eu.stratum.slushpool.com',
          },
          {
            url: 'stratum+tcp://eu.stratum.slushpool.com:3333',
            user: 'Foreman is great!',
            status: 'Alive',
            active: false,
          },
        ],
        'config.freq_mhz': 685,
        'config.other': [
          {
            key: 'smart_speed',
            value: '1',
          },
          {
            key: 'voltage_level_offset',
            value: '0',
          },
        ],
        'telemetry.hashrate_hs': 38567094380000,
        'telemetry.temp_max_mc': 85000,
        'telemetry.fans_rpm': [5730, 5850, 5610],
        'telemetry.chips': 312,
        'telemetry.elapsed_s': 63,
        'telemetry.accepted': 49,
        'telemetry.rejected': 0,
        'telemetry.hw_errors': 1,
        'telemetry.last_share_age_s': 6,
      },
      gaps: {
        'config.mode': 'absent',
        'config.preset': 'absent',
        'config.power_limit_w': 'absent',
        'telemetry.power_w': 'absent',
      },
    },
    'avalon/a7-cgminer-4.10.0-2017-02': {
      files: {
        'pools.json': {
          query: 'pools',
          sha256: '3d801295597257d7fc85fb314d8ecebaf19338858a18a28813c6482e225ce99f',
        },
        'stats.json': {
          query: 'stats',
          sha256: '4c4ece28eac0a5bc5ae01f7fa10d7f41462651895dd33bf2495d581a37068bbb',
        },
        'summary.json': {
          query: 'summary',
          sha256: '2ef73319e3393d0f6e4edc809d9a57e5dc361fa3b5c0ec0f56c25bfad74d7632',
        },
      },
      facts: {
        'identity.make': 'Canaan',
        'identity.model': '741',
        'identity.hashboards': [
          '0130b14ab881ad86',
          '0131718cc72fb662',
          '013260099eef155d',
          '013ad84934eaef0b',
          '013e59ac2d1dda2d',
          '0130769f2af64e5b',
          '013160a63eb10cb3',
          '0131ce597bd2dfd4',
          '013916a9df2a8748',
          '013c309b35a2329a',
        ],
        'firmware.name': 'Avalon',
        'firmware.version': '1706-3162860',
        'firmware.components': [
          {
            name: 'module.ver',
            value: '7411706-3162860',
          },
        ],
        pools: [
          {
            slot: 0,
            url: 'stratum+tcp://stratum.antpool.com:3333',
            priority: 0,
            user: 'Yop yop',
            quota: 1,
            status: 'Alive',
            active: true,
          },
          {
            slot: 1,
            url: 'stratum+tcp://stratum.antpool.com:443',
            priority: 1,
            user: 'Yop yop',
            quota: 1,
            status: 'Alive',
            active: false,
          },
        ],
        live_pools: [
          {
            url: 'stratum+tcp://stratum.antpool.com:3333',
            user: 'Yop yop',
            status: 'Alive',
            active: true,
            host: 'stratum.antpool.com',
          },
          { url: 'stratum+tcp://stratum.antpool.com:443', user: 'Yop yop', status: 'Alive', active: false },
        ],
        'config.freq_mhz': 606,
        'config.other': [
          {
            key: 'smart_speed',
            value: '1',
          },
          {
            key: 'voltage_level_offset',
            value: '-2',
          },
        ],
        'telemetry.hashrate_hs': 52126282150000,
        'telemetry.temp_max_mc': 92000,
        'telemetry.fans_rpm': [2550, 1440, 2700, 2580, 2430, 4440, 3900, 3150, 2760, 3810],
        'telemetry.chips': 880,
        'telemetry.elapsed_s': 118,
        'telemetry.accepted': 19,
        'telemetry.rejected': 1,
        'telemetry.hw_errors': 3,
        'telemetry.last_share_age_s': 28,
      },
      gaps: {
        'config.mode': 'absent',
        'config.preset': 'absent',
        'config.power_limit_w': 'absent',
        'telemetry.power_w': 'absent',
      },
    },
    'avalon/a8-2019-01': {
      files: {
        'pools.json': {
          query: 'pools',
          sha256: 'b06728cf4fd872cb0d18ee49bcc127ee5f11244ee9e2f1d86df11e79319e456a',
        },
        'stats.json': {
          query: 'stats',
          sha256: '79a95820d063b5cf61c6e6729213dd2b021b66eeca6cc017f568b9fb3573cc94',
        },
        'summary.json': {
          query: 'summary',
          sha256: 'c9fa67e0e6d34d23fccae09c3b3f5aab2f7860ca6651f2eb1e193f0f1d9f716b',
        },
      },
      facts: {
        'identity.make': 'Canaan',
        'identity.model': '921',
        'identity.hashboards': [
          '01327c4787a135a1',
          '01341eb2801a22f2',
          '01361f74612d6989',
          '0137d742c801ee6a',
          '013f6a5fe66cbf41',
          '0130fba8458e2cec',
          '013153fdcd0b5fd8',
          '01353126ffee988b',
          '013cbe94d0402c2b',
          '013e7fdfd11528f6',
          '013607fcf2c12b9c',
          '01361dad4573b165',
          '01399daf84698759',
          '013a9e6935923537',
          '013b25a19b69b193',
          '01322652e94a1584',
          '013359de23c468e1',
          '0133faba158b411d',
          '013cbd2d80d76ce3',
          '013f4a5e6e5a9907',
        ],
        'firmware.name': 'Avalon',
        'firmware.version': '1809-b4b3d00',
        'firmware.components': [
          {
            name: 'module.ver',
            value: '9211809-b4b3d00',
          },
        ],
        pools: [
          {
            slot: 0,
            url: 'stratum+tcp://eu.ss.btc.com:1800',
            priority: 0,
            user: 'WALLET.a2',
            quota: 1,
            status: 'Alive',
            active: true,
          },
          {
            slot: 1,
            url: 'stratum+tcp://eu.ss.btc.com:443',
            priority: 1,
            user: 'WALLET.a2',
            quota: 1,
            status: 'Alive',
            active: false,
          },
          {
            slot: 2,
            url: 'stratum+tcp://eu.ss.btc.com:25',
            priority: 2,
            user: 'WALLET.a2',
            quota: 1,
            status: 'Alive',
            active: false,
          },
        ],
        live_pools: [
          {
            url: 'stratum+tcp://eu.ss.btc.com:1800',
            user: 'WALLET.a2',
            status: 'Alive',
            active: true,
            host: 'eu.ss.btc.com',
          },
          { url: 'stratum+tcp://eu.ss.btc.com:443', user: 'WALLET.a2', status: 'Alive', active: false },
          { url: 'stratum+tcp://eu.ss.btc.com:25', user: 'WALLET.a2', status: 'Alive', active: false },
        ],
        'config.freq_mhz': 825,
        'config.other': [
          {
            key: 'smart_speed',
            value: '1',
          },
          {
            key: 'voltage_level_offset',
            value: '0',
          },
        ],
        'telemetry.hashrate_hs': 473707649510000,
        'telemetry.temp_max_mc': 95000,
        'telemetry.fans_rpm': [
          4830, 4710, 5040, 4800, 4320, 5400, 4980, 5160, 4800, 5040, 4440, 5490, 5070, 6210, 4590, 4740, 4830, 5160,
          4980, 5130,
        ],
        'telemetry.chips': 2080,
        'telemetry.elapsed_s': 66007,
        'telemetry.accepted': 12757,
        'telemetry.rejected': 32,
        'telemetry.hw_errors': 128,
        'telemetry.last_share_age_s': 10,
      },
      gaps: {
        'config.mode': 'absent',
        'config.preset': 'absent',
        'config.power_limit_w': 'absent',
        'telemetry.power_w': 'absent',
      },
    },
    'avalon/q-25052801_14a19a2': {
      files: {
        'check.json': {
          unasked: 'needs a parameter',
          sha256: '54b4c327563a2b8e1deae57c83fc413cdd8a170815707d7eda00644f0ef000c5',
        },
        'coin.json': {
          unasked: 'says something of the network, not of the miner',
          sha256: '784b8fd18a9f36ad3d274e8b241728d84fe549fa3416b10465d7b0e212d9d23e',
        },
        'config.json': {
          query: 'config',
          sha256: 'cbf5a0ec37a63bc393fcccb9382c61c6c5261698b7d8ee2da9f0fc39779ef6a4',
        },
        'devdetails.json': {
          unasked: 'nothing beyond version',
          sha256: 'c96e9905c2fbb664fda0833fa14fa7c8e5ff7928b2087cd6c07c7dba338eb77a',
        },
        'devs.json': {
          unasked: 'nothing beyond summary and stats',
          sha256: 'f23d2e8964c0a8fdf389b0fce067d270de4e5e92bf7f466b71b980c657adda92',
        },
        'litestats.json': {
          insteadOf: 'stats.json',
          sha256: '329b870b8e7a150430a7adc5549e604067a65ed8662ce65fffef1213c893d942',
        },
        'pools.json': {
          query: 'pools',
          sha256: '34cf16ea91d1ee7180bf4e751b906038ff665405c723d0ea4d783c66efed3fed',
        },
        'stats.json': {
          query: 'stats',
          sha256: '42f8c08f2fa81e81a1b221742b73dee84b5a75eae32487d8c52cacd8a02e971b',
        },
        'summary.json': {
          query: 'summary',
          sha256: '751da616446a2ed77608bc25649ef955b1a4cfcdff3d29adf252082e500709d3',
        },
        'version.json': {
          query: 'version',
          sha256: 'c1623c0238707c80447645cee06e5abe11a4986876fd8ee30679915451c4e056',
        },
      },
      facts: {
        'identity.make': 'Canaan',
        'identity.model': 'Q',
        'identity.mac': 'aa:bb:cc:dd:ee:ff',
        'identity.control_board': 'Q_MM1v1_X1',
        'identity.chip_id': '01234567890123456789012345678901',
        'firmware.name': 'Avalon',
        'firmware.version': '25052801_14a19a2',
        'firmware.build': '25052801',
        'firmware.components': [
          {
            name: 'api',
            value: '3.7',
          },
          {
            name: 'bversion',
            value: '25052801_14a19a2',
          },
          {
            name: 'cgminer',
            value: '4.11.1',
          },
          {
            name: 'cgversion',
            value: '25052801_14a19a2',
          },
          {
            name: 'fanmcuversion',
            value: 'Q_fb_v1.2',
          },
          {
            name: 'fw',
            value: 'Release',
          },
          {
            name: 'hbmcuversion',
            value: 'Q_hb_v1.1',
          },
          {
            name: 'keys.version',
            value: '90ahM3dFGgNefHHomXqyMilIY8Q9wgXhhaxSIjCeV_I',
          },
          {
            name: 'lversion',
            value: '25052801_14a19a2',
          },
          {
            name: 'module.bver',
            value: '25052801_14a19a2',
          },
          {
            name: 'module.lver',
            value: '25052801_14a19a2',
          },
          {
            name: 'module.ver',
            value: 'Q-25052801_14a19a2',
          },
          {
            name: 'prod',
            value: 'Avalon Q',
          },
          {
            name: 'swtype',
            value: 'MM319',
          },
        ],
        pools: [
          {
            slot: 0,
            url: 'stratum+tcp://pool.example.com:4444',
            priority: 0,
            user: 'worker1',
            quota: 1,
            status: 'Alive',
            active: true,
          },
        ],
        live_pools: [
          {
            url: 'stratum+tcp://pool.example.com:4444',
            user: 'worker1',
            status: 'Alive',
            active: true,
            host: 'pool.example.com:4444',
          },
        ],
        'config.mode': '0',
        'config.preset': '0',
        'config.power_limit_w': 800,
        'config.freq_mhz': 283,
        'config.strategy': 'Failover',
        'config.other': [
          {
            key: 'solo_allowed',
            value: '1',
          },
          {
            key: 'target_temp_c',
            value: '65',
          },
        ],
        'telemetry.hashrate_hs': 0,
        'telemetry.power_w': 146,
        'telemetry.temp_max_mc': 27000,
        'telemetry.fans_rpm': [0, 0, 0, 0],
        'telemetry.chips': 160,
        'telemetry.elapsed_s': 37714,
        'telemetry.accepted': 890,
        'telemetry.rejected': 2,
        'telemetry.hw_errors': 0,
      },
      gaps: {
        'identity.hashboards': 'absent',
        'telemetry.last_share_age_s': 'absent',
      },
    },
    'avalon/q-25052801_14a19a2-write-replies': {
      files: {
        'ascset_help.json': {
          unasked: 'reply to a command that changes the miner, never sent',
          sha256: '09be4010aebbfe6896ba4f2905d09c27b01172a1ce4bfed5abf08c1f66fca715',
        },
        'ascset_softoff.json': {
          unasked: 'reply to a command that changes the miner, never sent',
          sha256: '15e886bff14f1233d966113f9ea4e7b6f538a41c0408d399793a24befaf70817',
        },
        'ascset_softon.json': {
          unasked: 'reply to a command that changes the miner, never sent',
          sha256: '92673a8c6411c9139001aac83099701d0377b5de82df32ee4bc615bc8ec695ec',
        },
        'ascset_workmode.json': {
          unasked: 'reply to a command that changes the miner, never sent',
          sha256: '315bba5b169314fa2a533b12368c56f89c4b1175f4e0a1317d439382c82b6c6a',
        },
      },
      facts: {},
      gaps: {},
    },
  },
};
