import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  canonicalBytes,
  LogVerifier,
  MAX_MESSAGE_BYTES,
  parseTrustedKeys,
  recoverMessage,
  SIGNATURE_BYTES,
  signMessage,
  VerificationError,
  verifyMessage,
} from '../../shared/index.ts';
import { cutEnvelope, readHeader } from '../../shared/verify.ts';
import { gateway, knownAnswers } from './vectors.ts';
import { attestation, start, stop, Writing } from './writing.ts';

const keys = parseTrustedKeys(knownAnswers.jwk);

const codeOf = (act: () => unknown): string => {
  try {
    act();
    return 'ok';
  } catch (problem) {
    if (problem instanceof VerificationError) return problem.code;
    throw problem;
  }
};

test('a message is JSON that ends with its signature, and verifies', () => {
  const message = new Writing().write(start());
  const { jws, ...content } = JSON.parse(message.toString());
  assert.match(jws, /^[\w-]+\.\.[\w-]{86}$/);
  assert.equal(message.length, canonicalBytes(content).length + SIGNATURE_BYTES);
  assert.equal(verifyMessage(message, { keys }).statement.kind, 'session');
});

test('what nobody may accept is not signed', () => {
  const sign = (content: object) => signMessage(content, 'miner-att+jwt', gateway);
  for (const content of [
    { jws: 'x' },
    { number: 1.5 },
    { number: 2 ** 53 },
    { Name: 1 },
    { text: 'x'.repeat(1025) },
    { list: Array.from({ length: 513 }, () => 1) },
    { a: { b: { c: { d: { e: { f: { g: { h: {} } } } } } } } },
    { doc: 'x'.repeat(20_000), note: 'x'.repeat(8_000), list: Array.from({ length: 5 }, () => 'x'.repeat(1_000)) },
    { nothing: undefined },
  ]) {
    assert.throws(() => sign(content), Error);
  }
  assert.ok(sign({ a: { b: { c: { d: { e: { f: { g: { h: 1 } } } } } } } }).length < MAX_MESSAGE_BYTES);
});

test('TV-26: 64 KiB are refused before anything is read', () => {
  assert.equal(
    codeOf(() => verifyMessage(Buffer.alloc(65_536, '{'), { keys })),
    'E_SIZE',
  );
  assert.equal(
    codeOf(() => verifyMessage(Buffer.alloc(MAX_MESSAGE_BYTES + 1, '{'), { keys })),
    'E_SIZE',
  );
  assert.equal(
    codeOf(() => verifyMessage(Buffer.alloc(MAX_MESSAGE_BYTES, '{'), { keys })),
    'E_ENVELOPE',
  );
});

test('the same signature with S + L is refused', () => {
  const message = new Writing().write(start());
  const { signature } = cutEnvelope(message);
  const s = BigInt(`0x${Buffer.from(signature.subarray(32)).reverse().toString('hex')}`);
  const larger = s + 2n ** 252n + 27742317777372353535851937790883648493n;
  const forged = Buffer.concat([
    signature.subarray(0, 32),
    Buffer.from(larger.toString(16).padStart(64, '0'), 'hex').reverse(),
  ]);
  const altered = message.toString().replace(signature.toString('base64url'), forged.toString('base64url'));
  assert.notEqual(altered, message.toString());
  assert.equal(
    codeOf(() => verifyMessage(Buffer.from(altered), { keys })),
    'E_SIGNATURE',
  );
});

