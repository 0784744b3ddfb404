import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseSignedTerms, parseTrustedKeys, thumbprint, verifyTerms } from '../../shared/index.ts';
import { People } from '../record/approvers.ts';
import { keyOnDisk, PASSPHRASE, quicklySealed } from './approvers.ts';
import { assayer, folder } from './assayer.ts';
import { assayerOnTerminal, noTerminal, onTerminal } from './on-terminal.ts';

const noAge = spawnSync('age', ['--version']).error === undefined ? undefined : 'age is missing: apt-get install age';
const noOpenssl =
  spawnSync('openssl', ['version']).error === undefined ? undefined : 'openssl is missing: apt-get install openssl';
const skipped = (...reasons: readonly (string | undefined)[]): string | false =>
  reasons.find((reason) => reason !== undefined) ?? false;

test('keys new: asked twice without echo; a file that age opens, with a PEM that OpenSSL reads', {
  skip: skipped(noTerminal, noAge, noOpenssl),
  timeout: 120_000,
}, async (t) => {
  const cwd = folder(t);
  const made = await assayerOnTerminal(
    ['keys', 'new', '--role', 'approver', '--out', 'alice.key', '--name', 'alice'],
    [
      { shown: 'New passphrase of alice.key: ', typed: `${PASSPHRASE}\r` },
      { shown: 'The same once more: ', typed: `${PASSPHRASE}\r` },
    ],
    cwd,
  );
  assert.equal(made.code, 0, made.out + made.err);
  assert.doesNotMatch(made.out, /random/, 'nothing of the passphrase is echoed');
  assert.equal(statSync(join(cwd, 'alice.key')).mode & 0o777, 0o600);
  const jwk = JSON.parse(readFileSync(join(cwd, 'alice.jwk.json'), 'utf8'));
  assert.deepEqual([jwk.role, jwk.name, jwk.kid], ['approver', 'alice', thumbprint(jwk)]);
  assert.ok(made.out.includes(`Key id:     ${jwk.kid}\n`));
  const trusted = parseTrustedKeys(jwk).get(jwk.kid);
  assert.deepEqual([trusted?.role, trusted?.name], ['approver', 'alice']);

  const opened = await onTerminal(
    ['age', '-d', '-o', 'alice.pem', 'alice.key'],
    [{ shown: 'Enter passphrase', typed: `${PASSPHRASE}\r` }],
    cwd,
  );
  assert.equal(opened.code, 0, opened.out);
  assert.match(
    readFileSync(join(cwd, 'alice.pem'), 'utf8'),
    /^assayer key: \{"role":"approver","name":"alice"\}\n-----BEGIN PRIVATE KEY-----\n/,
  );
  const der = spawnSync('openssl', ['pkey', '-in', 'alice.pem', '-pubout', '-outform', 'DER'], { cwd }).stdout;
  assert.equal(der.subarray(-32).toString('base64url'), jwk.x);
});

