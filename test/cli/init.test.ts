import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Authority } from '../publish/certificates.ts';
import { assayer, folder } from './assayer.ts';

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;

test('init writes a configuration that is good, makes the key, and says what to do next', async (t) => {
  const cwd = folder(t);
  const { code, out, err } = await assayer(['init', '--range', '10.20.14.0/24'], { cwd });
  assert.deepEqual([code, err], [0, '']);
  assert.match(out, /^Configuration: .*assayer\.yaml \(new\)$/m);
  assert.match(out, /^Signing key: .*gateway\.key \(mode 0600, new\)$/m);
  assert.match(
    out,
    /1\. edit assayer\.yaml: gateway and operator first, they name the log for ever: example\.org\/\S+;\n {5}then devices/,
  );
  assert.match(out, /assayer scan 10\.20\.14\.0\/24/);
  assert.equal(statSync(join(cwd, 'assayer-state')).mode & 0o777, 0o700);
  assert.equal(statSync(join(cwd, 'assayer-state', 'gateway.key')).mode & 0o777, 0o600);
  const { kid } = JSON.parse(readFileSync(join(cwd, 'assayer-state', 'gateway.jwk.json'), 'utf8'));
  assert.ok(out.includes(`Key id:        ${kid}\n`));

  const checked = await assayer(['check-config'], { cwd });
  assert.equal(checked.code, 0);
  assert.match(checked.out, /good\. Gateway .*, 254 addresses to look at\.\n$/);
});

test('the written configuration stays good when its comments become settings', {
  skip: hasOpenssl ? false : 'openssl is missing',
}, async (t) => {
  const cwd = folder(t);
  await assayer(['init', '--range', '10.20.14.0/24'], { cwd });
  const file = join(cwd, 'assayer.yaml');
  writeFileSync(join(cwd, 'password'), 'x');
  new Authority(cwd).issue('gw', 'DNS:gw-1');
  const all = readFileSync(file, 'utf8')
    .replaceAll(
      /^( *)# (?=(credentials|labels: \{ building|- host| {2}name| {2}stock|pools| {2}allow| {4}- |mqtt| {2}url| {2}ca| {2}cert| {2}key))/gm,
      '$1',
    )
    .replace('/etc/assayer/secrets/stock', 'password')
    .replaceAll('/etc/assayer/', '');
  writeFileSync(file, all);
  const { code, out, err } = await assayer(['check-config', '--json'], { cwd });
  assert.deepEqual([code, err], [0, ''], out);
  assert.deepEqual(JSON.parse(out).places, 255);
});

test('init twice leaves everything as it is', async (t) => {
  const cwd = folder(t);
  await assayer(['init'], { cwd });
  const before = ['assayer.yaml', 'assayer-state/gateway.key'].map((name) => readFileSync(join(cwd, name), 'utf8'));
  const { code, out, err } = await assayer(['init', '--gateway', 'other'], { cwd });
  assert.deepEqual([code, out], [2, '']);
  assert.match(err, /exist and are left as they are\n {2}remedy: .* \[config\.exists\]\n$/);
  const after = ['assayer.yaml', 'assayer-state/gateway.key'].map((name) => readFileSync(join(cwd, name), 'utf8'));
  assert.deepEqual(after, before);
});

test('init makes the key for a configuration that was written by hand', async (t) => {
  const cwd = folder(t);
  const text = 'gateway: gw-1\noperator: example.org\nstate_dir: own/state\ndevices: [{ host: 10.0.0.7 }]\n';
  writeFileSync(join(cwd, 'assayer.yaml'), text);
  const { code, out } = await assayer(['init'], { cwd });
  assert.equal(code, 0);
  assert.match(out, /assayer\.yaml \(kept as it is\)/);
  assert.equal(readFileSync(join(cwd, 'assayer.yaml'), 'utf8'), text);
  assert.equal(statSync(join(cwd, 'own/state/gateway.key')).mode & 0o777, 0o600);
});

