import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { ACME, ALLOWED_WITH_ACME, acmeSpecimen, EXAMPLE } from '../outside/example.ts';
import { FakeMiner, flooding } from '../probe/fake-miner.ts';
import { type Fleet, startFleet } from '../simulator/fleet.ts';
import { loadSpecimens, type Specimen } from '../specimens/specimen.ts';
import { assayer, assertHarmless, folder } from './assayer.ts';

const named = (name: string): Specimen => {
  const found = loadSpecimens().find((one) => one.name === name);
  assert.ok(found !== undefined, `no specimen ${name}`);
  return found;
};

/** An ACME that speaks HTTP only: without its driver nobody knows it. */
const webOnly = (): Specimen => {
  const specimen = acmeSpecimen();
  const { 'http:/': page, 'http:/api/info': info } = specimen.device.replies;
  assert.ok(page !== undefined && info !== undefined);
  return { ...specimen, device: { ...specimen.device, replies: { 'http:/': page, 'http:/api/info': info } } };
};

const [MINER, LOGIN, OURS, ODD, SILENT] = [
  '127.93.0.1',
  '127.93.0.2',
  '127.93.0.3',
  '127.93.0.4',
  '127.93.0.5',
] as const;

let fleet: Fleet;
let ports: readonly string[];

before(async () => {
  const built = ['whatsminer/m50s-api2', 'antminer-stock/s21'].map(named);
  const specimens = [...built, acmeSpecimen(), webOnly(), named('cgminer/cgminer')];
  fleet = await startFleet({ specimens, base: MINER, allowed: ALLOWED_WITH_ACME });
  fleet.device(SILENT).behave('silent');
  ports = ['--ports', `cgminer=${fleet.ports.cgminer},http=${fleet.ports.http}`];
});

after(async () => {
  const violations = fleet.violations();
  await fleet.stop();
  assert.deepEqual(violations, []);
});

/** A driver file in `dir`. */
const driverIn = (dir: string, text: string = ACME): string => {
  const file = join(dir, 'acme.yaml');
  writeFileSync(file, text);
  return file;
};

test('probe and scan recognise a device by its driver file, and without it as what it imitates', async (t) => {
  const file = driverIn(folder(t));
  const known = await assayer(['probe', OURS, ...ports, '--driver', file, '--json']);
  assert.deepEqual([known.code, known.err], [0, '']);
  const seen = JSON.parse(known.out);
  assert.deepEqual([seen.family, seen.identity.model, seen.access.api_write], ['acme', 'ACME A1', false]);
  const plain = await assayer(['probe', OURS, ...ports, '--json']);
  assert.equal(JSON.parse(plain.out).family, 'cgminer');
  const scan = await assayer(['scan', `${MINER}-${OURS}`, ...ports, '--driver', file, '--json']);
  const families = scan.out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).family);
  assert.deepEqual(families, ['whatsminer', 'antminer-stock', 'acme']);
  const wrong = await assayer(['probe', OURS, ...ports, '--driver', driverIn(folder(t), 'family: acme\n')]);
  assert.equal(wrong.code, 2);
  assert.match(wrong.err, /acme\.yaml:1: title: missing: .*\[driver\.invalid\]/s);
});

test('record says of a device that only says what cannot be kept that it answered', async (t) => {
  await using miner = await FakeMiner.start(flooding(500_000_000, { bytes: 0 }));
  const at = ['--ports', `cgminer=${miner.port},http=${miner.port}`];
  const { code, err } = await assayer(['record', '127.0.0.1', ...at], { cwd: folder(t) });
  assert.equal(code, 3);
  assert.match(
    err,
    /127\.0\.0\.1: no answer can be kept: \S+: truncated, longer than \d+ bytes.*max_reply_bytes.*\[record\.nothing-kept\]/s,
  );
  assert.doesNotMatch(err, /no question was answered/);
});

test('record makes a folder that driver test passes at once, and never touches one that exists', async (t) => {
  const cwd = folder(t);
  const said = await assayer(['record', MINER, ...ports], { cwd });
  assert.deepEqual([said.code, said.err], [0, '']);
  assert.match(
    said.out,
    /whatsminer-127\.93\.0\.1: \d+ replies of .*\nnext: assayer driver test .*whatsminer-127\.93\.0\.1\n/,
  );
  assertHarmless(said);
  const made = join(cwd, `whatsminer-${MINER}`);
  const passed = await assayer(['driver', 'test', made]);
  assert.deepEqual([passed.code, passed.err], [0, '']);
  const before = Object.fromEntries(readdirSync(made).map((name) => [name, statSync(join(made, name)).mtimeMs]));
  const again = await assayer(['record', MINER, ...ports], { cwd });
  assert.equal(again.code, 2);
  assert.match(again.err, /exists and is left as it is\n {2}remedy: .*--out.*\[usage\.folder\]/);
  const now = Object.fromEntries(readdirSync(made).map((name) => [name, statSync(join(made, name)).mtimeMs]));
  assert.deepEqual(now, before);
  assert.deepEqual(readdirSync(cwd), [`whatsminer-${MINER}`]);
});