test('keys new with a passphrase from the environment, as JSON; shown again by its file and its public half', {
  timeout: 120_000,
}, async (t) => {
  const cwd = folder(t);
  const env = { WORDS: PASSPHRASE };
  const made = await assayer(
    ['keys', 'new', '--role', 'authority', '--out', 'a.key', '--passphrase-env', 'WORDS', '--json'],
    { cwd, env },
  );
  assert.deepEqual([made.code, made.err], [0, '']);
  const { kid, role } = JSON.parse(made.out);
  assert.equal(role, 'authority');
  const shown = await assayer(['keys', 'show', 'a.key', '--passphrase-env', 'WORDS', '--json'], { cwd, env });
  const publicly = await assayer(['keys', 'show', 'a.jwk.json', '--json'], { cwd });
  assert.deepEqual([shown.code, publicly.code], [0, 0], shown.err);
  assert.deepEqual(JSON.parse(shown.out), JSON.parse(publicly.out));
  assert.equal(JSON.parse(shown.out)[0].kid, kid);
  assert.match(
    (await assayer(['keys', 'show', 'a.jwk.json'], { cwd })).out,
    /^Key id: [\w-]{43}\nRole: {3}authority\nPublic: \{/,
  );
});

test('keys new overwrites nothing, and makes no key in the state folder of a gateway', async (t) => {
  const cwd = folder(t);
  writeFileSync(join(cwd, 'passphrase'), PASSPHRASE);
  const make = (out: string) => assayer(['keys', 'new', '--out', out, '--passphrase-file', 'passphrase'], { cwd });
  for (const taken of ['one.key', 'two.jwk.json']) {
    writeFileSync(join(cwd, taken), 'mine');
    const { code, err } = await make(taken.replace('.jwk.json', '.key'));
    assert.equal(code, 2);
    assert.match(err, /exists and is never overwritten\n {2}remedy: keep it, or choose another --out \[key\.exists\]/);
    assert.equal(readFileSync(join(cwd, taken), 'utf8'), 'mine');
  }
  assert.ok(!existsSync(join(cwd, 'two.key')));
  mkdirSync(join(cwd, 'state', 'below'), { recursive: true });
  writeFileSync(join(cwd, 'state', 'gateway.key'), '');
  for (const out of ['state/alice.key', 'state/below/alice.key']) {
    const { code, err } = await make(out);
    assert.equal(code, 2);
    assert.match(
      err,
      /state folder of a gateway: .* must not lie there\n.*on a machine of the approver.*\[key\.place\]/,
    );
    assert.ok(!existsSync(join(cwd, out)));
  }
  assert.match((await make('nowhere/alice.key')).err, /make the folder first: mkdir -p .*nowhere \[key\.unwritable\]/);
});

test('a passphrase that is short, missing, given twice or nowhere', async (t) => {
  const cwd = folder(t);
  writeFileSync(join(cwd, 'short'), 'secret');
  const make = (...words: readonly string[]) => assayer(['keys', 'new', '--out', 'alice.key', ...words], { cwd });
  const short = await make('--passphrase-file', 'short');
  assert.equal(short.code, 2);
  assert.match(short.err, /fewer than 10 characters/);
  assert.doesNotMatch(short.err, /secret/);
  assert.match((await make('--passphrase-env', 'NOT_SET')).err, /NOT_SET is empty or not set/);
  assert.match((await make()).err, /no terminal to ask .*\n.*--passphrase-file.*\[usage\.passphrase\]/);
  assert.equal((await make('--passphrase-env', 'A', '--passphrase-file', 'short')).code, 2);
  assert.equal((await make('--passphrase', 'on the command line')).code, 2);
  assert.ok(!existsSync(join(cwd, 'alice.key')));
});

test('on a terminal: two passphrases that differ, and Ctrl-C, write nothing', {
  skip: skipped(noTerminal),
}, async (t) => {
  const cwd = folder(t);
  const words = ['keys', 'new', '--out', 'alice.key'];
  const first = { shown: 'New passphrase of alice.key: ', typed: `${PASSPHRASE}\r` };
  const differ = await assayerOnTerminal(words, [first, { shown: 'once more: ', typed: 'something else\r' }], cwd);
  assert.equal(differ.code, 2);
  assert.match(differ.out, /the two passphrases are not the same/);
  const left = await assayerOnTerminal(words, [{ shown: first.shown, typed: '\x03' }], cwd);
  assert.equal(left.code, 130);
  assert.equal(left.out.replaceAll('\r', '').trimEnd(), first.shown.trimEnd(), 'nothing is said');
  const ended = await assayerOnTerminal(words, [{ shown: first.shown, typed: '\x04' }], cwd);
  assert.equal(ended.code, 2);
  assert.match(ended.out, /no passphrase was given/);
  assert.ok(!existsSync(join(cwd, 'alice.key')));
});

test('a wrong passphrase, a file that others may read, a damaged file, another file', async (t) => {
  const cwd = folder(t);
  const { file, signer } = await keyOnDisk(cwd, 'alice');
  writeFileSync(join(cwd, 'wrong'), 'some other words here');
  const show = (name: string, passphrase = 'passphrase') =>
    assayer(['keys', 'show', name, '--passphrase-file', passphrase], { cwd });
  const good = await show('alice.key');
  assert.deepEqual([good.code, good.err], [0, '']);
  assert.match(good.out, new RegExp(`^Key id: ${signer.kid}\nRole:   approver\nName:   alice\n`));

  const wrong = await show('alice.key', 'wrong');
  assert.equal(wrong.code, 2);
  assert.match(wrong.err, /this passphrase does not open .*alice\.key\n.*\[key\.passphrase\]/);
  assert.doesNotMatch(wrong.err, /other words/);

  chmodSync(file, 0o644);
  const open = await show('alice.key');
  assert.equal(open.code, 2);
  assert.match(open.err, /can be read by others \(mode 0644\)\n.*chmod 600 .*\[key\.mode\]/);

  const text = readFileSync(file, 'utf8');
  const pem = '-----BEGIN PRIVATE KEY-----\nMAAA\n-----END PRIVATE KEY-----\n';
  const cases: { readonly [name: string]: string } = {
    'cut.key': text.slice(0, text.length / 2),
    'none.key': 'not a key',
    'empty.key': '',
    'plain.key': pem,
    'inside.key': await quicklySealed('a letter'),
    'note.key': await quicklySealed(`assayer key: {"role":"gateway"}\n${pem}`),
  };
  for (const [name, content] of Object.entries(cases)) {
    writeFileSync(join(cwd, name), content, { mode: 0o600 });
    const { code, out, err } = await show(name);
    assert.deepEqual([code, out], [2, ''], name);
    assert.match(err, /\[key\.malformed\]/, name);
  }
  // One character of the sealed part: what it seals is not read.
  const at = text.indexOf('\n', text.length - 80) - 5;
  const tampered = `${text.slice(0, at)}${text[at] === 'A' ? 'B' : 'A'}${text.slice(at + 1)}`;
  writeFileSync(join(cwd, 'tampered.key'), tampered, { mode: 0o600 });
  assert.match((await show('tampered.key')).err, /\[key\.malformed\]/);
  assert.match((await show('absent.key')).err, /there is no .*absent\.key/);
});

test('a key that another program sealed is opened; it says neither role nor name', async (t) => {
  const cwd = folder(t);
  const { privateKey, signer } = await keyOnDisk(cwd, 'bob');
  const sealed = await quicklySealed(String(privateKey.export({ format: 'pem', type: 'pkcs8' })));
  writeFileSync(join(cwd, 'other.key'), sealed, { mode: 0o600 });
  const { code, out } = await assayer(['keys', 'show', 'other.key', '--passphrase-file', 'passphrase'], { cwd });
  assert.equal(code, 0);
  assert.match(out, new RegExp(`^Key id: ${signer.kid}\nRole:   not said`));
});

test('keys passphrase: the same key under the new one only', { timeout: 120_000 }, async (t) => {
  const cwd = folder(t);
  const { file, signer } = await keyOnDisk(cwd, 'alice');
  writeFileSync(join(cwd, 'next'), 'quite another passphrase');
  const before = readFileSync(file);
  const change = (from: string) =>
    assayer(['keys', 'passphrase', 'alice.key', '--passphrase-file', from, '--new-passphrase-file', 'next'], { cwd });
  assert.equal((await change('next')).code, 2, 'the old one is asked for');
  assert.deepEqual(readFileSync(file), before);
  const { code, out, err } = await change('passphrase');
  assert.deepEqual([code, err], [0, '']);
  assert.equal(out, `alice.key opens with the new passphrase now; its key is the same: ${signer.kid}\n`);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.ok(!existsSync(`${file}.new`));
  const show = (passphrase: string) => assayer(['keys', 'show', 'alice.key', '--passphrase-file', passphrase], { cwd });
  const [old, next] = [await show('passphrase'), await show('next')];
  assert.match(old.err, /\[key\.passphrase\]/);
  assert.match(next.out, new RegExp(`^Key id: ${signer.kid}\nRole:   approver\nName:   alice\n`));
});

test('keys admit: an approver signs that another key counts, a second one adds a signature, and the summary says whose key', async (t) => {
  const cwd = folder(t);
  const [alice, bob] = [await keyOnDisk(cwd, 'alice'), await keyOnDisk(cwd, 'bob')];
  const carol = new People('carol');
  const [kid] = carol.keys.keys();
  writeFileSync(join(cwd, 'carol.jwk.json'), JSON.stringify(carol.jwk('carol')));
  const admit = (...words: readonly string[]) =>
    assayer(['keys', 'admit', ...words, '--passphrase-file', 'passphrase', '--yes'], { cwd });
  const made = await admit('carol.jwk.json', '--key', 'alice.key', '--log', 'example.org/gw-1');
  assert.deepEqual([made.code, made.err], [0, '']);
  assert.match(made.out, new RegExp(`\\n  admits +carol, key ${kid}, as an approver`));
  assert.match(made.out, /\n {2}covers +no device; of gateways example\.org\/gw-1\n/);
  assert.doesNotMatch(made.out, /WARNING/);
  const second = await assayer(
    ['baseline', 'sign', 'carol.admit.json', '--key', 'bob.key', '--passphrase-file', 'passphrase', '--yes'],
    { cwd },
  );
  assert.equal(second.code, 0, second.err);
  const keys = parseTrustedKeys([alice, bob].map(({ publicFile }) => JSON.parse(readFileSync(publicFile, 'utf8'))));
  const { terms, kids } = verifyTerms(parseSignedTerms(readFileSync(join(cwd, 'carol.admit.json'))), { keys });
  assert.deepEqual(kids, [alice.signer.kid, bob.signer.kid]);
  assert.ok(terms.kind === 'reference');
  assert.deepEqual([terms.admits, terms.scope], [[{ name: 'carol', kid }], { logs: ['example.org/gw-1'] }]);

  const again = await admit('carol.jwk.json', '--key', 'alice.key');
  assert.deepEqual([again.code, again.out], [2, ''], 'nothing is overwritten');
  for (const file of ['passphrase', 'alice.key', 'absent.jwk.json']) {
    const { code, out, err } = await admit(file, '--key', 'alice.key', '--out', 'other.json');
    assert.deepEqual([code, out], [2, ''], file);
    assert.match(err, /\[key\.(malformed|absent)\]/, file);
  }
  const { role: _, ...bare } = carol.jwk('carol');
  for (const [role, remedy] of [
    [{}, /write "role":"approver" into the file/],
    [{ role: 'gateway' }, /write "role":"approver" into the file/],
    [{ role: 'authority' }, /assayer keys new --role approver/],
  ] as const) {
    writeFileSync(join(cwd, 'other.jwk.json'), JSON.stringify({ ...bare, ...role }));
    const { code, out, err } = await admit('other.jwk.json', '--key', 'alice.key');
    assert.deepEqual([code, out, existsSync(join(cwd, 'other.admit.json'))], [2, '', false]);
    assert.match(err, /\[key\.role\]/);
    assert.match(err, remedy);
  }
});
