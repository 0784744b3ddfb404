import type { FamilyExpectations } from './expectation.ts';

/** Short values, each compared by eye with the file it stands in; the digests pin the files. */
export const mskminer: FamilyExpectations = {
  family: 'mskminer',
  whole: ['mskminer'],
  captures: {
    'mskminer/s19-88-2.6.0.39': {
      files: {
        'stats.json': { query: 'stats', sha256: '2a0322ba4259be6757ba9e64cd43844ef587bb4e941475a3ed91c6563a357877' },
        'version.json': {
          query: 'version',
          sha256: '0214ba3e85fd8daad5a9bcdb59c70e8c381ac801101177cdddfc820a11b6aa09',
        },
      },
      facts: {
        'identity.model': 'S19-88',
        'firmware.name': 'MSKMiner',
        'firmware.version': '2.6.0.39',
        'firmware.build': '10 Dec 2024 14:34:31 GMT',
        'firmware.components': [
          { name: '4028.api', value: '3.1' },
          { name: '4028.build', value: '10 Dec 2024 14:34:31 GMT' },
          { name: '4028.description', value: 'bmminer 1.0.0' },
          { name: '4028.miner', value: '0.0.1.3' },
          { name: '4028.program', value: '4.11.1 rwglr' },
          { name: '4028.type', value: 'S19-88 v.2.6.0.39' },
          { name: 'keys.version', value: 'tuzNnI4LfgDskjMi9xP-ZIXi8SeFMjdnAMD5RT1w0mA' },
        ],
        // The mean of 744, 724 and 734: `frequency` is empty, and the mean that the row tells is 0.
        'config.freq_mhz': 734,
        'config.other': [{ key: 'has_hotel_fee', value: '0' }],
        'telemetry.hashrate_hs': 99_989_590_000_000,
        'telemetry.power_w': 3358,
        'telemetry.temp_max_mc': 59_000,
        'telemetry.fans_rpm': [5010, 5160, 5070, 5040],
        'telemetry.chips': 264,
        'telemetry.elapsed_s': 1926,
        'telemetry.hw_errors': 0,
      },
      gaps: {
        'identity.make': 'absent',
        'identity.chip_id': 'absent',
        'identity.hashboards': 'absent',
        'config.voltage_mv': 'absent',
      },
    },
  },
};
