import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createKey } from '../../agent/platform/keys.ts';
import { pools } from '../appraise/watch.ts';
import { Recording } from '../record/recording.ts';
import { assayer, assertHarmless, folder, lines } from './assayer.ts';

/** A log of seven entries as `log --raw` prints it, and the public key beside it. */
const exported = async (t: TestContext) => {
  const recording = new Recording(t);
  await recording.learnAll();
  await recording.looks('rig-1', 2, pools({ user: 'thief.x' }));
  for (const _ of [1, 2]) {
    recording.clock.pass(900_000);
    recording.recorder.closePeriod();
  }
  const messages = recording.rawLog();
  assert.equal(messages.length, 7);
  const verify = (input: string | readonly string[], ...words: readonly string[]) =>
    assayer(['verify', '-', '--key', 'gateway.jwk.json', ...words], {
      cwd: recording.dir,
      input: typeof input === 'string' ? input : `${input.join('\n')}\n`,
    });
  return { messages, verify, cwd: recording.dir };
};

test('a whole log verifies; --json tells the counts and where the log ends', async (t) => {
  const { messages, verify } = await exported(t);
  const { code, out, err } = await verify(messages, '--json');
  assert.deepEqual([code, err], [0, '']);
  const result = JSON.parse(out);
  assert.deepEqual([result.ok, result.messages, result.status], [true, 7, { chained: 7 }]);
  assert.deepEqual(result.kinds, { session: 1, attestation: 2, baseline: 1, finding: 1, coverage: 2 });
  assert.deepEqual(
    result.logs.map(({ size }: { size: number }) => size),
    [7],
  );
});

test('a file, with empty lines and without its last line end, verifies as well', async (t) => {
  const { messages, cwd } = await exported(t);
  writeFileSync(join(cwd, 'log.jsonl'), `\n${messages.join('\n\n')}`);
  const { code, out } = await assayer(['verify', '--key', 'gateway.jwk.json', 'log.jsonl'], { cwd });
  assert.equal(code, 0);
  assert.match(out, /^7 messages: 7 chained/m);
});

test('what mosquitto_sub -v prints is read with its topics', async (t) => {
  const { messages, verify } = await exported(t);
  const topic = 'attest/v1/tx1-gw3/log';
  const { code, out } = await verify(messages.map((message) => `${topic} ${message}`));
  assert.deepEqual([code, lines(out).at(-1)], [0, 'OK']);
  const foreign = await verify(messages.map((message) => `attest/v1/tx1-gw4/log ${message}`));
  assert.equal(foreign.code, 1);
});

test('with the key of somebody else nothing verifies', async (t) => {
  const { messages, cwd } = await exported(t);
  const other = folder(t);
  createKey(other);
  const words = ['verify', '-', '--key', join(other, 'gateway.jwk.json')];
  const { code, out } = await assayer(words, { cwd, input: messages.join('\n') });
  assert.equal(code, 1);
  assert.match(out, /^line 1: E_KEY_UNKNOWN /m);
  assert.match(out, /^7 messages: 7 refused/m);
  assert.match(out, /\nremedy: give with --keys the gateway\.jwk\.json .*; or do not trust it\nFAILED\n$/);
  const json = JSON.parse((await assayer([...words, '--json'], { cwd, input: messages.join('\n') })).out);
  assert.match(json.remedy, /the \.jwk\.json of each of them/);
  const both = await assayer([...words, '--key', 'gateway.jwk.json'], { cwd, input: messages.join('\n') });
  assert.equal(both.code, 0);
  assert.doesNotMatch(both.out, /remedy/);
});

test('a changed byte, a cut message and a line of something else are told with their line', async (t) => {
  const { messages, verify } = await exported(t);
  const changed = messages.map((message, at) => (at === 4 ? message.replace('thief.x', 'acme.ok') : message));
  assert.notDeepEqual(changed, messages);
  for (const [input, line] of [
    [changed, 5],
    [messages.map((message, at) => (at === 2 ? message.slice(0, -40) : message)), 3],
    [['GET / HTTP/1.1', ...messages], 1],
    [[...messages.slice(0, 6), 'x'.repeat(400_000)], 7],
  ] as const) {
    const { code, out } = await verify(input);
    assert.equal(code, 1);
    assert.match(out, new RegExp(`^line ${line}: E_`, 'm'));
    assert.match(out, /\nFAILED\n$/);
  }
});

test('entries out of order are put in order; one that is missing is not', async (t) => {
  const { messages, verify } = await exported(t);
  const [first = '', second = '', third = '', ...rest] = messages;
  const turned = await verify([first, third, second, ...rest]);
  assert.equal(turned.code, 0);
  const missing = await verify([first, second, ...rest]);
  assert.equal(missing.code, 1);
  assert.match(missing.out, /W_GAP/);
  const twice = await verify([...messages, first]);
  assert.deepEqual([twice.code, /1 duplicate/.test(twice.out)], [0, true]);
});

