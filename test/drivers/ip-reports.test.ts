import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { deflateSync } from 'node:zlib';
import fc from 'fast-check';
import { REPORT_FORMS, type Report } from '../../agent/drivers/ip-reports.ts';
import { cleanReport } from '../../agent/normalise/ip-report.ts';
import { inflateBounded } from '../../agent/probe/inflate.ts';

const CAPTURES = process.env.ASSAYER_CAPTURES ?? fileURLToPath(new URL('../../../shared/captures', import.meta.url));

const read = (name: string, payload: string | Uint8Array): Report | undefined => {
  const form = REPORT_FORMS.find((one) => one.name === name);
  assert.ok(form, `there is a form ${name}`);
  return form.read(Buffer.from(payload), inflateBounded);
};

/** A SealMiner report around some documents; `length` where it lies. */
const sealed = (documents: string | Uint8Array, length?: number): Buffer => {
  const packed = deflateSync(documents);
  const head = Buffer.alloc(8);
  head.writeUInt32BE(length ?? packed.length + 4);
  head.writeUInt32BE(0x20190314, 4);
  return Buffer.concat([head, packed]);
};

const SEALMINER = [
  '{"Type":3,"Status":0}',
  '{"MAC":"02:1A:2B:3C:4D:5E","Type":"A2","Firmware":"2025040301","CtrlBoardVersion":"air_v1.1","MainBoardSN":"S100000000000001","RatedInputPower":4300,"InputPowerLimit":3400,"BoardSnArray":[{"SN":"S200000000000001","BinVer":1,"BinNum":29},{"SN":"S200000000000002","BinVer":1,"BinNum":29}]}',
  '{"Interface":"eth0","Active":false,"DHCP":true,"IPV4":"192.168.1.2"}',
  '{"Interface":"eth1","Active":true,"DHCP":true,"IPV4":"10.20.14.7"}',
  '{"Pools":[{"URL":"pool.example:3333","Worker":"acme.r1","Password":"hunter2"},{"URL":"","Worker":"","Password":""},{"URL":"stratum+tcp://acme:hunter2@b.pool.example:443","Worker":"acme.r2","Password":"hunter2"}]}',
  '{"Room":0,"Cabinet":0}',
].join('\0\0\0');

const GOLDSHELL = {
  version: '2.2.3',
  ip: '10.20.14.7',
  dhcp: 'enable',
  model: 'Goldshell-BOX',
  ctrlsn: 'CS00000001',
  mac: '02:1a:2b:3c:4d:5e',
  cpbsn: ['LP00000001', null, 'LP00000003'],
  dns: null,
  boxsn: 'BX00000001',
};

const BOTH = { address: '10.20.14.7', mac: '02:1a:2b:3c:4d:5e' };

test('every documented port has one form', () => {
  const ports = REPORT_FORMS.map(({ port }) => port).sort((a, b) => a - b);
  assert.deepEqual(ports, [1314, 8888, 9999, 11_503, 12_345, 14_235, 18_650, 54_321]);
});

test('reports that are a line of text give address and MAC, whatever follows', () => {
  for (const [name, payload, report] of [
    ['antminer', '10.20.14.7,02:1A:2B:3C:4D:5E', BOTH],
    ['antminer', '10.20.14.7,02:1a:2b:3c:4d:5e\0\0', BOTH],
    ['antminer', '10.20.14.7,00:00:00:00:00:00', { address: '10.20.14.7' }],
    ['whatsminer', 'IP:10.20.14.7MAC:02:1A:2B:3C:4D:5E', BOTH],
    ['whatsminer', 'IP: 10.20.14.7, MAC: 021a2b3c4d5e\n', BOTH],
    ['iceriver', 'addr:10.20.14.7', { address: '10.20.14.7' }],
    ['iceriver', 'addr:10.20.14.7\0\0', { address: '10.20.14.7' }],
    ['elphapex', 'DG_IPREPORT_ONLY', {}],
    ['ipollo', 'IP Addr:[10.20.14.7] \t MAC Addr:[02:1a:2b:3c:4d:5e] \t Time:[2026-01-02 03:04:05]', BOTH],
  ] as const)
    assert.deepEqual(read(name, payload), report, payload);
});

