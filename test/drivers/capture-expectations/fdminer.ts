import type { FamilyExpectations } from './expectation.ts';

/** Short values, each compared by eye with the file it stands in; the digests pin the files. */
export const fdminer: FamilyExpectations = {
  family: 'fdminer',
  whole: ['foundry-fdminer'],
  captures: {
    'foundry-fdminer/s19xp-2.4.2-test2': {
      files: {
        'devs.json': { query: 'devs', sha256: '92ad56dce71b7e1be10b6e669afcb3ef83e3cddfbbc547ee6ffacddaa10957fc' },
        'get_system_info.invalid.txt': {
          query: 'system',
          sha256: '848758a5d56de89ef88bf54dd6c874339aae6c8f123fedd9345099f7977762a9',
        },
        'summary.json': {
          query: 'summary',
          sha256: 'f3a61da301d8062b26b2bd2488478cbe5de24d9ce24c73dc39bf61d09f0f00a4',
        },
        'version.json': {
          query: 'version',
          sha256: '82b17f4eb31dcc7e48684c85d4f7361cd28c2bb39db5060ba6419047d991734a',
        },
      },
      facts: {
        'identity.make': 'Bitmain',
        'identity.model': 'Antminer S19 XP',
        'identity.mac': '02:03:00:00:00:05',
        'identity.control_board': '0ca56518acba4a66bb799c17db536063',
        'firmware.name': 'BCFMiner',
        'firmware.version': '2.4.2 Test2',
        'firmware.build': 'Wed Jun 12 02:16:32 CST 2024',
        'firmware.kernel': 'Linux 6.1.28 #1 SMP PREEMPT Wed May 29 12:17:48 IST 2024',
        'firmware.components': [
          { name: '4028.api', value: '3.1' },
          { name: '4028.build', value: 'Wed Jun 12 02:16:32 CST 2024' },
          { name: '4028.description', value: 'BCFMiner 2.4.2 Test2' },
          { name: '4028.miner', value: 'FCB V2.2' },
          { name: '4028.program', value: '2.4.2 Test2' },
          { name: '4028.type', value: 'Antminer S19 XP' },
          { name: 'keys.system', value: '13kwZlsZg0XDrSTCOeJ3JDbfowZ4t44DwjRBX-r4_TY' },
          { name: 'keys.version', value: 'v1I8u6pN6i8bYSMEDiqDs-TLYKhML4bYu7-nkmvcpGo' },
          { name: 'system.filesystem', value: 'Tue Jun 25 17:10:32 CST 2024' },
          { name: 'system.firmware-type', value: 'test' },
          { name: 'system.kernel', value: 'Linux 6.1.28 #1 SMP PREEMPT Wed May 29 12:17:48 IST 2024' },
          { name: 'system.model', value: 'Antminer S19 XP' },
        ],
        'network.hostname': 'foundry-020300000002',
        'network.dhcp': true,
        'network.netmask': '255.255.255.0',
        'network.gateway': '10.2.30.1',
        'network.dns': ['1.1.1.1'],
        'network.address': '10.2.30.41',
        'telemetry.hashrate_hs': 96_000_000_000_000,
        'telemetry.elapsed_s': 24_930,
        'telemetry.accepted': 1787,
        'telemetry.rejected': 3,
        'telemetry.hw_errors': 6,
      },
    },
  },
};
