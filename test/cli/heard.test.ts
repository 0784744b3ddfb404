import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Heard, type Sighting } from '../../agent/cli/heard.ts';
import { REPORT_FORMS, type Report, type ReportForm } from '../../agent/drivers/ip-reports.ts';
import { cleanReport } from '../../agent/normalise/ip-report.ts';

const [form] = REPORT_FORMS as readonly [ReportForm, ...ReportForm[]];

const sighting = (address: string, mac: string, more: Report = {}): Sighting => ({
  form,
  port: form.port,
  address,
  receivedAtMs: 0,
  report: { address, mac, ...more },
});

test('a device that reports the same again is counted, and keeps its first report', () => {
  const heard = new Heard();
  const first = sighting('10.20.14.7', '02:1a:2b:3c:4d:5e');
  const taken = [first, sighting('10.20.14.7', '02:1a:2b:3c:4d:5e')].map((one) => heard.take(one));
  assert.deepEqual(taken, ['new', 'repeated']);
  assert.deepEqual(heard.reports, [{ first, times: 2 }]);
  assert.equal(heard.repeated, 1);
});

test('a forged report does not hide the device whose MAC it claims', () => {
  const heard = new Heard();
  const taken = ['10.20.14.66', '10.20.14.7'].map((address) => heard.take(sighting(address, '02:1a:2b:3c:4d:5e')));
  assert.deepEqual(taken, ['new', 'new']);
});

test('a forged report does not hide what the device itself says, whichever comes first', () => {
  const says = (url: string) =>
    sighting('10.20.14.7', '02:1a:2b:3c:4d:5e', {
      pools: [
        { slot: 0, url: 'pool.example:3333', user: 'acme' },
        { slot: 1, url },
      ],
    });
  const heard = new Heard();
  const taken = ['forged', 'true', 'forged', 'true'].map((url) => heard.take(says(url)));
  assert.deepEqual(taken, ['new', 'new', 'repeated', 'repeated']);
  assert.deepEqual(
    heard.reports.map(({ times }) => times),
    [2, 2],
  );
});

/** What these datagrams of a form are taken as. */
const takenOf = (name: string, payloads: readonly string[]): readonly string[] => {
  const one = REPORT_FORMS.find((known) => known.name === name);
  assert.ok(one);
  const heard = new Heard();
  return payloads.map((payload) => {
    const report = one.read(Buffer.from(payload), () => undefined);
    assert.ok(report, payload);
    return heard.take({ ...sighting('10.20.14.7', ''), form: one, report: cleanReport(report) });
  });
};

test('two devices without a MAC at one address are told apart by their serials', () => {
  assert.deepEqual(takenOf('goldshell', ['{"boxsn":"S2"}', '{"boxsn":"S3"}']), ['new', 'new']);
});

test('what is another in each report of a device makes no second line', () => {
  const goldshell = (time: number, led: boolean) =>
    `{"boxsn":"S2","ip":"10.20.14.7","mac":"02:1a:2b:3c:4d:5e","time":${time},"ledstatus":${led}}`;
  assert.deepEqual(takenOf('goldshell', [goldshell(1, true), goldshell(2, false)]), ['new', 'repeated']);
  const ipollo = (time: string) => `IP Addr:[10.20.14.7] MAC Addr:[02:1a:2b:3c:4d:5e] Time:[${time}]`;
  assert.deepEqual(takenOf('ipollo', [ipollo('08:00:00'), ipollo('08:00:07')]), ['new', 'repeated']);
});

test('at most 2048 different reports are kept; these are still counted when there are more', () => {
  const heard = new Heard();
  for (let index = 0; index < 3000; index += 1) heard.take(sighting(`10.0.${index >> 8}.${index & 255}`, ''));
  assert.deepEqual([heard.reports.length, heard.leftOut], [2048, 952]);
  assert.equal(heard.take(sighting('10.0.0.0', '')), 'repeated');
});

const hex = (byte: number): string => byte.toString(16).padStart(2, '0');

/** The heap in use after a collection, bytes. */
const heapUsed = (): number => {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
  return process.memoryUsage().heapUsed;
};

/**
 * A report of nearly 64 KiB, damaged by a raw tab so that it is read piece by piece: a piece of a text keeps all of it in
 * memory.
 */
const fat = (index: number): Buffer =>
  Buffer.from(
    `{"boxsn":"BX${String(index).padStart(20, '0')}","mac":"02:1a:2b:00:${hex(index >> 8)}:${hex(index & 255)}","x":"\t${'x'.repeat(64_000)}"}`,
  );

test('two thousand reports in the largest datagrams there are take a few megabytes', () => {
  const goldshell = REPORT_FORMS.find(({ name }) => name === 'goldshell');
  assert.ok(goldshell);
  const heard = new Heard();
  const before = heapUsed();
  for (let index = 0; index < 3000; index += 1) {
    const report: Report | undefined = goldshell.read(fat(index), () => undefined);
    assert.ok(report);
    heard.take({ ...sighting('10.20.14.7', ''), form: goldshell, report: cleanReport(report) });
  }
  const grown = heapUsed() - before;
  assert.equal(heard.reports.length, 2048);
  assert.ok(grown < 8_000_000, `${grown} bytes`);
});
