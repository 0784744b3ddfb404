import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ACME, EXAMPLE, writeExample } from '../outside/example.ts';
import { assayer, assertHarmless, configured, folder, lines } from './assayer.ts';

test('the example of docs/write-a-driver.md passes, as it stands there', async (t) => {
  const said = await assayer(['driver', 'test', writeExample(folder(t))]);
  assert.deepEqual([said.code, said.err], [0, '']);
  assert.match(said.out, /acme: ACME A1\n/);
  assert.match(said.out, /^identity\.model +ACME A1$/m);
  assert.match(said.out, /^telemetry\.hashrate_hs +95\.3 TH\/s$/m);
  assert.match(said.out, /\nOK\n$/);
  assertHarmless(said);
});

test('a driver that reads otherwise is told, fact by fact, with 1', async (t) => {
  const dir = writeExample(folder(t));
  const file = join(dir, 'driver.yaml');
  writeFileSync(file, ACME.replace('at: /firmware/version, read: text }', 'at: /firmware/release, read: text }'));
  const said = await assayer(['driver', 'test', dir]);
  assert.equal(said.code, 1);
  assert.match(said.err, /^firmware\.version without the log-in: "absent", expected "1\.4\.2"$/m);
  assert.match(said.out, /\nFAILED\n$/);
  const { code, out } = await assayer(['driver', 'test', dir, '--json']);
  assert.equal(code, 1);
  const told = JSON.parse(out);
  assert.deepEqual([told.ok, told.family, told.recognised], [false, 'acme', ['acme']]);
  assert.deepEqual(told.looks[0].differences, [{ fact: 'firmware.version', found: 'absent', expected: '1.4.2' }]);
  writeFileSync(file, ACME.replace('begins: "ACME "', 'begins: "ACMO "'));
  const stranger = await assayer(['driver', 'test', dir]);
  assert.equal(stranger.code, 1);
  assert.match(stranger.err, /recognised as cgminer, not as acme/);
});

test('without expectations a folder shows what is read; of a built-in family it needs no driver file', async (t) => {
  const dir = writeExample(folder(t));
  const { expect: _, family: __, ...device } = JSON.parse(EXAMPLE.get('device.json') ?? '');
  writeFileSync(join(dir, 'device.json'), JSON.stringify(device));
  const said = await assayer(['driver', 'test', dir]);
  assert.deepEqual([said.code, said.err], [0, '']);
  assert.match(said.out, /^config\.mode +normal$/m);
  const specimen = join(import.meta.dirname, '..', 'specimens', 'antminer-stock', 's21');
  const built = await assayer(['driver', 'test', specimen]);
  assert.deepEqual([built.code, built.err], [0, '']);
  assert.match(built.out, /^fact +with the log-in$/m);
});

test('a wrong folder, a wrong device.json, a wrong driver and none end with 2 and a remedy', async (t) => {
  const dir = folder(t);
  const absent = await assayer(['driver', 'test', join(dir, 'absent')]);
  assert.equal(absent.code, 2);
  assert.match(absent.err, /cannot read .*device\.json: ENOENT\n {2}remedy: .*\[driver\.folder\]/);
  const example = writeExample(dir);
  const device = join(example, 'device.json');
  const good = readFileSync(device, 'utf8');
  for (const [text, told] of [
    ['{', /is no JSON/],
    ['[]', /device\.json: .*expected object/],
    [good.replace('"version.json"', '"../../etc/passwd"'), /a file beside device\.json/],
    [good.replace('"version.json"', '"absent.json"'), /cannot read .*absent\.json: ENOENT/],
    [good.replace('"acme"', '"acne"'), /there is no family "acne"\n {2}remedy: did you mean acme\?/],
  ] as const) {
    writeFileSync(device, text);
    const said = await assayer(['driver', 'test', example]);
    assert.equal(said.code, 2, said.err);
    assert.match(said.err, told);
  }
  writeFileSync(device, good);
  const wrong = join(example, 'driver.yaml');
  writeFileSync(wrong, ACME.replace('{ cgminer: summary, cadence: pools }', '{ cgminer: reboot, cadence: pools }'));
  const refused = await assayer(['driver', 'test', example]);
  assert.equal(refused.code, 2);
  assert.match(
    refused.err,
    /driver\.yaml:6: queries\.summary\.cgminer: may not be sent: "reboot" says "reboot", which could act \(a command that only reads, .*\)\n {2}remedy: .*\[driver\.invalid\]/,
  );
});

