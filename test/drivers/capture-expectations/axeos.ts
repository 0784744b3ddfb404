import type { FamilyExpectations } from './expectation.ts';

/** Short values, each compared by eye with the file it stands in; the digests pin the files. */
export const axeos: FamilyExpectations = {
  family: 'axeos',
  whole: ['axeos'],
  captures: {
    'axeos/bitaxe-gamma601-v2.10.1': {
      files: {
        'system_info.json': {
          query: 'info',
          sha256: '690ed93be8ceefd8b0b0766699e213d58344cf0f69be81b141a024e8ae748eea',
        },
      },
      facts: {
        'identity.make': 'Bitaxe',
        'identity.model': '601',
        'identity.mac': '66:f3:55:23:1a:bd',
        'identity.control_board': '601',
        'firmware.name': 'AxeOS',
        'firmware.version': 'v2.10.1',
        'firmware.medium': 'ota_1',
        'firmware.components': [
          {
            name: 'asic',
            value: 'BM1370',
          },
          {
            name: 'axeos',
            value: 'v2.10.1',
          },
          {
            name: 'board',
            value: '601',
          },
          {
            name: 'idf',
            value: 'v5.5',
          },
          {
            name: 'keys.info',
            value: 'Tv8-by1abe3wJLu6sAdmo7Ara9FrBnnubepo1ZGLLwQ',
          },
          {
            name: 'version',
            value: 'v2.10.1',
          },
        ],
        pools: [
          {
            slot: 0,
            url: '192.168.1.11:3333',
            priority: 0,
            user: '1FakeExampLeWa11etAddress111111zzz',
            active: true,
          },
          {
            slot: 1,
            url: 'solo.ckpool.org:3333',
            priority: 1,
            user: '1FakeExampLeWa11etAddress111111zzz',
            active: false,
          },
        ],
        'config.freq_mhz': 525,
        'config.voltage_mv': 1150,
        'config.fan_mode': 'auto',
        'config.fan_min_pct': 25,
        'config.other': [
          {
            key: 'fallbackStratumExtranonceSubscribe',
            value: '0',
          },
          {
            key: 'fallbackStratumSuggestedDifficulty',
            value: '1000',
          },
          {
            key: 'overclockEnabled',
            value: '0',
          },
          {
            key: 'ssid',
            value: 'Example Wi-Fi',
          },
          {
            key: 'statsFrequency',
            value: '0',
          },
          {
            key: 'stratumExtranonceSubscribe',
            value: '0',
          },
          {
            key: 'stratumSuggestedDifficulty',
            value: '1000',
          },
          {
            key: 'temptarget',
            value: '60',
          },
        ],
        'network.hostname': 'BM1370',
        'telemetry.hashrate_hs': 1184809322463,
        'telemetry.power_w': 22,
        'telemetry.temp_max_mc': 86000,
        'telemetry.fans_rpm': [5471],
        'telemetry.elapsed_s': 258691,
        'telemetry.uptime_s': 258691,
        'telemetry.accepted': 20205,
        'telemetry.rejected': 24,
      },
      gaps: {
        'firmware.build': 'absent',
        'telemetry.chips': 'absent',
        'telemetry.hw_errors': 'absent',
      },
    },
    'axeos/bitaxe-gamma601-v2.12.2': {
      files: {
        'system_info.json': {
          query: 'info',
          sha256: '45ac401ae4856f4ba663059786140d4530139f4e12a26e0dd6d9479885550606',
        },
      },
      facts: {
        'identity.make': 'Bitaxe',
        'identity.model': '601',
        'identity.mac': '10:f5:12:33:bb:f0',
        'identity.control_board': '601',
        'firmware.name': 'AxeOS',
        'firmware.version': 'v2.12.2',
        'firmware.medium': 'factory',
        'firmware.components': [
          {
            name: 'asic',
            value: 'BM1370',
          },
          {
            name: 'axeos',
            value: 'v2.12.2',
          },
          {
            name: 'board',
            value: '601',
          },
          {
            name: 'idf',
            value: 'v5.5.1',
          },
          {
            name: 'keys.info',
            value: '50JAGNyN34QmKfIRBYf4P1x3DsNQXsRkM-iHR8xRsqk',
          },
          {
            name: 'version',
            value: 'v2.12.2',
          },
        ],
        pools: [
          {
            slot: 0,
            url: 'public-pool.io:21496',
            priority: 0,
            user: 'bc1qfakexamplexwalletxaddressxforxtestsx000000000000000000000000.bitaxe',
            active: false,
          },
          {
            slot: 1,
            url: 'solo.ckpool.org:3333',
            priority: 1,
            user: 'bc1qfakexamplexwalletxaddressxforxtestsx000000000000000000000000.bitaxe',
            active: true,
          },
        ],
        'config.freq_mhz': 525,
        'config.voltage_mv': 1150,
        'config.fan_mode': 'auto',
        'config.fan_min_pct': 25,
        'config.other': [
          {
            key: 'fallbackStratumExtranonceSubscribe',
            value: '0',
          },
          {
            key: 'fallbackStratumSuggestedDifficulty',
            value: '1000',
          },
          {
            key: 'manualFanSpeed',
            value: '100',
          },
          {
            key: 'overclockEnabled',
            value: '0',
          },
          {
            key: 'ssid',
            value: 'ExNet-1',
          },
          {
            key: 'statsFrequency',
            value: '0',
          },
          {
            key: 'stratumExtranonceSubscribe',
            value: '0',
          },
          {
            key: 'stratumSuggestedDifficulty',
            value: '1000',
          },
          {
            key: 'temptarget',
            value: '60',
          },
        ],
        'network.hostname': 'bitaxe',
        'network.address': '10.1.10.111',
        'telemetry.hashrate_hs': 1072240722700,
        'telemetry.power_w': 19,
        'telemetry.temp_max_mc': 62000,
        'telemetry.fans_rpm': [3915, 0],
        'telemetry.chips': 1,
        'telemetry.elapsed_s': 18574,
        'telemetry.uptime_s': 18574,
        'telemetry.accepted': 4768,
        'telemetry.rejected': 13,
        'telemetry.hw_errors': 1415,
      },
      gaps: {
        'firmware.build': 'absent',
      },
    },
    'axeos/bitaxe-supra': {
      files: {
        'system_asic.json': {
          query: 'asic',
          sha256: '0d40c97bb6326abec1d0be120489137c386347cff4bd7a0b20c16a2cad1bb850',
        },
      },
      facts: {
        'firmware.components': [
          {
            name: 'keys.asic',
            value: 'pnsaV5CSHT-ddoMvLfPaYX_WdJTf2LyXjV96RpSD8Lw',
          },
        ],
        'identity.model': 'Supra',
        'telemetry.chips': 1,
      },
      gaps: {},
    },
    'axeos/bitaxe-v2.4.5': {
      files: {
        'system_info.json': {
          query: 'info',
          sha256: '1053cfef27447bc6841200e2d0145b1b9cdc1f6b15822d9f3c75af24d058a7a5',
        },
      },
      facts: {
        'identity.make': 'Bitaxe',
        'identity.model': '401',
        'identity.mac': 'aa:bb:cc:dd:ee:ff',
        'identity.control_board': '401',
        'firmware.name': 'AxeOS',
        'firmware.version': 'v2.4.5-3-gb5d1e36-dirty',
        'firmware.medium': 'factory',
        'firmware.components': [
          {
            name: 'asic',
            value: 'BM1368',
          },
          {
            name: 'board',
            value: '401',
          },
          {
            name: 'idf',
            value: 'v5.4',
          },
          {
            name: 'keys.info',
            value: 'Q_YMJ3i43eyIloEk-t0LC6ob5lN4Etf5XYkbm3xUoH8',
          },
          {
            name: 'version',
            value: 'v2.4.5-3-gb5d1e36-dirty',
          },
        ],
        pools: [
          {
            slot: 0,
            url: 'btc.example.pool:3333',
            priority: 0,
            user: 'asic-rs.test',
            active: true,
          },
          {
            slot: 1,
            url: 'btc2.example.pool:3333',
            priority: 1,
            user: 'asic-rs.test',
            active: false,
          },
        ],
        'config.freq_mhz': 490,
        'config.voltage_mv': 1166,
        'config.fan_mode': 'auto',
        'config.other': [
          {
            key: 'invertfanpolarity',
            value: '1',
          },
          {
            key: 'ssid',
            value: 'Test',
          },
        ],
        'network.hostname': 'bitaxe',
        'telemetry.hashrate_hs': 1000000000000,
        'telemetry.power_w': 3,
        'telemetry.temp_max_mc': 27000,
        'telemetry.fans_rpm': [3517],
        'telemetry.chips': 1,
        'telemetry.elapsed_s': 4,
        'telemetry.uptime_s': 4,
        'telemetry.accepted': 0,
        'telemetry.rejected': 0,
      },
      gaps: {
        'firmware.build': 'absent',
        'config.fan_min_pct': 'absent',
        'telemetry.hw_errors': 'absent',
      },
    },
    'axeos/bitaxe-v2.6.0': {
      files: {
        'system_info.json': {
          query: 'info',
          sha256: 'ea8756e7e560f35c4302db4afbd33e8298bb9aa6ea6cb55303a429d7d1289019',
        },
      },
      facts: {
        'identity.make': 'Bitaxe',
        'identity.model': '302',
        'identity.mac': 'c0:fa:38:6a:6e:b2',
        'identity.control_board': '302',
        'firmware.name': 'AxeOS',
        'firmware.version': 'v2.6.0',
        'firmware.medium': 'factory',
        'firmware.components': [
          {
            name: 'asic',
            value: 'BM1366',
          },
          {
            name: 'board',
            value: '302',
          },
          {
            name: 'idf',
            value: 'v5.4',
          },
          {
            name: 'keys.info',
            value: 'AB1EljDjqNp_I8GUNQCR_KuTyjAwrWXvQ-L1GftpkJs',
          },
          {
            name: 'version',
            value: 'v2.6.0',
          },
        ],
        pools: [
          {
            slot: 0,
            url: 'public-pool.io:21496',
            priority: 0,
            user: 'bc1qfakexamplexwalletxaddressxforxtestsx000000000000000000000000.bitaxe',
            active: true,
          },
          {
            slot: 1,
            url: 'solo.ckpool.org:3333',
            priority: 1,
            user: 'bc1qfakexamplexwalletxaddressxforxtestsx000000000000000000000000.bitaxe',
            active: false,
          },
        ],
        'config.freq_mhz': 525,
        'config.voltage_mv': 1200,
        'config.fan_mode': 'manual',
        'config.other': [
          {
            key: 'invertfanpolarity',
            value: '1',
          },
          {
            key: 'overclockEnabled',
            value: '0',
          },
          {
            key: 'ssid',
            value: 'Hous1',
          },
        ],
        'network.hostname': 'bitaxe',
        'telemetry.hashrate_hs': 2372758334189,
        'telemetry.power_w': 58,
        'telemetry.temp_max_mc': 58000,
        'telemetry.fans_rpm': [5515],
        'telemetry.chips': 1,
        'telemetry.elapsed_s': 212115,
        'telemetry.uptime_s': 212115,
        'telemetry.accepted': 19739,
        'telemetry.rejected': 6,
      },
      gaps: {
        'firmware.build': 'absent',
        'config.fan_min_pct': 'absent',
        'telemetry.hw_errors': 'absent',
      },
    },
    'axeos/nerdqaxe-api-v2-doc': {
      files: {
        'v2_dashboard.json': {
          query: 'v2_dashboard',
          sha256: '86162a1ee2b9c3f1899bc8d952f2724879a587398f4828cdb83a611f892a9868',
        },
        'v2_identify.json': {
          unasked: 'its members stand in the settings as well',
          sha256: '29e21a8df1ee4de283c61c539689e49b6997b39fd6866810669ff3a0958b216d',
        },
        'v2_settings.json': {
          query: 'v2_settings',
          sha256: 'f47c3443b19b81d82aa55feafbd051b51fa5d96d87214b877ce0150c8b94b91e',
        },
        'v2_system.json': {
          query: 'v2_system',
          sha256: '07901ced0b1f6b2f8d79c2c3688df24cfb1de30c71ea840e17003330c9c7b896',
        },
      },
      facts: {
        'identity.make': 'NerdAxe',
        'identity.model': 'NerdQAxe+',
        'identity.mac': 'aa:bb:cc:dd:ee:ff',
        'firmware.name': 'AxeOS',
        'firmware.version': '1.2.3',
        'firmware.components': [
          {
            name: 'asic',
            value: 'BM1370',
          },
          {
            name: 'keys.v2_system',
            value: 'jweXiWFoWPA_bSwmGYmRjZu6Ali7Aoxe05jMf5k0PmI',
          },
          {
            name: 'version',
            value: '1.2.3',
          },
        ],
        pools: [
          {
            slot: 0,
            url: 'solo.ckpool.org:3333',
            priority: 0,
            user: 'bc1q...',
            tls: false,
            active: true,
          },
        ],
        live_pools: [
          {
            url: 'solo.ckpool.org:3333',
            user: 'bc1q...',
            active: true,
            host: 'solo.ckpool.org',
          },
        ],
        'config.freq_mhz': 525,
        'config.voltage_mv': 1150,
        'config.fan_mode': 'auto',
        'config.temp_limit_mc': 75000,
        'config.other': [
          {
            key: 'invertFanPolarity',
            value: '0',
          },
          {
            key: 'jobInterval',
            value: '3000',
          },
          {
            key: 'otp',
            value: 'true',
          },
          {
            key: 'poolMode',
            value: '0',
          },
          {
            key: 'ssid',
            value: 'MyWiFi',
          },
          {
            key: 'stratumDifficulty',
            value: '1000',
          },
          {
            key: 'stratumKeep',
            value: '1',
          },
          {
            key: 'vrFrequency',
            value: '500',
          },
        ],
        'network.hostname': 'nerdqaxe',
        'network.address': '192.168.1.42',
        'access.api_write': false,
        'telemetry.hashrate_hs': 1200500000000,
        'telemetry.power_w': 15,
        'telemetry.temp_max_mc': 59000,
        'telemetry.fans_rpm': [3200, 2800],
        'telemetry.chips': 4,
        'telemetry.elapsed_s': 86400,
        'telemetry.uptime_s': 86400,
        'telemetry.accepted': 4200,
        'telemetry.rejected': 3,
      },
      gaps: {},
    },
  },
};
