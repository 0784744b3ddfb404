import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { LONGEST_STATE_DIR } from '../../agent/platform/control.ts';
import { jwkOf } from '../../shared/keys.ts';
import { formatVkey, NOTE_TYPE } from '../../shared/note.ts';
import { assayer, assertHarmless, configured, folder, lines } from './assayer.ts';

const WRONG = `gateway: gw-1
operator: example.org
state_dir: state
devices:
  - host: 10.0.0.7
    credential: stock
  - range: 10.0.0.0/24
scheduel:
  pools: "* * * * *"
`;

test('every problem is one line: file, line, setting, what is wrong, the nearest known setting', async (t) => {
  const cwd = folder(t);
  writeFileSync(join(cwd, 'assayer.yaml'), WRONG);
  const { code, out, err } = await assayer(['check-config'], { cwd });
  assert.deepEqual([code, out], [2, '']);
  const problems = lines(err);
  assert.equal(problems.length, 2);
  assert.match(
    problems[0] ?? '',
    /assayer\.yaml:6: devices\[0\]\.credential: unknown setting "credential" \(did you mean "credentials"\?/,
  );
  assert.match(problems[1] ?? '', /assayer\.yaml:8: scheduel: unknown setting "scheduel" \(did you mean "schedule"\?/);
});

test('--json gives the same problems as data', async (t) => {
  const cwd = folder(t);
  writeFileSync(join(cwd, 'assayer.yaml'), WRONG);
  const { code, out } = await assayer(['check-config', '--json'], { cwd });
  assert.equal(code, 2);
  const { ok, problems } = JSON.parse(out);
  assert.equal(ok, false);
  assert.deepEqual(
    problems.map(({ line, path }: { line: number; path: string }) => [line, path]),
    [
      [6, 'devices[0].credential'],
      [8, 'scheduel'],
    ],
  );
});

test('run refuses the same file in the same words, and starts nothing', async (t) => {
  const cwd = folder(t);
  writeFileSync(join(cwd, 'assayer.yaml'), WRONG);
  const { code, err } = await assayer(['run'], { cwd });
  assert.equal(code, 2);
  assert.match(err, /:6: devices\[0\]\.credential: unknown setting/);
  assert.match(err, /\[config\.invalid\]/);
});

test('broken YAML, binary and a directory are told', async (t) => {
  const cwd = folder(t);
  for (const [name, bytes, told] of [
    ['broken.yaml', 'gateway: [', /broken\.yaml:1: not valid YAML/],
    ['binary.yaml', Buffer.from([0xff, 0x00, 0x1b, 0x5b, 0x33, 0x31, 0x6d]), /binary\.yaml:1: /],
    ['empty.yaml', '', /empty\.yaml:1: /],
  ] as const) {
    writeFileSync(join(cwd, name), bytes);
    const said = await assayer(['check-config', '-c', name], { cwd });
    assert.equal(said.code, 2, name);
    assert.match(said.err, told);
    assertHarmless(said);
  }
  assert.match((await assayer(['check-config', '-c', '.'], { cwd })).err, /cannot read .*: EISDIR/);
});

test('a key with terminal escapes does not reach the terminal', async (t) => {
  const cwd = folder(t);
  writeFileSync(join(cwd, 'assayer.yaml'), `${WRONG}"evil\\e[2J": 1\n`);
  assertHarmless(await assayer(['check-config'], { cwd }));
});

test('a state folder whose path is too long for the socket in it is told', async (t) => {
  const cwd = folder(t);
  const long = (bytes: number) => 'x'.repeat(bytes - Buffer.byteLength(`${cwd}/`));
  const check = (bytes: number) =>
    assayer(['check-config', '-c', configured(cwd, { state_dir: long(bytes) })], { cwd });
  assert.equal((await check(LONGEST_STATE_DIR)).code, 0);
  const { code, err } = await check(LONGEST_STATE_DIR + 1);
  assert.equal(code, 2);
  assert.match(
    err,
    /assayer\.yaml:3: state_dir: the path .* has 91 bytes, .*\(choose a folder with .* at most 90 bytes\)/,
  );
});

test('a witness that is no key of a cosigner, named twice, or a quorum that can never be, is told', async (t) => {
  const cwd = folder(t);
  const { publicKey } = generateKeyPairSync('ed25519');
  const good = formatVkey('col-a', NOTE_TYPE.cosignature, jwkOf(publicKey));
  const check = (mqtt: object) =>
    assayer(['check-config', '-c', configured(cwd, { mqtt: { url: 'mqtt://127.0.0.1', ...mqtt } })], { cwd });
  assert.equal((await check({ witnesses: [good] })).code, 0);
  for (const [mqtt, told] of [
    [{ witnesses: ['collector-a'] }, /mqtt\.witnesses: "collector-a" is not the key of a cosigner/],
    [{ witnesses: [good.replace('col-a', 'col-b')] }, /is not the key of a cosigner/],
    [{ witnesses: [formatVkey('col-a', NOTE_TYPE.signature, jwkOf(publicKey))] }, /is not the key of a cosigner/],
    [{ witnesses: [good, good] }, /two witnesses have one name/],
    [{ witnesses: [good], quorum: 2 }, /2 of 1 witnesses can never cosign/],
  ] as const) {
    const { code, err } = await check(mqtt);
    assert.equal(code, 2);
    assert.match(err, told);
  }
});

test('--schema prints the JSON Schema of the file', async () => {
  const { code, out } = await assayer(['check-config', '--schema']);
  assert.equal(code, 0);
  const schema = JSON.parse(out);
  assert.deepEqual(schema.required, ['gateway', 'operator', 'state_dir', 'devices']);
  assert.equal(schema.additionalProperties, false);
});