test('depth and list length are limited where the content is canonical', () => {
  const nested = `${'{"a":'.repeat(2_000)}1${'}'.repeat(2_000)}`;
  const writing = new Writing();
  const signed = (content: string): Buffer => {
    // Signed past signMessage, which refuses such content.
    const header = Buffer.from(`{"alg":"Ed25519","kid":"${gateway.kid}","typ":"miner-att+jwt"}`).toString('base64url');
    const signature = gateway.sign(Buffer.from(`${header}.${Buffer.from(content).toString('base64url')}`));
    return Buffer.from(`${content.slice(0, -1)},"jws":"${header}..${Buffer.from(signature).toString('base64url')}"}`);
  };
  const withReason = (reason: string): string =>
    canonicalBytes({ ...stop, ...writing.next, session: { event: 'stop', reason: '@' } })
      .toString()
      .replace('"@"', reason);
  assert.equal(
    codeOf(() => verifyMessage(signed(withReason('"fine"')), { keys })),
    'ok',
  );
  assert.equal(
    codeOf(() => verifyMessage(signed(withReason(nested)), { keys })),
    'E_SCHEMA',
  );
  assert.equal(
    codeOf(() => verifyMessage(signed(withReason('['.repeat(9) + ']'.repeat(9))), { keys })),
    'E_SCHEMA',
  );
  assert.equal(
    codeOf(() => verifyMessage(signed(withReason(JSON.stringify(Array(513).fill(1)))), { keys })),
    'E_SCHEMA',
  );
});

test('a topic that names another gateway or device is refused, prefix and other topics do not matter', () => {
  const writing = new Writing();
  const first = writing.write(start());
  const second = writing.write(attestation('rig-7'));
  const code = (message: Buffer, topic: string) => codeOf(() => verifyMessage(message, { keys, topic }));
  assert.equal(code(first, 'attest/v1/gw-test/log'), 'ok');
  assert.equal(code(first, 'acme/attest/v1/gw-test/log'), 'ok');
  assert.equal(code(first, 'replayed'), 'ok');
  assert.equal(code(first, 'attest/v1/gw-other/log'), 'E_TOPIC');
  assert.equal(code(second, 'attest/v1/gw-test/dev/rig-7'), 'ok');
  assert.equal(code(second, 'attest/v1/gw-test/tenant/acme/dev/rig-7'), 'ok');
  assert.equal(code(second, 'attest/v1/gw-test/dev/rig-8'), 'E_TOPIC');
  assert.equal(code(first, 'attest/v1/gw-test/dev/rig-7'), 'E_TOPIC');
});

test('a copy that lost its form is recovered whatever the order of its members', () => {
  const message = new Writing().write(attestation('rig-7'), { seq: 0 });
  const { jws, ...content } = JSON.parse(message.toString());
  const copy = JSON.stringify({ jws, ...Object.fromEntries(Object.entries(content).toReversed()) }, null, 2);
  assert.deepEqual(recoverMessage(copy), message);
  for (const other of ['', '[]', '{"a":1}', '{"a":1,"jws":"x"}', '{"jws":1}'])
    assert.equal(recoverMessage(other), undefined);
});

test('arbitrary bytes and headers are refused, never a crash', () => {
  const verifier = new LogVerifier({ keys });
  const { jws } = JSON.parse(knownAnswers.messages[0] ?? '');
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.json(), (bytes, json) => {
      assert.equal(verifier.accept(bytes)[0]?.status, 'refused');
      const header = Buffer.from(json).toString('base64url');
      for (const tail of [jws, `${header}${jws.slice(jws.indexOf('..'))}`]) {
        const message = Buffer.concat([Buffer.from('{'), bytes, Buffer.from(`,"jws":"${tail}"}`)]);
        assert.equal(verifier.accept(message)[0]?.status, 'refused');
      }
      recoverMessage(json);
      recoverMessage(Buffer.from(bytes).toString());
    }),
    { numRuns: 300 },
  );
});

test('a lone surrogate in a header is refused like any other name', () => {
  const header = (alg: string, kid: string) =>
    Buffer.from(`{"alg":"${alg}","kid":"${kid}","typ":"miner-att+jwt"}`).toString('base64url');
  assert.equal(
    codeOf(() => readHeader(header('\\ud800', 'x'), 'miner-att+jwt')),
    'E_ALG',
  );
});
