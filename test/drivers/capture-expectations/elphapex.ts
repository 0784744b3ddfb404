import type { FamilyExpectations } from './expectation.ts';

/** Short values, each compared by eye with the file it stands in; the digests pin the files. */
export const elphapex: FamilyExpectations = {
  family: 'elphapex',
  whole: ['elphapex'],
  captures: {
    'elphapex/dg-home1': {
      files: {
        'chart.json': {
          unasked: 'the course of the rate',
          sha256: 'a6b70960f2962613707bdb0013bf9e187a59f8abad7610caa0d9e01a5c44672e',
        },
        'get_blink_status.json': {
          unasked: 'the state of a light',
          sha256: '4428c7658c7f8026b4cdfc9cc4006d6954184ac49883005f3b44e04beed54c83',
        },
        'get_miner_conf.json': {
          query: 'conf',
          sha256: 'a75f01cb4b9c0c59390db283b57e40ac564d526fca798b4c9a25c7085801a01c',
        },
        'get_network_info.json': {
          query: 'network',
          sha256: '598b1e8401096e9630c7a7d6c174201764b91d8360aea26ca959a6c2d1bb6ea2',
        },
        'get_power.json': {
          query: 'power',
          sha256: '4e98048ab7698d9f84aac9b6780ef2327ed4be448968e50b5ec35e1bd00fb80d',
        },
        'get_system_info.json': {
          query: 'system',
          sha256: 'da7a32cac5e2918c96f194704f7eed50ec16bf28a5d55cb592946c843b620a51',
        },
        'get_wifi_list.json': {
          unasked: 'makes the radio scan',
          sha256: '834c5257684fcb21068b8b6de2f0a24c7950a324ff94ce7721c25db4bd7c3cff',
        },
        'get_wifi_port_list.json': {
          unasked: 'makes the radio scan',
          sha256: 'b22d111fdcee03a2cb3914b56ed63c7e0dcb52a5d528e478c1efaa7208efbc59',
        },
        'pools.json': { query: 'pools', sha256: '72ea0e8d9e9458d3f22c45bdebbdca346212a7bb40b1f0af467ac163778bfa93' },
        'stats.json': { query: 'stats', sha256: '14708deae04eb90eab0bad2fd507a01eec06762538d9785e55dac76a123002c4' },
        'summary.json': {
          query: 'summary',
          sha256: '57b8f3306d4199d8348786ae448a148d943877b48504aa25ff0dcf9c720a4b02',
        },
        'webif.json': {
          unasked: 'has no documented path',
          sha256: '2a80a099c9e162c871fb26068ba7dae9cfb878af1dc0af9059073f48493fb927',
        },
      },
      facts: {
        'identity.make': 'Elphapex',
        'identity.model': 'DG-Home1',
        'identity.serial': '13HY24B056N300037C11B',
        'identity.mac': 'b8:4c:87:e0:66:b2',
        'identity.control_board': 'DG-Home1_HW_V1.0',
        'identity.hashboards': ['10HY24B046N300036H10JC53'],
        'identity.psu': 'BC10FP1041115S04624J000061A',
        'firmware.version': 'DG-Home1_V1.0.5',
        'firmware.build': 'Wed Feb 26 11:19:53 CST 2025',
        'firmware.kernel': '4.4.194 #1 SMP Wed Feb 26 11:19:53 CST 2025',
        'firmware.components': [
          { name: 'keys.system', value: 'lcWQYMAlryNHOOUNccidTX0JiNGBKvwVdg8B63-sh-w' },
          { name: 'system.algorithm', value: 'Scrypt' },
          { name: 'system.filesystem', value: 'DG-Home1_V1.0.5' },
          { name: 'system.firmware-type', value: 'Release' },
          { name: 'system.kernel', value: '4.4.194 #1 SMP Wed Feb 26 11:19:53 CST 2025' },
          { name: 'system.model', value: 'DG-Home1' },
          { name: 'web.api', value: '1.0.0' },
          { name: 'web.board', value: 'DG-Home1_HW_V1.0' },
          { name: 'web.miner', value: 'DG-Home1_V1.0.5' },
          { name: 'web.type', value: 'DG-Home1' },
        ],
        pools: [
          { slot: 0, url: 'stratum+tcp://pool.invalid:3333', priority: 0, user: 'worker', status: 'Unreachable' },
          { slot: 1, url: 'stratum+tcp://backup.invalid:3333', priority: 1, user: 'worker', status: 'Unreachable' },
          { slot: 2, url: 'stratum+tcp://tertiary.invalid:3333', priority: 2, user: 'worker', status: 'Unreachable' },
        ],
        live_pools: [
          { url: 'stratum+tcp://pool.invalid:3333', user: 'worker', status: 'Unreachable' },
          { url: 'stratum+tcp://backup.invalid:3333', user: 'worker', status: 'Unreachable' },
          { url: 'stratum+tcp://tertiary.invalid:3333', user: 'worker', status: 'Unreachable' },
        ],
        'config.mode': 'normal',
        'config.freq_mhz': 1850,
        'config.fan_mode': 'auto',
        'config.other': [
          { key: 'algo', value: 'ltc' },
          { key: 'fc-fan-pwm', value: '20' },
          { key: 'fc-freq', value: '1850' },
          { key: 'fc-freq-level', value: '100' },
          { key: 'fc-voltage', value: '1470' },
        ],
        'network.hostname': 'DG-Home1',
        'network.dhcp': true,
        'network.netmask': '255.255.255.0',
        // Two documents of one folder tell two addresses.
        'network.address': '10.10.10.172',
        'telemetry.hashrate_hs': 0,
        // The one chain with chips: 25687.
        'telemetry.temp_max_mc': 25687,
        'telemetry.fans_rpm': [420, 420, 420, 1020],
        'telemetry.chips': 120,
        'telemetry.elapsed_s': 0,
        'telemetry.accepted': 0,
        'telemetry.rejected': 0,
      },
      gaps: { 'network.gateway': 'absent', 'network.dns': 'absent', 'telemetry.last_share_age_s': 'absent' },
    },
    'elphapex/dg-home1-write-replies': {
      files: {
        'blink.json': {
          unasked: 'the reply to a write',
          sha256: '7b4ab49edc0020e9514330230bb1230847634638b327b0821a569a1f7125df27',
        },
        'set_miner_conf.json': {
          unasked: 'the reply to a write',
          sha256: '400a9a3d73dbdf0b7d8601f79d2bfcccf9fa914a5d873f794471445bdcc64a27',
        },
        'set_network_conf.json': {
          unasked: 'the reply to a write',
          sha256: '598b1e8401096e9630c7a7d6c174201764b91d8360aea26ca959a6c2d1bb6ea2',
        },
        'set_wlan_state.json': {
          unasked: 'the reply to a write',
          sha256: '07e5c5d1c4d738ae84f8048a81e7bd4fc26cfc80acb8f4fb863b1d0bae671295',
        },
        'wifi_connect.json': {
          unasked: 'the reply to a write',
          sha256: '36f579d4c4606f9ff3c022585bab9c993c9fb9f0aec51523d0a81a7065d0eb31',
        },
      },
      facts: {},
    },
    'elphapex/ip-report': {
      files: {
        'ip_report_udp_9999.txt': {
          unasked: 'a report that the device sends by itself',
          sha256: 'b5f548330f462719d21eab0e5793b6df595967244c7a76fffe93cacca4a09422',
        },
      },
      facts: {},
    },
  },
};