test('driver schema prints the schema of the documentation', async () => {
  const { code, out } = await assayer(['driver', 'schema']);
  assert.equal(code, 0);
  const kept = JSON.parse(readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'driver.schema.json'), 'utf8'));
  const { $comment: _, title: __, ...schema } = kept;
  assert.deepEqual(JSON.parse(out), schema);
  assert.deepEqual(schema.required, ['family', 'title', 'source', 'queries', 'recognise', 'facts']);
});

test('requests shows what a driver file adds, by --driver and by configuration', async (t) => {
  const dir = folder(t);
  const example = writeExample(dir);
  const file = join(example, 'driver.yaml');
  const byFile = await assayer(['requests', '--driver', file, '--family', 'acme', '--json']);
  assert.equal(byFile.code, 0, byFile.err);
  const listed = JSON.parse(byFile.out) as readonly { request: string; families: readonly string[] }[];
  assert.deepEqual(listed.find(({ request }) => request === 'GET /api/info')?.families, ['acme']);
  const config = configured(dir, { drivers: ['acme/driver.yaml'] });
  const byConfig = await assayer(['requests', '-c', config, '--family', 'acme', '--json']);
  assert.deepEqual([byConfig.code, byConfig.out], [0, byFile.out]);
  const twice = await assayer(['requests', '--driver', file, '--driver', file]);
  assert.equal(twice.code, 2);
  assert.match(twice.err, /another driver file has the family "acme" already/);
  const without = await assayer(['requests', '--family', 'acme']);
  assert.equal(without.code, 2);
});

test('check-config finds what is wrong with a driver file, with its file and line; run starts nothing', async (t) => {
  const dir = folder(t);
  const example = writeExample(dir);
  const config = configured(dir, { drivers: ['acme/driver.yaml'] });
  const good = await assayer(['check-config', '-c', config]);
  assert.equal(good.code, 0, good.err);
  assert.match(good.out, /Families of driver files: acme\.\n$/);
  writeFileSync(join(example, 'driver.yaml'), ACME.replace('read: watts', 'raed: watts'));
  const bad = await assayer(['check-config', '-c', config]);
  assert.equal(bad.code, 2);
  assert.deepEqual(
    lines(bad.err).map((line) => line.replace(/^.*acme\//, '').replace(/ \(.*$/, '')),
    [
      'driver.yaml:37: facts.telemetry.power_w.read: missing: how the value there is read; docs/driver-readers.md has them all',
      'driver.yaml:37: facts.telemetry.power_w.raed: unknown setting "raed"',
    ],
  );
  assert.match(bad.err, /did you mean "read"\?/);
  const json = JSON.parse((await assayer(['check-config', '-c', config, '--json'])).out);
  assert.match(json.problems[0].file, /acme\/driver\.yaml$/);
  const run = await assayer(['run', '-c', config]);
  assert.equal(run.code, 2);
  assert.match(run.err, /driver\.yaml:37: .*\[config\.invalid\]/s);
  for (const [file, told] of [
    ['absent.yaml', /absent\.yaml:1: cannot read it: ENOENT/],
    ['.', /:1: it is no regular file/],
    ['/dev/zero', /\/dev\/zero:1: it is no regular file/],
    ['large.yaml', /large\.yaml:1: it is larger than 262144 bytes/],
    ['binary.yaml', /binary\.yaml:1: it is no UTF-8 text/],
  ] as const) {
    writeFileSync(join(dir, 'large.yaml'), `# ${'x'.repeat(300_000)}\n${ACME}`);
    writeFileSync(join(dir, 'binary.yaml'), Buffer.from([0xff, 0xfe, 0x00, 0x61]));
    const said = await assayer(['check-config', '-c', configured(dir, { drivers: [file] })]);
    assert.equal(said.code, 2, file);
    assert.match(said.err, told);
  }
});