test('text on the same ports that is no report is none', () => {
  for (const [name, payload] of [
    ['antminer', ''],
    ['antminer', 'OK\0\0send_b'],
    ['antminer', '10.20.14.256,02:1a:2b:3c:4d:5e'],
    ['antminer', '10.20.14,02:1a:2b:3c:4d:5e'],
    ['antminer', '10.20.14.7.1,02:1a:2b:3c:4d:5e'],
    ['antminer', '10.20.14.7,02:1a:2b:3c:4d'],
    ['antminer', '10.20.14.7,02:1a:2b:3c:4d:5e:6f'],
    ['antminer', ' 10.20.14.7,02:1a:2b:3c:4d:5e'],
    ['antminer', `10.20.14.7,02:1a:2b:3c:4d:5e${'\0'.repeat(65_000)}`],
    ['whatsminer', '10.20.14.7,02:1a:2b:3c:4d:5e'],
    ['iceriver', 'addr:miner.example'],
    ['elphapex', 'DG_IPREPORT_ONLYX'],
    ['ipollo', 'IP Addr:[10.20.14.7]'],
    ['goldshell', '{}'],
    ['goldshell', '["10.20.14.7"]'],
    ['goldshell', '{"ip":"10.20.14.7","model":"Goldshell-BOX"}'],
    ['goldshell', '{"mac":"02:1a:2b:3c:4d:5e"'],
    ['auradine', '{"command":"reboot","mac":"02:1a:2b:3c:4d:5e"}'],
  ] as const)
    assert.equal(read(name, payload), undefined, payload.slice(0, 60));
});

test('a Goldshell report gives the serials, without the empty slots', () => {
  assert.deepEqual(read('goldshell', JSON.stringify(GOLDSHELL)), {
    ...BOTH,
    model: 'Goldshell-BOX',
    serial: 'BX00000001',
    controlBoard: 'CS00000001',
    hashboards: ['LP00000001', 'LP00000003'],
    firmware: '2.2.3',
  });
});

test('an Auradine report gives model, serials, firmware and host name', () => {
  const payload = {
    command: 'ipreport',
    SerialNo: 'AU00000001',
    ip: '10.20.14.7',
    mac: '02:1a:2b:3c:4d:5e',
    model: 'AT1500',
    version: '2023-12.27',
    hostname: 'rack-1',
    HBSerialNo: ['HB1', 'HB2'],
  };
  assert.deepEqual(read('auradine', JSON.stringify(payload)), {
    ...BOTH,
    model: 'AT1500',
    serial: 'AU00000001',
    hashboards: ['HB1', 'HB2'],
    firmware: '2023-12.27',
    hostname: 'rack-1',
  });
});

test('a SealMiner report gives the pools without their passwords, and the address of the active interface', () => {
  const report = read('sealminer', sealed(SEALMINER));
  assert.ok(report);
  const clean = cleanReport(report);
  assert.deepEqual(clean, {
    ...BOTH,
    model: 'A2',
    controlBoard: 'S100000000000001',
    hashboards: ['S200000000000001', 'S200000000000002'],
    firmware: '2025040301',
    pools: [
      { slot: 0, url: 'pool.example:3333', user: 'acme.r1' },
      { slot: 2, url: 'stratum+tcp://acme:***@b.pool.example:443', user: 'acme.r2' },
    ],
  });
  assert.doesNotMatch(JSON.stringify(clean), /hunter2/);
});

test('a SealMiner report that is cut off, lies about its length or unfolds without end is none', () => {
  const whole = sealed(SEALMINER);
  for (let end = 0; end < whole.length; end += 1) assert.equal(read('sealminer', whole.subarray(0, end)), undefined);
  for (const length of [0, 3, whole.length - 3, 0xffffffff])
    assert.equal(read('sealminer', sealed(SEALMINER, length)), undefined, String(length));
  const bomb = `${SEALMINER}${'\0'.repeat(40_000_000)}`;
  assert.ok(sealed(bomb).length < 65_507, 'the bomb fits into a datagram');
  assert.equal(read('sealminer', sealed(bomb)), undefined);
  assert.equal(read('sealminer', sealed(`${'{}\0'.repeat(80_000)}${SEALMINER}`)), undefined);
  assert.ok(read('sealminer', whole));
});

test('members of the wrong kind are left out, and the rest is read', () => {
  const odd = { ...GOLDSHELL, ip: '999.1.1.1', model: 'x'.repeat(300), ctrlsn: 7, cpbsn: Array(17).fill('LP1') };
  assert.deepEqual(read('goldshell', JSON.stringify(odd)), {
    mac: '02:1a:2b:3c:4d:5e',
    serial: 'BX00000001',
    firmware: '2.2.3',
  });
  const twice = '{"mac":"02:1a:2b:3c:4d:5e","mac":"02:1a:2b:3c:4d:5f","boxsn":"BX00000001"}';
  assert.deepEqual(read('goldshell', twice), { serial: 'BX00000001' });
});

