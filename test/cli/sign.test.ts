import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { hash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { parseSignedTerms, parseTrustedKeys, publicKeyOf, verifyTerms } from '../../shared/index.ts';
import { keyOnDisk, PASSPHRASE } from './approvers.ts';
import { assayer, assertHarmless, folder, lines } from './assayer.ts';
import { assayerOnTerminal, noTerminal } from './on-terminal.ts';

const hasOpenssl = spawnSync('openssl', ['version']).error === undefined;
const hasPython = spawnSync('python3', ['-c', 'import cryptography']).status === 0;

const PLAN = `plan_id: fw-48
type: change
scope: { devices: [rig-7, rig-8], labels: { site: tx1 } }
ids: [firmware.version-changed]
expected_after:
  - { fact: firmware.version, class: exact, value: "2.10" }
not_before_at: 2036-12-01T14:00:00Z
not_after_at: 2036-12-02T15:00:00+01:00
author: carol
approvers: [alice, bob]
ticket: OPS-12
iat: 2026-11-22T12:00:00Z
`;

/** A folder with the keys of alice and bob, and their plan. */
const desk = async (t: TestContext) => {
  const cwd = folder(t);
  const alice = await keyOnDisk(cwd, 'alice');
  const bob = await keyOnDisk(cwd, 'bob');
  writeFileSync(join(cwd, 'plan.yaml'), PLAN);
  const run = (...words: readonly string[]) => assayer(words, { cwd });
  const sign = (file: string, by: string, ...more: readonly string[]) =>
    run('plan', 'sign', file, '--key', `${by}.key`, '--passphrase-file', 'passphrase', '--yes', ...more);
  const read = (file: string) => readFileSync(join(cwd, file));
  return { cwd, alice, bob, run, sign, read };
};

test('plan sign shows whom it covers, what it allows and until when, and writes one JSON object', async (t) => {
  const { alice, sign, read } = await desk(t);
  const { code, out, err } = await sign('plan.yaml', 'alice');
  assert.deepEqual([code, err], [0, '']);
  const { doc, sigs } = JSON.parse(read('plan.signed.json').toString());
  const digest = hash('sha256', doc, 'base64url');
  assert.deepEqual(
    lines(out).map((line) => line.replace(/in \d+ d( \d+ (h|min))?/, 'in …')),
    [
      'Plan fw-48, change',
      '  covers     devices rig-7 rig-8, and label site=tx1; of every gateway that takes it',
      '  allows     firmware.version-changed (up to high)',
      '  expects    firmware.version is "2.10"',
      '  quiet      1 kind of finding, up to high: info in this window, and nobody is alarmed',
      '             with the reboot that an update brings, twice an hour at most',
      '  from       2036-12-01T14:00:00Z, in …',
      '  until      2036-12-02T14:00:00Z, for 1 d',
      '  author     carol',
      '  approvers  alice, bob',
      '  ticket     OPS-12',
      '  needs      two signatures, where the gateway trusts two approvers: what it names is approved by two people',
      `Signed:   by alice (${alice.signer.kid}); the only signature`,
      'Written:  plan.signed.json: for gateways, and for the next approver: assayer plan sign plan.signed.json --key <key>',
      `SHA-256:  ${digest}`,
    ],
  );
  assert.equal(sigs, undefined);
  assert.equal(JSON.parse(doc).not_after_at, 2111839200);
});

test('a second approver adds a signature over the same bytes; both are verified with their public keys', async (t) => {
  const { alice, bob, cwd, run, sign, read } = await desk(t);
  await sign('plan.yaml', 'alice');
  const once = read('plan.signed.json');
  const unchecked = await run('plan', 'sign', 'plan.signed.json', '--key', 'bob.key');
  assert.match(unchecked.out, new RegExp(`key ${alice.signer.kid}: NOT CHECKED, give the public key with --keys`));
  assert.match(unchecked.err, /no terminal to confirm on/);
  assert.deepEqual(read('plan.signed.json'), once);

  const second = await sign('plan.signed.json', 'bob', '--keys', 'alice.jwk.json', '--json');
  assert.equal(second.code, 0, second.err);
  assert.match(second.err, new RegExp(`signed by alice, key ${alice.signer.kid}: good`));
  assert.deepEqual(JSON.parse(second.out).kids, [alice.signer.kid, bob.signer.kid]);
  const twice = parseSignedTerms(read('plan.signed.json'));
  assert.equal(twice.doc, parseSignedTerms(once).doc);

  mkdirSync(join(cwd, 'trusted'));
  for (const { publicFile } of [alice, bob])
    writeFileSync(publicFile.replace(cwd, join(cwd, 'trusted')), readFileSync(publicFile));
  const shown = await run('terms', 'show', 'plan.signed.json', '--keys', 'trusted');
  assert.deepEqual([shown.code, shown.err], [0, '']);
  assert.match(shown.out, /^ {2}signed by alice, key [\w-]{43}: good\n {2}signed by bob, key [\w-]{43}: good$/m);
  const json = JSON.parse((await run('terms', 'show', 'plan.signed.json', '--keys', 'trusted', '--json')).out);
  assert.deepEqual([json.verified, json.terms.plan_id, json.kids.length], [true, 'fw-48', 2]);
  assert.equal(JSON.parse((await run('terms', 'show', 'plan.signed.json', '--json')).out).verified, false);
  const keys = parseTrustedKeys(
    JSON.parse(`[${[alice, bob].map(({ publicFile }) => readFileSync(publicFile)).join(',')}]`),
  );
  assert.deepEqual(verifyTerms(twice, { keys }).kids, [alice.signer.kid, bob.signer.kid]);

  const stranger = await run('terms', 'show', 'plan.signed.json', '--keys', 'alice.jwk.json');
  assert.equal(stranger.code, 2);
  assert.match(stranger.err, /E_KEY_UNKNOWN .*\n {2}remedy: give the public key of every signer with --keys/);
});

test('nobody signs twice, with a key for something else, or what was altered', async (t) => {
  const { cwd, run, sign, read } = await desk(t);
  await sign('plan.yaml', 'alice');
  const before = read('plan.signed.json');
  const again = await sign('plan.signed.json', 'alice');
  assert.equal(again.code, 2);
  assert.match(again.err, /has signed this already\n {2}remedy: a further signature is by another approver/);

  await keyOnDisk(cwd, 'bob', { role: 'authority' });
  const authority = await sign('plan.signed.json', 'bob');
  assert.equal(authority.code, 2);
  assert.match(authority.err, /bob\.key is a key of role authority: nobody takes terms that it signed/);
  assert.deepEqual(read('plan.signed.json'), before);

  writeFileSync(join(cwd, 'altered.json'), before.toString().replace('rig-8', 'rig-9'));
  for (const words of [
    ['terms', 'show', 'altered.json', '--keys', 'alice.jwk.json'],
    ['plan', 'sign', 'altered.json', '--key', 'bob.key', '--yes', '--keys', 'alice.jwk.json'],
  ]) {
    const { code, err } = await run(...words);
    assert.equal(code, 2);
    assert.match(err, /altered\.json: E_SIGNATURE \(step 6\).*\n {2}remedy: get the file again from who signed it/);
  }
  const waiver = await run('waiver', 'sign', 'plan.signed.json', '--key', 'bob.key', '--yes');
  assert.match(waiver.err, /plan\.signed\.json is a plan\n {2}remedy: .*assayer plan sign/);
});

test('a wrong draft, key or passphrase writes nothing; what is there is not overwritten', async (t) => {
  const { cwd, run, sign } = await desk(t);
  writeFileSync(join(cwd, 'bad.yaml'), PLAN.replace('author', 'autor').replace('"2.10"', '2.10'));
  const bad = await sign('bad.yaml', 'alice');
  assert.equal(bad.code, 2);
  assert.match(bad.err, /^assayer: bad\.yaml:1: author: missing: who wrote it/);
  assert.match(bad.err, /^bad\.yaml:9: autor: unknown setting "autor" \(did you mean "author"\?/m);
  assert.match(bad.err, /remedy: correct the file and run this again; nothing was written \[usage\.terms\]/);

  assert.match((await sign('plan.yaml', 'carol')).err, /there is no .*carol\.key/);
  writeFileSync(join(cwd, 'wrong'), 'some other words here');
  const wrong = await run('plan', 'sign', 'plan.yaml', '--key', 'alice.key', '--passphrase-file', 'wrong', '--yes');
  assert.match(wrong.err, /\[key\.passphrase\]/);
  assert.ok(!existsSync(join(cwd, 'plan.signed.json')) && !existsSync(join(cwd, 'bad.signed.json')));

  writeFileSync(join(cwd, 'there.json'), 'mine');
  const there = await sign('plan.yaml', 'alice', '--out', 'there.json');
  assert.match(there.err, /there\.json exists and is not overwritten\n {2}remedy: name another file with --out/);
  assert.equal(readFileSync(join(cwd, 'there.json'), 'utf8'), 'mine');
  writeFileSync(join(cwd, 'latin.yaml'), Buffer.from(PLAN.replace('carol', 'Zoë'), 'latin1'));
  assert.match((await sign('latin.yaml', 'alice')).err, /latin\.yaml is not UTF-8\n {2}remedy: save it as UTF-8/);
  assert.match((await sign('absent.yaml', 'alice')).err, /cannot read absent\.yaml: ENOENT/);
  assert.match((await sign('.', 'alice')).err, /cannot read \.: it is no file/);
  assert.match((await run('terms', 'show', 'plan.yaml')).err, /plan\.yaml is not a signed file/);
});

test('what a draft says cannot move the cursor of who reads it', async (t) => {
  const { cwd, sign } = await desk(t);
  writeFileSync(
    join(cwd, 'evil.yaml'),
    PLAN.replace('OPS-12', '"\\e[2J\\u202eOPS\\nSigned"').replace('[firm', '["x.y", firm'),
  );
  const said = await sign('evil.yaml', 'alice');
  assert.equal(said.code, 0);
  assert.match(said.out, /^ {2}warning: |^warning: evil\.yaml:4: ids\[0\]: this version knows no finding "x\.y"/m);
  assertHarmless(said);
});

test('a document that covers more than it looks is said in words, before the key is even opened', async (t) => {
  const { cwd, run, sign } = await desk(t);
  const wide = PLAN.replace(/scope: .*/, 'scope: {}')
    .replace('[firmware.version-changed]', '[firmware.version-changed, visibility.*]')
    .replace('2036-12-02T15:00', '2036-12-20T15:00');
  writeFileSync(join(cwd, 'wide.yaml'), wide);
  const shown = await run('plan', 'sign', 'wide.yaml', '--key', 'none.key');
  assert.equal(shown.code, 2);
  assert.match(shown.err, /no terminal to confirm on/);
  assert.deepEqual(
    lines(shown.out)
      .filter((line) => line.startsWith('WARNING: '))
      .map((line) => line.slice(9, 30)),
    [
      'it covers ALL devices',
      'it lasts 19 d: whoeve',
      'it covers visibility.',
      'visibility.* stands f',
      'it speaks of visibili',
    ],
  );
  const { code, out, err } = await sign('wide.yaml', 'alice', '--json');
  assert.equal(code, 0, err);
  assert.match(err, /^WARNING: it covers ALL devices of every gateway/m);
  assert.equal(JSON.parse(out).warnings.length, 5);
});

test('on a terminal: asked after the summary, then for the passphrase; no is no', {
  skip: noTerminal ?? false,
}, async (t) => {
  const { cwd, alice } = await desk(t);
  const words = ['plan', 'sign', 'plan.yaml', '--key', 'alice.key'];
  const question = 'Sign this with alice.key? [y/N] ';
  for (const typed of ['\r', '\x03']) {
    const no = await assayerOnTerminal(words, [{ shown: question, typed }], cwd);
    assert.equal(no.code, 1, JSON.stringify(typed));
    assert.match(no.out, /nothing was signed/);
  }
  assert.ok(!existsSync(join(cwd, 'plan.signed.json')));
  const yes = await assayerOnTerminal(
    words,
    [
      { shown: question, typed: 'y\r' },
      { shown: 'Passphrase of alice.key: ', typed: `${PASSPHRASE}\r` },
    ],
    cwd,
  );
  assert.equal(yes.code, 0, yes.out);
  assert.doesNotMatch(yes.out, /random/);
  assert.match(yes.out, new RegExp(`Signed: {3}by alice \\(${alice.signer.kid}\\)`));
});

test('plan create and plan sign tell of a fact that is compared with nothing where no reference holds it', async (t) => {
  const { run } = await desk(t);
  const made = await run(
    ...['plan', 'create', 'fq', '--device', 'rig-7', '--id', 'config.drift', '--expect', 'config.freq_mhz=400'],
    ...['--from', '+1h', '--to', '+4h', '--author', 'carol', '--out', 'fq.yaml'],
  );
  const warning = /^WARNING: config\.freq_mhz changes by itself: .* unless a signed reference holds it/m;
  assert.equal(made.code, 0, made.err);
  assert.match(made.err, warning);
  assert.match((await run('plan', 'sign', 'fq.yaml', '--key', 'alice.key')).out, warning);
});

test('plan create, waiver create and baseline create write drafts that sign takes; a slip writes nothing', async (t) => {
  const { cwd, run, read } = await desk(t);
  const scope = ['--device', 'rig-7', '--label', 'site=tx1', '--gateway', 'example.org/gw'];
  const made = await run(
    ...['plan', 'create', 'fw-49', ...scope, '--id', 'firmware.version-changed', '--expect', 'firmware.version=2.10'],
    ...['--expect', 'access.ssh=false', '--from', '+1h', '--to', '+4h', '--ticket', 'OPS-1', '--author', 'carol'],
    ...['--approver', 'alice', '--out', 'p.yaml'],
  );
  assert.deepEqual([made.code, made.out], [0, '']);
  assert.deepEqual(lines(made.err), [
    'WARNING: it does not say what firmware.build shall be afterwards: any value is taken as planned',
    'p.yaml written; then: assayer plan sign p.yaml --key <key>',
  ]);
  assert.match(read('p.yaml').toString(), /^# volatile: not known beforehand, any value is taken as planned/m);
  const sign = (verb: string, file: string) =>
    run(verb, 'sign', file, '--key', 'alice.key', '--passphrase-file', 'passphrase', '--yes');
  assert.equal((await sign('plan', 'p.yaml')).code, 0);
  const {
    scope: signedScope,
    expected_after,
    not_after_at,
    not_before_at,
  } = JSON.parse(JSON.parse(read('p.signed.json').toString()).doc);
  assert.deepEqual(signedScope, { devices: ['rig-7'], labels: { site: 'tx1' }, logs: ['example.org/gw'] });
  assert.deepEqual(expected_after, [
    { fact: 'firmware.version', class: 'exact', value: '2.10' },
    { fact: 'access.ssh', class: 'exact', value: false },
    { fact: 'firmware.build', class: 'volatile' },
  ]);
  assert.ok(Math.abs(not_after_at - not_before_at - 3 * 3600) <= 1);

  const waived = ['waiver', 'create', 'w', '--id', 'pool.outside-allowlist', '--reason', 'burn-in', '--risk', 'a day'];
  assert.equal((await run(...waived, '--device', 'rig-7', '--until', '+30d', '--out', 'w.yaml')).code, 0);
  assert.equal((await sign('waiver', 'w.yaml')).code, 0);
  assert.match((await run(...waived, '--device', 'rig-7', '--until', '+91d')).err, /a waiver lasts at most 90 days/);

  const blank = await run('baseline', 'create', 'site-pools');
  assert.deepEqual(
    [blank.code, blank.err],
    [0, 'fill in scope, values; then: assayer baseline sign <file> --key <key>\n'],
  );
  assert.match(blank.out, /^ref_id: "site-pools"$/m);
  assert.equal(
    (await run('baseline', 'create', 'site', '--label', 'site=tx1', '--expect', 'config.mode=eco', '--out', 'b.yaml'))
      .code,
    0,
  );
  assert.equal((await sign('baseline', 'b.yaml')).code, 0);
  const users = ['--id', 'pool.user-changed', '--expect', 'pools.user=acme.*', '--expect', 'pools.user=acme.rig-7'];
  await run('plan', 'create', 'u', ...scope, ...users, '--from', 'now', '--to', '+3h', '--out', 'u.yaml');
  assert.equal((await sign('plan', 'u.yaml')).code, 0);
  assert.deepEqual(JSON.parse(JSON.parse(read('u.signed.json').toString()).doc).expected_after, [
    { fact: 'pools.user', class: 'template', value: 'acme.*' },
    { fact: 'pools.user', class: 'exact', value: 'acme.rig-7' },
  ]);

  for (const [words, said] of [
    [
      ['plan', 'create', 'f', '--from', 'tomorrow'],
      /an instant with its zone, 2026-12-01T14:00:00Z; or a time from now on, \+90m/,
    ],
    [['plan', 'create', 'f', '--label', 'site'], /no name before an equals sign/],
    [
      ['baseline', 'create', 'f', '--expect', 'config.power_limit_w=lots', '--label', 'a=b'],
      /is an integer, and this is not/,
    ],
    [['baseline', 'create', 'f', '--expect', 'pools.user={rack', '--label', 'a=b'], /a brace that does not close/],
  ] as const) {
    const { code, out, err } = await run(...words, '--out', 'never.yaml');
    assert.deepEqual([code, out], [2, ''], words.join(' '));
    assert.match(err, said);
  }
  assert.ok(!existsSync(join(cwd, 'never.yaml')));
  assert.match((await run('plan', 'create', 'f', '--out', 'p.yaml')).err, /p\.yaml exists and is not overwritten/);
});

/** Header, content and signature of every signature of a file, without code of the product. */
const inputs = (
  bytes: Buffer,
): readonly { readonly signed: string; readonly signature: Buffer; readonly kid: string }[] => {
  const { doc, sigs = [] } = JSON.parse(bytes.toString()) as { doc: string; sigs?: string[] };
  const end = doc.lastIndexOf(',"jws":"');
  const content = Buffer.from(`${doc.slice(0, end)}}`).toString('base64url');
  return [doc.slice(end + 8, -2), ...sigs].map((jws) => {
    const [header = '', signature = ''] = jws.split('..');
    const { kid, typ } = JSON.parse(Buffer.from(header, 'base64url').toString());
    assert.equal(typ, 'miner-ref+jwt');
    return { signed: `${header}.${content}`, signature: Buffer.from(signature, 'base64url'), kid };
  });
};

test('both signatures are good for OpenSSL', {
  skip: hasOpenssl ? false : 'openssl is not installed: apt-get install openssl',
}, async (t) => {
  const { cwd, alice, bob, sign, read } = await desk(t);
  await sign('plan.yaml', 'alice');
  await sign('plan.signed.json', 'bob');
  const found = inputs(read('plan.signed.json'));
  assert.deepEqual(
    found.map(({ kid }) => kid),
    [alice.signer.kid, bob.signer.kid],
  );
  for (const [at, { signed, signature }] of found.entries()) {
    const jwk = JSON.parse(readFileSync((at === 0 ? alice : bob).publicFile, 'utf8'));
    writeFileSync(join(cwd, 'key.pem'), publicKeyOf(jwk).export({ format: 'pem', type: 'spki' }));
    writeFileSync(join(cwd, 'signature'), signature);
    const verify = (input: string) => {
      writeFileSync(join(cwd, 'input'), input);
      const words = ['-verify', '-rawin', '-pubin', '-inkey', 'key.pem', '-in', 'input', '-sigfile', 'signature'];
      return spawnSync('openssl', ['pkeyutl', ...words], { cwd }).status;
    };
    assert.equal(verify(signed), 0);
    assert.notEqual(verify(`${signed}A`), 0);
  }
});

const PYTHON = `
import base64, hashlib, json, sys
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
seed = bytes.fromhex(sys.argv[1])
b64u = lambda b: base64.urlsafe_b64encode(b).rstrip(b"=").decode()
jcs = lambda v: json.dumps(v, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
key = Ed25519PrivateKey.from_private_bytes(seed)
jwk = {"crv": "Ed25519", "kty": "OKP", "x": b64u(key.public_key().public_bytes_raw())}
kid = b64u(hashlib.sha256(jcs(jwk)).digest())
content = jcs(json.load(sys.stdin))
header = b64u(jcs({"alg": "Ed25519", "kid": kid, "typ": "miner-ref+jwt"}))
signature = b64u(key.sign((header + "." + b64u(content)).encode()))
sys.stdout.write(content[:-1].decode() + ',"jws":"' + header + ".." + signature + '"}')
`;

test('Python makes the same document byte for byte from the same terms and key', {
  skip: hasPython ? false : 'python3-cryptography is not installed: apt-get install python3-cryptography',
}, async (t) => {
  const { sign, read } = await desk(t);
  await sign('plan.yaml', 'alice');
  const { doc } = JSON.parse(read('plan.signed.json').toString());
  const terms = {
    kind: 'plan',
    plan_id: 'fw-48',
    iat: 1795348800,
    type: 'change',
    scope: { devices: ['rig-7', 'rig-8'], labels: { site: 'tx1' } },
    ids: ['firmware.version-changed'],
    expected_after: [{ fact: 'firmware.version', class: 'exact', value: '2.10' }],
    not_before_at: 2111752800,
    not_after_at: 2111839200,
    author: 'carol',
    approvers: ['alice', 'bob'],
    ticket: 'OPS-12',
  };
  const seed = '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb';
  const made = spawnSync('python3', ['-c', PYTHON, seed], { input: JSON.stringify(terms) });
  assert.equal(made.stdout.toString(), doc, made.stderr.toString());
});
