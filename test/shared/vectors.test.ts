import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import {
  consistencyProof,
  inclusionProof,
  LogVerifier,
  leafHash,
  parseTrustedKeys,
  publicKeyOf,
  recoverMessage,
  signMessage,
  thumbprint,
  treeRoot,
  type Verdict,
  VerificationError,
} from '../../shared/index.ts';
import { readStatement, verifySigned } from '../../shared/verify.ts';
import { cases, gateway, knownAnswers, type VectorCase } from './vectors.ts';

const summary = ({ status, remarks }: Verdict): string =>
  [status, ...remarks.map(({ code }) => code).toSorted()].join(' ');

const verifierOf = (vector: VectorCase): LogVerifier =>
  new LogVerifier({
    keys: parseTrustedKeys(vector.keys ?? knownAnswers.jwk),
    epochs: new Map(Object.entries(vector.epochs ?? {})),
    start: 'zero',
  });

for (const vector of cases) {
  test(`${vector.id}: ${vector.title}`, () => {
    const verifier = verifierOf(vector);
    const nowMs = vector.now_ms;
    for (const { bytes, verdicts } of vector.messages) {
      assert.deepEqual(verifier.accept(bytes, { nowMs }).map(summary), verdicts);
    }
    assert.deepEqual(verifier.finish().map(summary), vector.finish ?? []);
  });
}

test('the vectors cover the cases of §12 that concern envelope, chain and canonical form', () => {
  const covered = new Set(cases.map(({ id }) => id));
  for (const id of [1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 25, 26]) {
    assert.ok(covered.has(`TV-${String(id).padStart(2, '0')}`), `TV-${id}`);
  }
});

const good = cases.find(({ id }) => id === 'TV-01')?.messages[0]?.bytes ?? Buffer.alloc(0);

test('TV-02: every single-bit flip of a message is refused', () => {
  const keys = parseTrustedKeys(knownAnswers.jwk);
  assert.equal(new LogVerifier({ keys }).accept(good)[0]?.status, 'chained');
  for (let bit = 0; bit < good.length * 8; bit++) {
    const flipped = Buffer.from(good);
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    assert.equal(new LogVerifier({ keys }).accept(flipped)[0]?.status, 'refused', `bit ${bit}`);
  }
});

test('TV-04: a pretty-printed copy is recovered to the bytes that were signed', () => {
  const copy = cases.find(({ id }) => id === 'TV-04')?.messages[0]?.bytes ?? Buffer.alloc(0);
  assert.notDeepEqual(copy, good);
  assert.deepEqual(recoverMessage(copy.toString()), good);
});

test('the known answers verify to step 6 and fail step 7 with E_PROFILE', () => {
  const keys = parseTrustedKeys(knownAnswers.jwk);
  assert.equal(knownAnswers.messages.length, 3);
  for (const message of knownAnswers.messages) {
    const { content } = verifySigned(Buffer.from(message), 'miner-att+jwt', { keys });
    assert.throws(
      () => readStatement(content),
      (problem) => problem instanceof VerificationError && problem.code === 'E_PROFILE' && problem.step === 7,
    );
  }
});

test('the product makes the known answers: thumbprint, header, messages, leaves, roots, proofs', () => {
  const leaves = knownAnswers.messages.map((message) => leafHash(Buffer.from(message)));
  const hex = (hashes: readonly Buffer[]): readonly string[] => hashes.map((each) => each.toString('hex'));
  assert.equal(thumbprint(knownAnswers.jwk), knownAnswers.kid);
  assert.equal(gateway.kid, knownAnswers.kid);
  for (const message of knownAnswers.messages) {
    const { jws, ...content } = JSON.parse(message);
    assert.ok(jws.startsWith(`${knownAnswers.header}..`));
    assert.equal(signMessage(content, 'miner-att+jwt', gateway).toString(), message);
  }
  assert.deepEqual(hex(leaves), knownAnswers.leaves);
  assert.equal(treeRoot(leaves.slice(0, 2)).toString('hex'), knownAnswers.roots['2']);
  assert.equal(treeRoot(leaves).toString('hex'), knownAnswers.roots['3']);
  assert.deepEqual(hex(inclusionProof(1, leaves)), knownAnswers.inclusion_1_in_3);
  assert.deepEqual(hex(consistencyProof(2, leaves)), knownAnswers.consistency_2_to_3);
});

test('the signature of the note is over the checkpoint', () => {
  const signature = Buffer.from(knownAnswers.note.split(' ')[2] ?? '', 'base64').subarray(4);
  assert.ok(verify(null, Buffer.from(knownAnswers.checkpoint), publicKeyOf(knownAnswers.jwk), signature));
});

test('the answers of the specification are the committed ones', () => {
  assert.equal(knownAnswers.kid, 'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k');
  assert.equal(knownAnswers.messages[0]?.length, 531);
  assert.equal(knownAnswers.roots['2'], 'c0e8c25e2b09c3120472b49a3dea765d0a7f91aa06074a50ac4cc0a138c31810');
  assert.equal(knownAnswers.roots['3'], 'fbaec42e8ccaa926158cdd4d9257c5e187889a8d24bf191c092faaae1c1582b9');
  assert.match(
    knownAnswers.messages[0] ?? '',
    /ZJ_QOQWfMhTfAiPsAoTHJt-9mqtDBYjOBsRnhMIpKu6XcW6Ht3x8AEy8a0_jtgR3e7-o1OvDpKKY7k3nuV7wBQ"\}$/,
  );
});

const script = new URL('../../scripts/vectors.sh', import.meta.url).pathname;
const missing = ['openssl', 'xxd', 'sha256sum'].find((tool) => spawnSync(tool, ['--version']).error !== undefined);

for (const name of ['known-answers', 'cases', 'checkpoints']) {
  test(`${name}.json is what OpenSSL and sha256sum make`, (context) => {
    if (missing !== undefined)
      return context.skip(`${missing} is not installed: apt-get install openssl xxd coreutils`);
    const made = spawnSync('bash', [script, name], { encoding: 'utf8', timeout: 60_000 });
    assert.equal(made.stderr, '');
    assert.equal(made.stdout, readFileSync(new URL(`../vectors/${name}.json`, import.meta.url), 'utf8'));
  });
}