test('texts that could move a cursor or turn a line are marked', () => {
  const report = read('goldshell', JSON.stringify({ ...GOLDSHELL, model: 'A\u202eB\u001b[2J\u0000C' }));
  assert.ok(report);
  assert.match(cleanReport(report).model ?? '', /^A\ufffdB\ufffd\[2J\ufffdC~sha256:[\w-]{16}$/);
});

/** Beginnings that lead into the parsers, and what they might find there. */
const beginning = fc.constantFrom(
  '',
  '10.20.14.7,02:1a:2b:3c:4d:5e',
  'IP:10.20.14.7MAC:02',
  'addr:',
  'DG_IPREPORT_ONLY',
  'IP Addr:[',
  '{"command":"ipreport",',
  JSON.stringify(GOLDSHELL).slice(0, -1),
);
const hostile = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  fc.tuple(beginning, fc.uint8Array({ maxLength: 60 })).map(([text, rest]) => Buffer.concat([Buffer.from(text), rest])),
  fc.json().map((text) => Buffer.from(text)),
  fc.uint8Array({ maxLength: 300 }).map((bytes) => sealed(bytes)),
  fc.array(fc.json(), { maxLength: 5 }).map((documents) => sealed(documents.join('\0'))),
  fc
    .tuple(fc.nat(SEALMINER.length - 1), fc.string({ maxLength: 8 }))
    .map(([at, text]) => sealed(SEALMINER.slice(0, at) + text + SEALMINER.slice(at + text.length))),
);

test('any bytes are a report or none, never an error; and what a report says is short and harmless', () => {
  let reports = 0;
  fc.assert(
    fc.property(hostile, (payload) => {
      for (const form of REPORT_FORMS) {
        const report = form.read(payload, inflateBounded);
        if (report === undefined) continue;
        reports += 1;
        const clean = JSON.stringify(cleanReport(report));
        assert.ok(clean.length < 20_000);
        assert.doesNotMatch(clean, /[\u202a-\u202e\u2066-\u2069]|\\u00[01]/);
      }
    }),
    { numRuns: 2000 },
  );
  assert.ok(reports > 50, `the run saw ${reports} reports`);
});

interface Captured {
  readonly file: string;
  readonly form: string;
  readonly sha256: string;
  readonly report: Report | undefined;
}

const SEEN = { address: '198.18.0.1', mac: '02:00:00:00:00:01' };
const CAPTURED: readonly Captured[] = [
  {
    file: 'volcminer/ip-report/ip_report_udp_14235.txt',
    form: 'antminer',
    sha256: '5d3cdacd02777c14605ab2739b819f91b399d7ba96c517e92ba04fa1db474396',
    report: SEEN,
  },
  {
    file: 'others/dragonball-ip-report/ip_report_udp_14235.txt',
    form: 'antminer',
    sha256: '30821bc754befed6f54d4f12a42e68af51193ca5b087c173d67468dfda5dab8e',
    report: SEEN,
  },
  {
    file: 'others/port-14235-not-a-report/ip_report_udp_14235.txt',
    form: 'antminer',
    sha256: 'f7f6b4208351656a405e01c6b5bb04aaa991b7ea1877a06bcf2a89e693a3857d',
    report: undefined,
  },
  {
    file: 'others/ipollo-ip-report/ip_report_udp_54321.txt',
    form: 'ipollo',
    sha256: '23c312818ebe467a6391a093cbf4e5e805f6fd0a355f7e4f8df8c6b2514eda1b',
    report: SEEN,
  },
  {
    file: 'elphapex/ip-report/ip_report_udp_9999.txt',
    form: 'elphapex',
    sha256: 'b5f548330f462719d21eab0e5793b6df595967244c7a76fffe93cacca4a09422',
    report: {},
  },
  {
    file: 'goldshell/dgmax-2.2.3-ip-report/ip_report_udp_1314.txt',
    form: 'goldshell',
    sha256: 'fc838e3e4c75f503886cc54399935c7670e7503e90abcbf97852600850789e9c',
    report: {
      ...SEEN,
      model: 'Goldshell-DGMAX',
      serial: 'LP24BS450012B484E1',
      controlBoard: 'CS30504476F6FE387689',
      hashboards: ['LP24PSA1016017F1D1449FCD1A0C', 'LP24PSA1016017F1D1449FCD1A64', 'LP24PSA1016017F1D1449FCD1A7F'],
      firmware: '2.2.3',
    },
  },
];

const skip = existsSync(CAPTURES) ? false : `${CAPTURES} is not there (ASSAYER_CAPTURES names another folder)`;

for (const { file, form, sha256, report } of CAPTURED) {
  test(`the real report ${file} is read as a person reads it`, { skip }, () => {
    const payload = readFileSync(join(CAPTURES, file));
    assert.equal(createHash('sha256').update(payload).digest('hex'), sha256);
    const found = read(form, payload);
    assert.deepEqual(found === undefined ? undefined : cleanReport(found), report);
  });
}
