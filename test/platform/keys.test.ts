import assert from 'node:assert/strict';
import { generateKeyPairSync, verify } from 'node:crypto';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { inspect } from 'node:util';
import type { AgentError } from '../../agent/platform/errors.ts';
import { bindPublicKey, createKey, loadKey, loadRedactionKey } from '../../agent/platform/keys.ts';
import { parseTrustedKeys } from '../../shared/keys.ts';

const tempDir = (t: TestContext): string => {
  const dir = mkdtempSync(join(tmpdir(), 'assayer-keys-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
};

/** The error has this code and a remedy, and nothing of the key file is in it. */
const problem =
  (code: string, secret = '') =>
  (error: AgentError) => {
    assert.equal(error.code, code);
    assert.notEqual(error.remedy, '');
    if (secret !== '') assert.ok(!inspect(error, { depth: 9 }).includes(secret));
    return true;
  };

test('a new key is readable by the owner only, its public half lies beside it and can be trusted by hand', (t) => {
  const dir = tempDir(t);
  const made = createKey(dir);
  assert.equal(statSync(join(dir, 'gateway.key')).mode & 0o777, 0o600);
  assert.deepEqual(readdirSync(dir).sort(), ['gateway.jwk.json', 'gateway.key']);
  const jwk = readFileSync(join(dir, 'gateway.jwk.json'), 'utf8');
  assert.ok(!jwk.includes('"d"'), 'the public file holds no private member');
  const trusted = parseTrustedKeys(JSON.parse(jwk)).get(made.kid);
  const loaded = loadKey(dir);
  assert.deepEqual([loaded.kid, loaded.jwk, loaded.protection], [made.kid, made.jwk, 'file']);
  const message = Buffer.from('bytes');
  assert.ok(trusted !== undefined && verify(null, message, trusted.key, loaded.signer.sign(message)));
});

test('the public half says whose it is, keeps former names, and is written anew where it is damaged or of another key', (t) => {
  const dir = tempDir(t);
  const key = createKey(dir);
  const file = join(dir, 'gateway.jwk.json');
  const logs = () => parseTrustedKeys(JSON.parse(readFileSync(file, 'utf8'))).get(key.kid)?.logs;
  assert.equal(logs(), undefined);
  bindPublicKey(dir, key, 'example.org/gw-1');
  assert.deepEqual(logs(), ['example.org/gw-1']);
  const { ino } = statSync(file);
  bindPublicKey(dir, key, 'example.org/gw-1');
  assert.equal(statSync(file).ino, ino, 'what is right is left alone');
  bindPublicKey(dir, key, 'example.org/gw-2');
  assert.deepEqual(logs(), ['example.org/gw-1', 'example.org/gw-2']);
  const other = createKey(tempDir(t));
  for (const damaged of ['', '{', JSON.stringify({ ...other.jwk, logs: ['example.org/gw-9'] })]) {
    writeFileSync(file, damaged);
    bindPublicKey(dir, key, 'example.org/gw-1');
    assert.deepEqual(logs(), ['example.org/gw-1']);
  }
  assert.deepEqual(readdirSync(dir).sort(), ['gateway.jwk.json', 'gateway.key']);
});

test('key.exists: a key is never overwritten', (t) => {
  const dir = tempDir(t);
  const { kid } = createKey(dir);
  assert.throws(() => createKey(dir), problem('key.exists'));
  assert.equal(loadKey(dir).kid, kid);
});

test('key.absent, key.mode, key.malformed, key.algorithm: each says what to do and tells nothing of the key', (t) => {
  const dir = tempDir(t);
  const file = join(dir, 'gateway.key');
  assert.throws(() => loadKey(dir), problem('key.absent'));
  createKey(dir);
  const secret = readFileSync(file, 'utf8').split('\n')[1] ?? '';
  assert.ok(secret.length > 40);
  chmodSync(file, 0o640);
  assert.throws(() => loadKey(dir), problem('key.mode', secret));
  writeFileSync(file, `-----BEGIN PRIVATE KEY-----\n${secret.slice(4)}\n-----END PRIVATE KEY-----\n`);
  chmodSync(file, 0o600);
  assert.throws(() => loadKey(dir), problem('key.malformed', secret.slice(4)));
  const { privateKey } = generateKeyPairSync('x25519');
  writeFileSync(file, privateKey.export({ format: 'pem', type: 'pkcs8' }));
  assert.throws(() => loadKey(dir), problem('key.algorithm'));
});

test('the redaction secret is made once, readable by the owner only', (t) => {
  const dir = tempDir(t);
  const secret = loadRedactionKey(dir);
  assert.equal(secret.length, 32);
  assert.deepEqual(loadRedactionKey(dir), secret);
  assert.equal(statSync(join(dir, 'redaction.key')).mode & 0o777, 0o600);
  chmodSync(join(dir, 'redaction.key'), 0o644);
  assert.throws(() => loadRedactionKey(dir), problem('key.mode', secret.toString('base64url')));
});