test('a log-in opens what stands behind it, and stays out of the folder; pool users go where that is asked', async (t) => {
  const cwd = folder(t);
  const auth = named('antminer-stock/s21').device.auth;
  assert.ok(auth !== undefined);
  const login = ['--user', auth.user, '--password-env', 'MINER_PASSWORD'];
  const env = { MINER_PASSWORD: auth.password };
  const words = ['record', LOGIN, ...ports, ...login, '--out', 'kept/s21', '--redact', 'pools.user', '--json'];
  const said = await assayer(words, { cwd, env });
  assert.equal(said.code, 0, said.err);
  assert.equal(JSON.parse(said.out).family, 'antminer-stock');
  const made = join(cwd, 'kept', 's21');
  const all = readdirSync(made).map((name) => readFileSync(join(made, name), 'utf8'));
  const device = JSON.parse(readFileSync(join(made, 'device.json'), 'utf8'));
  assert.deepEqual([device.auth.password, device.auth.user], ['***', '***']);
  assert.ok(device.replies['http:/cgi-bin/get_miner_conf.cgi'].auth);
  assert.ok(device.expect[0].facts.pools.every(({ user }: { user: string }) => user === '***'));
  for (const text of all) assert.ok(!text.includes(`"${auth.password}"`) && !/acme\.[a-z]/.test(text));
  const passed = await assayer(['driver', 'test', made]);
  assert.deepEqual([passed.code, passed.err], [0, '']);
});

test('with a driver file its questions are recorded, byte for byte but for what is masked, and the file with them', async (t) => {
  const cwd = folder(t);
  const file = driverIn(cwd);
  const said = await assayer(['record', OURS, ...ports, '--driver', file, '--out', 'acme'], { cwd });
  assert.equal(said.code, 0, said.err);
  assert.match(
    said.err,
    /^http:\/: \d+ bytes in which secrets cannot be masked are not kept; the title of the page is "ACME Miner"\n$/,
  );
  const made = join(cwd, 'acme');
  assert.equal(readFileSync(join(made, 'driver.yaml'), 'utf8'), ACME);
  const denied = readFileSync(join(made, 'check-addpool.json'), 'utf8');
  // The simulator has a clock.
  assert.equal(denied.replace(/"When":\d+/, '"When":1700000000'), EXAMPLE.get('denied.json')?.trimEnd());
  const passed = await assayer(['driver', 'test', made]);
  assert.equal(passed.code, 0, passed.err);
});

test('a device that nobody knows is recorded as far as identification asks; a driver is written from that', async (t) => {
  const cwd = folder(t);
  const said = await assayer(['record', ODD, ...ports], { cwd });
  assert.equal(said.code, 0, said.err);
  assert.match(said.err, /^127\.93\.0\.4: not recognised: .*; the answers to the questions of identification are kept/);
  const made = join(cwd, `unknown-${ODD}`);
  const device = JSON.parse(readFileSync(join(made, 'device.json'), 'utf8'));
  assert.deepEqual([device.family, device.left_out], [undefined, { 'http:/': 'unreadable' }]);
  const none = await assayer(['driver', 'test', made]);
  assert.equal(none.code, 2);
  assert.match(none.err, /has no driver\.yaml\n {2}remedy: write .*driver\.yaml.*\[driver\.missing\]/);
  const text = ACME.replace(
    /recognise:\n.*?facts:/s,
    'recognise: { all: [{ query: info, at: /maker, equals: Acme }] }\nfacts:',
  );
  const asked = await assayer(['record', ODD, ...ports, '--driver', driverIn(cwd, text), '--out', 'second'], { cwd });
  assert.equal(asked.code, 0, asked.err);
  const passed = await assayer(['driver', 'test', join(cwd, 'second')]);
  assert.equal(passed.code, 0, passed.err);
  assert.match(passed.out, /^access\.ssh +true$/m);
});

test('what does not answer is told with 3, and a family that is none with 2; nothing is written', async (t) => {
  const cwd = folder(t);
  const dark = await assayer(['record', '127.93.0.99', ...ports], { cwd });
  assert.equal(dark.code, 3);
  assert.match(dark.err, /127\.93\.0\.99: unreachable\n {2}remedy: check address.*\[record\.unreachable\]/);
  const family = await assayer(['record', MINER, ...ports, '--family', 'whatsmine'], { cwd });
  assert.equal(family.code, 2);
  assert.match(family.err, /did you mean whatsminer\?/);
  writeFileSync(join(cwd, 'file'), '');
  const blocked = await assayer(['record', MINER, ...ports, '--out', 'file/inside'], { cwd });
  assert.equal(blocked.code, 2);
  assert.match(blocked.err, /cannot write .*file\/inside: \w+\n {2}remedy: .*\[usage\.unwritable\]/);
  assert.deepEqual(readdirSync(cwd), ['file']);
});

test('Ctrl-C while a device is silent leaves nothing', async (t) => {
  const cwd = folder(t);
  const said = await assayer(['record', SILENT, ...ports, '--family', 'cgminer', '--out', 'made'], {
    cwd,
    meanwhile: async (child) => {
      while (fleet.device(SILENT).connections.size === 0) await delay(20);
      child.kill('SIGINT');
    },
  });
  assert.deepEqual([said.code, said.out, said.err], [1, '', 'interrupted: nothing was written\n']);
  assert.ok(!existsSync(join(cwd, 'made')));
  assert.deepEqual(readdirSync(cwd), []);
});
