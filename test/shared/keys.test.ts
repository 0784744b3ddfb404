import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { isPublicKey, isReducedSignature } from '../../shared/ed25519.ts';
import { InvalidKey, jwkOf, parseTrustedKeys, publicKeyOf, thumbprint } from '../../shared/index.ts';
import { gateway, knownAnswers } from './vectors.ts';

const bytesOf = (y: bigint, sign = 0): Buffer => {
  const bytes = Buffer.from(y.toString(16).padStart(64, '0'), 'hex').reverse();
  bytes[31] = (bytes[31] ?? 0) | (sign << 7);
  return bytes;
};

const P = 2n ** 255n - 19n;
const L = 2n ** 252n + 27742317777372353535851937790883648493n;

test('the thumbprint is that of RFC 8037 appendix A.3', () => {
  assert.equal(thumbprint(knownAnswers.jwk), 'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k');
});

test('public keys of low order are rejected, in either sign', () => {
  const lowOrder = [
    '0000000000000000000000000000000000000000000000000000000000000000',
    '0100000000000000000000000000000000000000000000000000000000000000',
    'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
    'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  ].map((hex) => Buffer.from(hex, 'hex'));
  for (const bytes of lowOrder) {
    assert.ok(!isPublicKey(bytes));
    assert.ok(!isPublicKey(Buffer.from(bytes.map((byte, index) => (index === 31 ? byte | 0x80 : byte)))));
  }
});

test('encodings that are not canonical, not on the curve or not 32 bytes are rejected', () => {
  for (let y = P; y < 2n ** 255n; y++) assert.ok(!isPublicKey(bytesOf(y)), String(y - P));
  assert.ok(!isPublicKey(bytesOf(2n)));
  assert.ok(!isPublicKey(Buffer.alloc(31, 7)));
  assert.throws(() => publicKeyOf({ kty: 'OKP', crv: 'Ed25519', x: bytesOf(2n).toString('base64url') }), InvalidKey);
});

test('keys that OpenSSL makes are accepted', () => {
  for (let count = 0; count < 20; count++) {
    const { publicKey } = generateKeyPairSync('ed25519');
    assert.ok(isPublicKey(Buffer.from(jwkOf(publicKey).x, 'base64url')));
  }
});

test('S of a signature is below the order of the group', () => {
  const signature = Buffer.from(gateway.sign(Buffer.from('x')));
  const withS = (s: bigint): Buffer => Buffer.concat([signature.subarray(0, 32), bytesOf(s)]);
  const s = BigInt(`0x${Buffer.from(signature.subarray(32)).reverse().toString('hex')}`);
  assert.ok(isReducedSignature(withS(s)));
  assert.ok(isReducedSignature(withS(L - 1n)));
  for (const bad of [s + L, L, L + 1n, 2n ** 255n]) assert.ok(!isReducedSignature(withS(bad)));
  assert.ok(!isReducedSignature(signature.subarray(1)));
});

test('a file of trusted keys is one JWK, a list of them, or records', () => {
  const { jwk, kid } = knownAnswers;
  assert.equal(parseTrustedKeys(jwk).get(kid)?.role, 'gateway');
  assert.equal(parseTrustedKeys({ ...jwk, kid, use: 'sig', alg: 'EdDSA' }).size, 1);
  assert.deepEqual(parseTrustedKeys({ ...jwk, logs: ['example.org/gw-test'] }).get(kid)?.logs, ['example.org/gw-test']);
  assert.equal(parseTrustedKeys([jwk, jwkOf(generateKeyPairSync('ed25519').publicKey)]).size, 2);
  const record = { kid, jwk, role: 'gateway', logs: ['example.org/gw-test'] };
  assert.deepEqual(parseTrustedKeys({ keys: [record] }).get(kid)?.logs, record.logs);
});

test('a file of keys that cannot be used says why', () => {
  const { jwk, kid } = knownAnswers;
  const other = jwkOf(generateKeyPairSync('ed25519').publicKey);
  const refused: readonly (readonly [unknown, RegExp])[] = [
    [{ ...jwk, d: 'AAAA' }, /private key/],
    [{ ...jwk, crv: 'X25519' }, /not a file of keys/],
    [{ keys: [{ kid, jwk: other, role: 'gateway' }] }, /thumbprint/],
    [{ ...jwk, kid: thumbprint(other) }, /thumbprint/],
    [{ ...jwk, x: 'A'.repeat(43) }, /Ed25519/],
    [{ keys: [{ kid, jwk, role: 'boss' }] }, /not a file of keys/],
    [[], /not a file of keys/],
    [null, /not a file of keys/],
    ['x', /not a file of keys/],
  ];
  for (const [file, reason] of refused) {
    assert.throws(
      () => parseTrustedKeys(file),
      (problem) => problem instanceof InvalidKey && reason.test(problem.message),
    );
  }
});
