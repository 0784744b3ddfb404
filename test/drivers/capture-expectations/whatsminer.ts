import type { FamilyExpectations } from './expectation.ts';

/** Short values, each compared by eye with the file it stands in; the digests pin the files. */
export const whatsminer: FamilyExpectations = {
  family: 'whatsminer',
  whole: ['whatsminer'],
  captures: {
    'whatsminer/asic-rs-v1-20210322.22': {
      files: {
        'devs.json': {
          query: 'devs',
          sha256: '5b893d29f2eb30de2ae946beeff40eb866e24a91c9ae7e692f621cc6bbb00401',
        },
        'get_psu.json': {
          query: 'get_psu',
          sha256: '269f6a357dc637e74c90018bba0ea69dd41e6dc32132c028e0a2c4a0428ecc8e',
        },
        'get_version.json': {
          query: 'get_version',
          sha256: '6b9f29930914e0ab05682ee8394710596d005f398f38351f8643f9623c57013a',
        },
        'pools.json': {
          query: 'pools',
          sha256: 'dde283a21c767f4e0dabe1946a8c02cec35bb9a7170595952f90f4a4a6931e0d',
        },
        'status.json': {
          query: 'status',
          sha256: 'bde31d105ed3badb0cf29c84a89251b394e051e5c34c6e18dc23c1e658706377',
        },
        'summary.json': {
          query: 'summary',
          sha256: '95b3379a8e9cff4dcb88087b5eaff23416f97db8eed32de6da6592cc245fe00d',
        },
        'summary_with_errors.json': {
          insteadOf: 'summary.json',
          sha256: '4834901cca16c46d89cd1f03870e208e8535ca71ab281bb4cbcd5ea37d2ce22a',
          further: { 'telemetry.faults': ['110', '600'] },
        },
      },
      facts: {
        'identity.make': 'MicroBT',
        'identity.mac': 'c4:08:28:00:a4:19',
        'identity.control_board': 'ALLWINNER_H3 V8',
        'identity.hashboards': ['H5M14S69129A17K10095', 'H5M14S69129A17K10058', 'H5M14S69129A17K10002'],
        'identity.psu': 'P21-12-3600-E',
        'firmware.name': 'WhatsMiner',
        'firmware.version': '20210322.22.REL',
        'firmware.components': [
          {
            name: 'api_ver',
            value: 'whatsminer v1.4.0',
          },
          {
            name: 'cb_platform',
            value: 'ALLWINNER_H3',
          },
          {
            name: 'cb_version',
            value: 'V8',
          },
          {
            name: 'description',
            value: 'cgminer 4.9.2',
          },
          {
            name: 'fw_ver',
            value: '20210322.22.REL',
          },
          {
            name: 'keys.get_version',
            value: 'sdn7uLYZHt1XibJlXbxzQEdnVU-UPy22RyYvbZu-sSs',
          },
          {
            name: 'psu.sw_version',
            value: '102220.009',
          },
          {
            name: 'status.firmware_version',
            value: '20220919.15.REL',
          },
          {
            name: 'summary.firmware_version',
            value: '20210322.22.REL',
          },
        ],
        pools: [
          {
            slot: 0,
            url: 'stratum+tcp://btc.example.pool:3333',
            priority: 0,
            user: 'asic-rs.test',
            quota: 1,
            status: 'Alive',
            active: true,
          },
          {
            slot: 1,
            url: 'stratum+tcp://btc2.example.pool:3333',
            priority: 1,
            user: 'asic-rs.test',
            quota: 1,
            status: 'Alive',
            active: false,
          },
          {
            slot: 2,
            url: 'stratum+tcp://btc3.example.pool:3333',
            priority: 2,
            user: 'asic-rs.test',
            quota: 1,
            status: 'Alive',
            active: false,
          },
        ],
        live_pools: [
          {
            url: 'stratum+tcp://btc.example.pool:3333',
            user: 'asic-rs.test',
            status: 'Alive',
            active: true,
            host: 'btc.example.pool',
          },
          {
            url: 'stratum+tcp://btc2.example.pool:3333',
            user: 'asic-rs.test',
            status: 'Alive',
            active: false,
            host: 'btc2.example.pool',
          },
          {
            url: 'stratum+tcp://btc3.example.pool:3333',
            user: 'asic-rs.test',
            status: 'Alive',
            active: false,
            host: 'btc3.example.pool',
          },
        ],
        'config.mode': 'Normal',
        'config.power_limit_w': 3500,
        'config.freq_mhz': 625,
        'telemetry.hashrate_hs': 67394800970000,
        'telemetry.power_w': 3417,
        'telemetry.temp_max_mc': 92500,
        'telemetry.fans_rpm': [6450, 6480],
        'telemetry.chips': 315,
        'telemetry.elapsed_s': 10154,
        'telemetry.uptime_s': 10792,
        'telemetry.accepted': 2338,
        'telemetry.rejected': 0,
        'telemetry.hw_errors': 69,
        'telemetry.last_share_age_s': 7,
      },
      gaps: {},
    },
    'whatsminer/asic-rs-v2': {
      files: {
        'devs.json': {
          query: 'devs',
          sha256: '800c128d09234d40fae6d414973a5a2b42c5e524e2ed0879352a197b9a676582',
        },
        'get_error_code.json': {
          unasked: 'no fact is made of error codes',
          sha256: '0e248a9a9d77acb2fd3f1201ea7202edab1a71290fc35c572285650dcb19dd28',
        },
        'get_error_code_with_errors.json': {
          unasked: 'no fact is made of error codes',
          sha256: '9baa14f8124af920e9a6ab7eab9a57fcbb11f5a357b143ef3c38e17716cdcd85',
        },
        'get_miner_info.json': {
          query: 'get_miner_info',
          sha256: '79d8e1c934649ae9dd8eeebf20da474f83316dcecdac59dd595923a8c57329bf',
        },
        'get_psu.json': {
          query: 'get_psu',
          sha256: '2729acfa185569916e451aa53912dbed9a72b3b1f1d92ff880574a8244915441',
        },
        'get_version.json': {
          query: 'get_version',
          sha256: '5c2a382c434748182957bc8c8b2aaa32b817f7429c3e184916f37f9ed8e46623',
        },
        'pools.json': {
          query: 'pools',
          sha256: 'e7ae0247cd9c7b59141ad812ef5864cd0de365d5e7f7e5644eb99110de9b9eb6',
        },
        'status.json': {
          query: 'status',
          sha256: '443865ae3761981e216446a1e6545dbf719cb6e959d458b821ef7d0c80b5f0a6',
        },
        'summary.json': {
          query: 'summary',
          sha256: 'bfb689fa066bde4235039c2204a5c83e055b462953ad1554333464dd56a85700',
        },
      },
      facts: {
        'identity.make': 'MicroBT',
        'identity.mac': 'd4:01:02:03:04:05',
        'identity.control_board': 'H616',
        'identity.hashboards': ['BHM5CSD1302803K30001', 'BHM5CSD1302803K30002', 'BHM5CSD1302803K30003'],
        'identity.psu': 'P222B',
        'firmware.name': 'WhatsMiner',
        'firmware.version': '20230803.11.REL',
        'firmware.components': [
          {
            name: 'api_ver',
            value: '2.0.5',
          },
          {
            name: 'description',
            value: 'cgminer 4.9.2',
          },
          {
            name: 'fw_ver',
            value: '20230803.11.REL',
          },
          {
            name: 'keys.get_miner_info',
            value: 'aIVZMAKyxqdRxdbhu3_ctwfW-LIYAUGQA_MEJNE0Ha0',
          },
          {
            name: 'keys.get_version',
            value: 'g1SDoyaJeqyX5B_G9o_QpeCxDXEjSGFPGPWBYq-qN34',
          },
          {
            name: 'platform',
            value: 'H616',
          },
          {
            name: 'psu.sw_version',
            value: '230208.220429',
          },
          {
            name: 'status.firmware_version',
            value: '20240624.18.REL',
          },
        ],
        pools: [
          {
            slot: 0,
            url: 'stratum+tcp://btc.example.pool:3333',
            priority: 0,
            user: 'asic-rs.test',
            status: 'Alive',
            active: true,
          },
          {
            slot: 1,
            url: 'stratum+tcp://btc2.example.pool:3333',
            priority: 1,
            user: 'asic-rs.test',
            status: 'Alive',
            active: false,
          },
          {
            slot: 2,
            url: 'stratum+tcp://btc3.example.pool:3333',
            priority: 2,
            user: 'asic-rs.test',
            status: 'Alive',
            active: false,
          },
        ],
        'config.mode': 'Normal',
        'config.power_limit_w': 3300,
        'config.freq_mhz': 600,
        'config.other': [
          {
            key: 'hash_percent',
            value: '0',
          },
          {
            key: 'power_limit_set',
            value: '3600',
          },
        ],
        'network.hostname': 'WhatsMiner',
        'telemetry.hashrate_hs': 124500000000000,
        'telemetry.power_w': 3200,
        'telemetry.temp_max_mc': 81000,
        'telemetry.fans_rpm': [5400, 5280],
        'telemetry.chips': 405,
        'telemetry.elapsed_s': 25000,
        'telemetry.uptime_s': 25500,
        'telemetry.accepted': 5412,
        'telemetry.rejected': 0,
      },
      gaps: {
        'identity.serial': 'absent',
        'network.dhcp': 'absent',
        'network.netmask': 'absent',
        'network.gateway': 'absent',
        'network.dns': 'absent',
        'network.ntp': 'absent',
        'network.address': 'absent',
        'telemetry.hw_errors': 'absent',
        'telemetry.last_share_age_s': 'absent',
      },
    },
    'whatsminer/asic-rs-v3-m60s-20251209.16.Rel2': {
      files: {
        'get_device_info.json': {
          query: 'api3_info',
          sha256: '0425a51b5b2bb2210c0df8c2b2ac93e7fabebc5abcb60e866a9d9e48d74ae8a3',
        },
        'get_device_info_with_errors.json': {
          insteadOf: 'get_device_info.json',
          sha256: '61fd295eb7f14dd060ab6e09a23d85edd9b874a5b64a0769f1a41c6b56a20aa4',
          further: { 'telemetry.faults': ['218', '541'] },
        },
        'get_miner_status_edevs.json': {
          query: 'api3_edevs',
          sha256: 'fd74822ac6681a3d9fe0a2e8e23f517696460b2fdacc3300055c0ec9501e8f68',
        },
        'get_miner_status_pools.json': {
          query: 'api3_pools',
          sha256: '1126847c285b5d79e1997ee260bef60d10c209571763a52e9a5aa7a49e835e12',
        },
        'get_miner_status_summary.json': {
          query: 'api3_summary',
          sha256: 'c54969f9bcc3da04a52b19662a0bc2ee350939b8e8b0de5e10bef85a743a3dc4',
        },
      },
      facts: {
        'identity.make': 'MicroBT',
        'identity.model': 'M60S_VK40',
        'identity.serial': 'BTM3CS40HD24083100000000000000000',
        'identity.mac': 'ce:02:01:00:8c:36',
        'identity.control_board': 'H616 CB6V10',
        'identity.hashboards': ['BKM3CSE1404807K42757', 'BKM3CSE1404812K43675', 'BKM3CSE1404807K42762'],
        'identity.psu': '1436B2429603097',
        'firmware.name': 'WhatsMiner',
        'firmware.version': '20251209.16.Rel2',
        'firmware.components': [
          { name: 'api3.api', value: '3.0.2' },
          { name: 'api3.control_board', value: 'CB6V10' },
          { name: 'api3.fwversion', value: '20251209.16.Rel2' },
          { name: 'api3.platform', value: 'H616' },
          { name: 'api3.psu_hwversion', value: 'RT0159' },
          { name: 'api3.psu_swversion', value: '230224.220429' },
          { name: 'keys.api3_info', value: '-T_vmKK3AQa5guqRSbbtQiYN5vr3NyUL5D7U1Mdc8pU' },
        ],
        'config.other': [
          { key: 'api3.fast_boot', value: 'disable' },
          { key: 'api3.hash_percent', value: '0' },
        ],
        pools: [
          {
            slot: 0,
            url: 'stratum+tcp://btc.example.pool:3333',
            user: 'asic-rs.test',
            priority: 0,
            status: 'alive',
            active: true,
          },
          {
            slot: 1,
            url: 'stratum+tcp://btc2.example.pool:3333',
            user: 'asic-rs.test',
            priority: 1,
            status: 'alive',
            active: false,
          },
          {
            slot: 2,
            url: 'stratum+tcp://btc3.example.pool:3333',
            user: 'asic-rs.test',
            priority: 2,
            status: 'alive',
            active: false,
          },
        ],
        'config.power_limit_w': 3600,
        'config.freq_mhz': 625,
        'config.strategy': 'FAILOVER',
        'network.hostname': 'WhatsMiner',
        'network.dhcp': true,
        'network.netmask': '255.255.255.0',
        'network.gateway': '172.16.2.1',
        'network.dns': ['172.16.2.1'],
        'network.address': '172.16.2.58',
        'access.api_switch': true,
        'telemetry.hashrate_hs': 171_259_000_000_000,
        'telemetry.power_w': 3156,
        'telemetry.temp_max_mc': 82_000,
        'telemetry.fans_rpm': [5400, 5280],
        'telemetry.chips': 225,
        'telemetry.elapsed_s': 50_000,
      },
    },
    'whatsminer/btminer-2021-02': {
      files: {
        'edevs.json': {
          query: 'edevs',
          sha256: 'd2a079281eddc2213e0cc3de4ae82be7c28af56db0c80b9ae36fd6c9216cb9e2',
        },
        'pools.json': {
          query: 'pools',
          sha256: '767cf2692730e34c01ab5c5604243624dfbf26b191771a7d101906030ed0e60d',
        },
        'summary.json': {
          query: 'summary',
          sha256: 'b37e3f882a88dc672f6426c5a958107dcaead4ff44958049ba475c4a46ce6ce8',
        },
      },
      facts: {
        'identity.make': 'MicroBT',
        'identity.mac': 'c6:06:12:00:2d:63',
        'identity.control_board': 'ALLWINNER_H6OS V10',
        'identity.hashboards': ['BJM1FS69630721K31122', 'BJM1FS69630721K31108'],
        'firmware.name': 'WhatsMiner',
        'firmware.version': '20201202.22.REL',
        'firmware.components': [
          {
            name: 'cb_platform',
            value: 'ALLWINNER_H6OS',
          },
          {
            name: 'cb_version',
            value: 'V10',
          },
          {
            name: 'description',
            value: 'btminer',
          },
          {
            name: 'summary.firmware_version',
            value: '20201202.22.REL',
          },
        ],
        pools: [
          {
            slot: 0,
            url: 'stratum+tcp://btc.ss.poolin.com:443',
            priority: 0,
            user: 'x.12x22',
            quota: 1,
            status: 'Alive',
            active: true,
          },
          {
            slot: 1,
            url: 'stratum+tcp://btc.ss.poolin.com:1883',
            priority: 1,
            user: 'x.12x22',
            quota: 1,
            status: 'Alive',
            active: false,
          },
          {
            slot: 2,
            url: 'stratum+tcp://btc.ss.poolin.com:25',
            priority: 2,
            user: 'x.12x22',
            quota: 1,
            status: 'Alive',
            active: false,
          },
        ],
        live_pools: [
          {
            url: 'stratum+tcp://btc.ss.poolin.com:443',
            user: 'x.12x22',
            status: 'Alive',
            active: true,
            host: 'x.ss.poolin.com',
          },
          { url: 'stratum+tcp://btc.ss.poolin.com:1883', user: 'x.12x22', status: 'Alive', active: false },
          { url: 'stratum+tcp://btc.ss.poolin.com:25', user: 'x.12x22', status: 'Alive', active: false },
        ],
        'config.mode': 'High',
        'config.power_limit_w': 3600,
        'config.freq_mhz': 652,
        'telemetry.hashrate_hs': 76690808440000,
        'telemetry.power_w': 3553,
        'telemetry.temp_max_mc': 93000,
        'telemetry.fans_rpm': [5700, 0],
        'telemetry.chips': 315,
        'telemetry.elapsed_s': 33102,
        'telemetry.uptime_s': 1405529,
        'telemetry.accepted': 2296,
        'telemetry.rejected': 1,
        'telemetry.hw_errors': 0,
        'telemetry.faults': ['110', '111', '131'],
        'telemetry.last_share_age_s': 4,
      },
      gaps: {},
    },
    'whatsminer/h3-20200917.22.REL': {
      files: {
        'devs.json': {
          query: 'devs',
          sha256: '868c405b696b7ddd2f17a8bcc570611abeb885c0742f13de71e47ae9803fa64e',
        },
        'summary.txt': {
          query: 'summary',
          sha256: '63a831b2a9216a85df287d4812f0d42967556edcee4a79c84bb78d5e3ed9e6ea',
        },
      },
      facts: {
        'identity.make': 'MicroBT',
        'identity.mac': 'c4:11:04:01:3c:75',
        'identity.control_board': 'ALLWINNER_H3 V10',
        'identity.hashboards': ['H3M14S6F200114K10102', 'H3M14S6F200114K10107', 'H3M14S6F200114K10115'],
        'firmware.name': 'WhatsMiner',
        'firmware.version': '20200917.22.REL',
        'firmware.components': [
          {
            name: 'cb_platform',
            value: 'ALLWINNER_H3',
          },
          {
            name: 'cb_version',
            value: 'V10',
          },
          {
            name: 'description',
            value: 'cgminer 4.9.2',
          },
          {
            name: 'summary.firmware_version',
            value: '20200917.22.REL',
          },
        ],
        'config.mode': 'Normal',
        'config.power_limit_w': 3500,
        'config.freq_mhz': 622,
        'telemetry.hashrate_hs': 67266447690000,
        'telemetry.power_w': 3491,
        'telemetry.temp_max_mc': 87700,
        'telemetry.fans_rpm': [4950, 4920],
        'telemetry.chips': 333,
        'telemetry.elapsed_s': 66295,
        'telemetry.uptime_s': 66892,
        'telemetry.accepted': 5018,
        'telemetry.rejected': 29,
        'telemetry.hw_errors': 912,
      },
      gaps: {},
    },
    'whatsminer/luci-overview-2020': {
      files: {
        'overview.html': {
          query: 'luci',
          sha256: '53dc75da550a938d6dc81170271aecce2f5beb904746ecc2dc0849827dba9b85',
        },
      },
      facts: {
        'identity.model': 'M21',
        'firmware.kernel': '#217 SMP PREEMPT Fri May 24 15:09:53 CST 2019',
        'firmware.components': [
          {
            name: 'luci.firmware_version',
            value: '20190605.16.1',
          },
          {
            name: 'luci.kernel_version',
            value: '#217 SMP PREEMPT Fri May 24 15:09:53 CST 2019',
          },
        ],
      },
      gaps: {},
    },
    'whatsminer/m20s-cgminer-4.9.2-2019': {
      files: {
        'pools.json': {
          query: 'pools',
          sha256: '88efe11db91dfe269ae37e3a093b4397c7c83259a715a07c94f3ff92a55175d3',
        },
        'summary.json': {
          query: 'summary',
          sha256: '4c964d4111510ceeefbef7319f0d1d835b6ebcf7e27d750114e0714d48f787c7',
        },
        'stats.json': {
          unasked: 'chip by chip, long, and not among the commands that are safe on every generation',
          sha256: '50dd21f1642fc2f045d9fe1e9713471528596ff97607246748faa139a003b096',
        },
      },
      facts: {
        'identity.make': 'MicroBT',
        'firmware.name': 'WhatsMiner',
        'firmware.version': 'cgminer 4.9.2',
        'firmware.components': [
          {
            name: 'description',
            value: 'cgminer 4.9.2',
          },
        ],
        pools: [
          {
            slot: 0,
            url: 'stratum+tcp://us-east.stratum.slushpool.com:3333',
            priority: 0,
            user: '002m20s',
            quota: 1,
            status: 'Alive',
            active: true,
          },
          {
            slot: 1,
            url: 'stratum+tcp://us-central01.miningrigrentals.com:50194',
            priority: 1,
            user: 'xxxx.yyyy',
            quota: 1,
            status: 'Alive',
            active: false,
          },
        ],
        live_pools: [
          {
            url: 'stratum+tcp://us-east.stratum.slushpool.com:3333',
            user: '002m20s',
            status: 'Alive',
            active: true,
            host: 'us-east.stratum.slushpool.com',
          },
          {
            url: 'stratum+tcp://us-central01.miningrigrentals.com:50194',
            user: 'xxxx.yyyy',
            status: 'Alive',
            active: false,
          },
        ],
        'config.freq_mhz': 636,
        'telemetry.hashrate_hs': 65463822080000,
        'telemetry.temp_max_mc': 75000,
        'telemetry.fans_rpm': [4590, 4560],
        'telemetry.elapsed_s': 97139,
        'telemetry.uptime_s': 98801,
        'telemetry.accepted': 33825,
        'telemetry.rejected': 185,
        'telemetry.hw_errors': 1601,
        'telemetry.last_share_age_s': 0,
      },
      gaps: {
        'telemetry.power_w': 'absent',
      },
    },
    'whatsminer/m3-cgminer-4.9.2-2018': {
      files: {
        'pools.json': {
          query: 'pools',
          sha256: '97d1155b022c2b91087c21c8e08680bd003359e0da41f903004f0e8755006a31',
        },
        'summary.json': {
          query: 'summary',
          sha256: '3bbee97b0ac50944ea53901c0e9f55e2ab62885df5c50f8c2a064860bfdff050',
        },
        'stats.json': {
          unasked: 'chip by chip, long, and not among the commands that are safe on every generation',
          sha256: '3582adfc29350a32cca447f380f4d192f51bebd20eac736c6ab7b18c2bae49cb',
        },
      },
      facts: {
        'identity.make': 'MicroBT',
        'firmware.name': 'WhatsMiner',
        'firmware.version': 'cgminer 4.9.2',
        'firmware.components': [
          {
            name: 'description',
            value: 'cgminer 4.9.2',
          },
        ],
        pools: [
          {
            slot: 0,
            url: 'stratum+tcp://bitcoin.1viabtc.com:3333',
            priority: 0,
            user: 'xxxxxxxxxx',
            quota: 1,
            status: 'Dead',
            active: false,
          },
          {
            slot: 1,
            url: 'stratum+tcp://sha256.eu.nicehash.com:3334',
            priority: 1,
            user: 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx',
            quota: 1,
            status: 'Alive',
            active: true,
          },
          {
            slot: 2,
            url: 'stratum+tcp://sha256.usa.nicehash.com:3334',
            priority: 2,
            user: 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx',
            quota: 1,
            status: 'Alive',
            active: false,
          },
        ],
        live_pools: [
          { url: 'stratum+tcp://bitcoin.1viabtc.com:3333', user: 'xxxxxxxxxx', status: 'Dead', active: false },
          {
            url: 'stratum+tcp://sha256.eu.nicehash.com:3334',
            user: 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx',
            status: 'Alive',
            active: true,
            host: 'sha256.eu.nicehash.com',
          },
          {
            url: 'stratum+tcp://sha256.usa.nicehash.com:3334',
            user: 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx',
            status: 'Alive',
            active: false,
          },
        ],
        'config.freq_mhz': 635,
        'telemetry.hashrate_hs': 12239079720000,
        'telemetry.temp_max_mc': 85500,
        'telemetry.fans_rpm': [5730, 5880],
        'telemetry.elapsed_s': 43685,
        'telemetry.accepted': 218,
        'telemetry.rejected': 0,
        'telemetry.hw_errors': 394,
        'telemetry.last_share_age_s': 283,
      },
      gaps: {
        'telemetry.power_w': 'absent',
        'telemetry.uptime_s': 'absent',
      },
    },
    'whatsminer/m50s-luci': {
      files: {
        'btminerapi.html': {
          unasked: 'a log for people, chip by chip; what it tells of the boards stands in `edevs`',
          sha256: '0f516bba598599b44afb927d68864e9a150807b9f8358a9958f3730a1c639a38',
        },
        'overview.html': {
          query: 'luci',
          sha256: '2ba72249883f246e9ea4bde4f9d1fee054611c074096d39246a0f1fa467d9af1',
        },
      },
      facts: {
        'identity.model': 'M50S_VH55',
        'firmware.kernel': '#1525 SMP PREEMPT Thu Oct 16 14:13:50 CST 2025',
        'firmware.components': [
          {
            name: 'luci.firmware_version',
            value: '20251016.14.Rel2',
          },
          {
            name: 'luci.hardware_info',
            value: 'M50S_VH55.H616-CB6V10.P222B-VE2-196803B',
          },
          {
            name: 'luci.kernel_version',
            value: '#1525 SMP PREEMPT Thu Oct 16 14:13:50 CST 2025',
          },
        ],
      },
      gaps: {},
    },
    'whatsminer/m60s-rel3-2026-02-unit2': {
      files: {
        'edevs.json': {
          query: 'edevs',
          sha256: 'a485fa1eb02910421d606ea656f2032dd1dea61514825c8600661d248d9b44cd',
        },
      },
      facts: {
        'identity.hashboards': ['SKM3CSD7104716K90757', 'SKM3CSD7104716K90760', 'SKM3CSD7104716K91129'],
        'telemetry.hashrate_hs': 64460000000000,
        'telemetry.temp_max_mc': 42810,
        'telemetry.chips': 645,
      },
      gaps: {},
    },
    'whatsminer/status-20210109.22.REL': {
      files: {
        'status.json': {
          query: 'status',
          sha256: '31149b41f13e55bffa5a6da3fc050a0cfe867a1b6b884e31771effc834baef5e',
        },
      },
      facts: {
        'firmware.version': '20210109.22.REL',
        'firmware.components': [
          {
            name: 'status.firmware_version',
            value: '20210109.22.REL',
          },
        ],
      },
      gaps: {},
    },
  },
};
