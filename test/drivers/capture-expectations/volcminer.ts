import type { FamilyExpectations } from './expectation.ts';

/** Short values, each compared by eye with the file it stands in; the digests pin the files. */
export const volcminer: FamilyExpectations = {
  family: 'volcminer',
  whole: ['volcminer'],
  captures: {
    'volcminer/d1-2025-10-08': {
      files: {
        'get_miner_status.json': {
          query: 'status',
          sha256: 'b0f69ad6898c28a52d978ea13121cc284a20063e83bf81ef318599d4a665ca69',
        },
        'get_system_info.json': {
          query: 'system',
          sha256: 'fba0e910a0a6289ead81bc47b6ffcbeb7135bf1b2ebc2130fc6b5fd79ede777d',
        },
      },
      facts: {
        'identity.make': 'VolcMiner',
        'identity.model': 'VolcMiner D1',
        'identity.mac': '48:fa:68:34:68:01',
        'identity.control_board': 'xilinx',
        'firmware.build': '2025-10-08 04-26-50 CST',
        'firmware.kernel': 'Linux 4.4.0-xilinx #1 SMP PREEMPT Mon Apr 27 16:35:56 CST',
        'firmware.components': [
          { name: 'keys.system', value: 'bSD3OWAgf8B68dI-U4CJMv3igZY29FPRBVY5fxOim8U' },
          { name: 'system.filesystem', value: '2025-10-08 04-26-50 CST' },
          { name: 'system.kernel', value: 'Linux 4.4.0-xilinx #1 SMP PREEMPT Mon Apr 27 16:35:56 CST' },
          { name: 'system.miner', value: '4.12.0' },
        ],
        live_pools: [{ url: 'stratum+tcp://pool.invalid:3333', user: 'worker', status: 'Alive' }],
        'config.freq_mhz': 2000,
        'network.hostname': 'VolcMiner D1',
        'telemetry.hashrate_hs': 18500500000,
        'telemetry.temp_max_mc': 57000,
        'telemetry.fans_rpm': [1200, 1300],
        'telemetry.chips': 120,
        'telemetry.elapsed_s': 42,
        'telemetry.accepted': 12,
        'telemetry.rejected': 1,
      },
      gaps: { pools: 'unreachable' },
    },
    'volcminer/rpc-malformed-stats': {
      files: {
        'stats.txt': { query: 'stats', sha256: '3f727ec0986cac0311494e4e64d2bee998e371a46fff06c0ac9382294cbd6950' },
      },
      facts: { 'firmware.name': 'CGMiner', 'telemetry.fans_rpm': [5610], 'telemetry.chips': 105 },
    },
    'volcminer/ip-report': {
      files: {
        'ip_report_udp_14235.txt': {
          unasked: 'a report that the device sends by itself',
          sha256: '5d3cdacd02777c14605ab2739b819f91b399d7ba96c517e92ba04fa1db474396',
        },
      },
      facts: {},
    },
  },
};