test('a part of a log verifies from where it begins', async (t) => {
  const { messages, verify } = await exported(t);
  const { code, out } = await verify(messages.slice(5));
  assert.equal(code, 0, out);
  assert.match(out, /^2 messages: 2 chained/m);
});

test('--each takes messages one by one, as mirrors carry them', async (t) => {
  const { messages, verify } = await exported(t);
  const { code, out } = await verify([messages[4] ?? '', messages[1] ?? ''], '--each');
  assert.equal(code, 0);
  assert.match(out, /^2 messages: 2 unchained/m);
});

test('nothing to verify is not a verified log', async (t) => {
  const { verify } = await exported(t);
  for (const input of ['', '\n\n']) {
    const { code, out } = await verify(input);
    assert.deepEqual([code, lines(out).at(-1)], [2, 'nothing to verify']);
  }
  const { code, out } = await verify('', '--json');
  assert.deepEqual([code, JSON.parse(out).ok], [2, false]);
});

test('escapes in a message do not reach the terminal', async (t) => {
  const { verify } = await exported(t);
  const said = await verify(['{"kind":"\u001b[2J\u202e","jws":"\u0007"}', '\u001b]0;owned\u0007']);
  assert.equal(said.code, 1);
  assertHarmless(said);
});

test('a missing key, a private key, a file that is none and a folder are told: 2', async (t) => {
  const { cwd, messages } = await exported(t);
  writeFileSync(join(cwd, 'log.jsonl'), messages.join('\n'));
  const { x } = JSON.parse(readFileSync(join(cwd, 'gateway.jwk.json'), 'utf8'));
  writeFileSync(join(cwd, 'private.json'), JSON.stringify({ kty: 'OKP', crv: 'Ed25519', x, d: x }));
  writeFileSync(join(cwd, 'text.json'), 'hello');
  for (const [words, told] of [
    [['log.jsonl'], /no key is trusted\n {2}remedy: give with --keys the gateway\.jwk\.json/],
    [['log.jsonl', '--key', 'none.json'], /none\.json: ENOENT.*\n {2}remedy: give the gateway\.jwk\.json/],
    [['log.jsonl', '--key', 'private.json'], /this is a private key; give the public one/],
    [['log.jsonl', '--key', 'text.json'], /text\.json: .*JSON/],
    [['none.jsonl', '--key', 'gateway.jwk.json'], /cannot read none\.jsonl: ENOENT/],
    [['.', '--key', 'gateway.jwk.json'], /cannot read \.: EISDIR/],
  ] as const) {
    const { code, out, err } = await assayer(['verify', ...words], { cwd });
    assert.deepEqual([code, out], [2, ''], words.join(' '));
    assert.match(err, told);
  }
});

test('a log that does not begin with its lowest entry fails: what is below the beginning may be incomplete', async (t) => {
  const { messages, verify } = await exported(t);
  const last = messages.at(-1) ?? '';
  const { code, out } = await verify([last, ...messages.slice(0, 2), ...messages.slice(3, -1)]);
  assert.equal(code, 1);
  assert.match(out, /entries come after a later one and were not chained: give each log in order of seq\nFAILED/);
  const swapped = await verify([
    ...messages.slice(0, 2),
    ...[messages[3], messages[2]].flatMap((one) => one ?? []),
    ...messages.slice(4),
  ]);
  assert.equal(swapped.code, 0, swapped.out);
});

test('a folder of keys may hold what is no key: it is told and left out; where nothing is left that is an error', async (t) => {
  const { cwd, messages } = await exported(t);
  const input = messages.join('\n');
  mkdirSync(join(cwd, 'keys', 'old.json'), { recursive: true });
  const put = (name: string, text: string | Buffer) => writeFileSync(join(cwd, 'keys', name), text);
  put('fw.signed.json', '{"doc":"{\\"kind\\":\\"plan\\"}"}');
  put('text\u001b[31m.json', 'hello');
  put('notes.txt', 'not looked at');
  const none = await assayer(['verify', '-', '--keys', 'keys'], { cwd, input });
  assert.equal(none.code, 2);
  assert.match(
    none.err,
    /keys: no \.json file in this folder is a public key\n {2}remedy: give the gateway\.jwk\.json/,
  );
  put('gateway.jwk.json', readFileSync(join(cwd, 'gateway.jwk.json')));
  const some = await assayer(['verify', '-', '--keys', 'keys'], { cwd, input });
  assert.equal(some.code, 0, some.out);
  assert.deepEqual(
    lines(some.err).map((line) => line.replace(/: .*/, '')),
    ['keys/fw.signed.json', 'keys/old.json', 'keys/text\ufffd[31m.json'],
  );
  assert.match(some.err, /^keys\/fw\.signed\.json: left out: not a file of keys: /m);
  const named = await assayer(['verify', '-', '--keys', 'keys/fw.signed.json'], { cwd, input });
  assert.deepEqual([named.code, named.out], [2, '']);
});