test('init does not make a second key for a log that was begun', async (t) => {
  const cwd = folder(t);
  await assayer(['init'], { cwd });
  writeFileSync(join(cwd, 'assayer-state', 'log.json'), '{"log":"example.org/gw/1"}\n');
  rmSync(join(cwd, 'assayer-state', 'gateway.key'));
  const { code, err } = await assayer(['init'], { cwd });
  assert.equal(code, 2);
  assert.match(err, /put gateway\.key back from a backup.* \[key\.lost\]/);
});

test('a wrong option of init is told before anything is written', async (t) => {
  const cwd = folder(t);
  for (const [words, told] of [
    [['--gateway', 'Big Name'], /gateway: lower-case letters/],
    [['--gateway', 'a: b'], /gateway: lower-case letters/],
    [['--range', '10.0.0.0/8'], /devices\[0\]\.range: "10\.0\.0\.0\/8" has 16777214 addresses/],
    [['--broker', 'mqtt://203.0.113.7'], /mqtt\.url: .* clear text/],
    [['--operator', 'x\ndevices: []'], /operator: a domain name/],
  ] as const) {
    const { code, err } = await assayer(['init', ...words], { cwd });
    assert.equal(code, 2, words.join(' '));
    assert.match(err, told);
    assert.throws(() => statSync(join(cwd, 'assayer.yaml')), /ENOENT/);
  }
});

test('init with a broker, and with unusual names, gives a good configuration', async (t) => {
  const cwd = folder(t);
  const words = [
    '--broker',
    'mqtts://broker.example.org:8883',
    '--state-dir',
    'a state: #1',
    '-c',
    'conf/my assayer.yaml',
  ];
  const { code, out } = await assayer(['init', ...words], { cwd });
  assert.equal(code, 0);
  assert.match(out, /a state: #1\/gateway\.key/);
  const checked = await assayer(['check-config', '-c', 'conf/my assayer.yaml', '--json'], { cwd });
  assert.equal(JSON.parse(checked.out).ok, true);
});

test('--state-dir is meant from where the command is given, and the file names the same folder', async (t) => {
  const cwd = folder(t);
  mkdirSync(join(cwd, 'here'));
  const words = ['init', '-c', '../lab/gw1/assayer.yaml', '--state-dir', '../lab/gw1/state'];
  assert.equal((await assayer(words, { cwd: join(cwd, 'here') })).code, 0);
  assert.ok(existsSync(join(cwd, 'lab/gw1/state/gateway.key')));
  assert.match(readFileSync(join(cwd, 'lab/gw1/assayer.yaml'), 'utf8'), /^state_dir: state /m);
  const absolute = join(cwd, 'elsewhere');
  assert.equal((await assayer(['init', '-c', 'a/b.yaml', '--state-dir', absolute], { cwd })).code, 0);
  assert.ok(existsSync(join(absolute, 'gateway.key')));
  assert.equal((await assayer(['init', '-c', 'c/d.yaml'], { cwd })).code, 0);
  assert.ok(existsSync(join(cwd, 'c/assayer-state/gateway.key')));
});

test('without --gateway the host gives the name', async (t) => {
  const cwd = folder(t);
  await assayer(['init'], { cwd });
  const { gateway } = JSON.parse((await assayer(['check-config', '--json'], { cwd })).out);
  assert.equal(
    gateway,
    hostname()
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-')
      .slice(0, 63),
  );
});

test('init where nothing may be written says so', async (t) => {
  const cwd = folder(t);
  writeFileSync(join(cwd, 'file'), '');
  const { code, err } = await assayer(['init', '-c', 'file/assayer.yaml'], { cwd });
  assert.equal(code, 2);
  assert.match(err, /cannot write .*\/file: (EEXIST|ENOTDIR)\n {2}remedy: .*\[config\.unwritable\]/);
});
