import assert from 'node:assert/strict';
import { generateKeyPairSync, hash, type KeyObject } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  addSignature,
  canonicalBytes,
  formatSignedTerms,
  jwkOf,
  type Plan,
  parseSignedTerms,
  parseTrustedKeys,
  type ReferenceTerms,
  readClaimedTerms,
  type SignedTerms,
  type Signer,
  signerOf,
  signMessage,
  signTerms,
  type Terms,
  type TrustedKeys,
  VerificationError,
  verifyDocument,
  verifyTerms,
  type Waiver,
} from '../../shared/index.ts';
import { gateway, knownAnswers } from './vectors.ts';

interface Approver extends Signer {
  readonly privateKey: KeyObject;
}

const newApprover = (): Approver => {
  const { privateKey } = generateKeyPairSync('ed25519');
  return { ...signerOf(privateKey), privateKey };
};

const alice = newApprover();
const bob = newApprover();

const recordOf = ({ privateKey, kid }: Approver) => ({ kid, jwk: jwkOf(privateKey), role: 'approver' });
const trusting = (members: object, ...approvers: readonly Approver[]): TrustedKeys =>
  parseTrustedKeys({ keys: approvers.map((one) => ({ ...recordOf(one), ...members })) });
const keys = trusting({}, alice, bob);

const IAT = 1795339200;

const reference: ReferenceTerms = {
  kind: 'reference',
  ref_id: 'site-pools',
  version: 1,
  iat: IAT,
  scope: { labels: { site: 'tx1' } },
  values: [{ fact: 'config.strategy', class: 'exact', value: 'failover' }],
};

const plan: Plan = {
  kind: 'plan',
  plan_id: 'firmware-2026-48',
  iat: IAT,
  type: 'change',
  scope: { devices: ['rig-7'] },
  ids: ['firmware.version-changed'],
  expected_after: [{ fact: 'firmware.version', class: 'exact', value: '2.9.1' }],
  not_before_at: IAT + 600,
  not_after_at: IAT + 90_000,
  author: 'alice',
};

const waiver: Waiver = {
  kind: 'waiver',
  waiver_id: 'bench-3',
  iat: IAT,
  scope: { devices: ['rig-7'] },
  ids: ['pool.outside-allowlist'],
  reason: 'burn-in',
  risk: 'hashes for the vendor for a day',
  expires_at: IAT + 86_400,
  author: 'bob',
};

const codeOf = (act: () => unknown): string => {
  try {
    act();
    return 'ok';
  } catch (problem) {
    if (problem instanceof VerificationError) return problem.code;
    throw problem;
  }
};

const bytesOf = (signed: SignedTerms): Buffer => Buffer.from(formatSignedTerms(signed));

for (const terms of [reference, plan, waiver] as const) {
  test(`a ${terms.kind} that two approvers signed is read back as it was written`, () => {
    const once = signTerms(terms, alice);
    const twice = addSignature(once, bob);
    assert.equal(twice.doc, once.doc);
    const read = parseSignedTerms(bytesOf(twice));
    assert.deepEqual(read, twice);
    assert.deepEqual(verifyTerms(read, { keys }), {
      terms,
      kids: [alice.kid, bob.kid],
      sha256: hash('sha256', once.doc, 'base64url'),
    });
    assert.deepEqual(readClaimedTerms(read), { terms, kids: [alice.kid, bob.kid] });
    // What a verifier of logs makes of the same members.
    assert.equal(verifyDocument(Buffer.from(read.doc), { keys, signatures: read.sigs }).kind, terms.kind);
  });
}

test('one signer is an object without sigs; a bare message, with or without a newline, is the same', () => {
  const signed = signTerms(plan, alice);
  assert.deepEqual(Object.keys(JSON.parse(formatSignedTerms(signed))), ['doc']);
  for (const text of [signed.doc, `${signed.doc}\n`, formatSignedTerms(signed)]) {
    assert.deepEqual(parseSignedTerms(Buffer.from(text)), signed);
  }
});

test('every single-bit flip of document and signatures is refused', () => {
  const bytes = bytesOf(addSignature(signTerms(waiver, alice), bob));
  assert.equal(
    codeOf(() => verifyTerms(parseSignedTerms(bytes), { keys })),
    'ok',
  );
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const flipped = Buffer.from(bytes);
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    assert.notEqual(
      codeOf(() => verifyTerms(parseSignedTerms(flipped), { keys })),
      'ok',
      `bit ${bit}`,
    );
  }
});

test('the same key does not count twice, neither when it signs nor when it is read', () => {
  const signed = signTerms(plan, alice);
  assert.equal(
    codeOf(() => addSignature(signed, alice)),
    'E_SIGNATURE',
  );
  assert.equal(
    codeOf(() => addSignature(addSignature(signed, bob), bob)),
    'E_SIGNATURE',
  );
  const own = JSON.parse(signed.doc).jws;
  assert.equal(
    codeOf(() => verifyTerms({ ...signed, sigs: [own] }, { keys })),
    'E_SIGNATURE',
  );
});

test('only keys that are trusted as approvers, for this gateway, and not revoked', () => {
  const signed = addSignature(signTerms(plan, alice), bob);
  const code = (trusted: TrustedKeys, name?: string) =>
    codeOf(() => verifyTerms(signed, { keys: trusted, gateway: name }));
  assert.equal(code(keys, 'example.org/gw-test'), 'ok');
  assert.equal(code(trusting({}, alice)), 'E_KEY_UNKNOWN');
  assert.equal(code(trusting({ role: 'collector' }, alice, bob)), 'E_KEY_SCOPE');
  const bound = trusting({ logs: ['example.org/gw-test'] }, alice, bob);
  assert.equal(code(bound, 'example.org/gw-test'), 'ok');
  assert.equal(code(bound, 'example.org/gw-other'), 'E_KEY_SCOPE');
  const revoked = { reason: 'lost', iat: IAT, last_good: { size: 10, root: knownAnswers.kid } };
  assert.equal(code(trusting({ revoked }, alice, bob)), 'E_KEY_REVOKED');
  assert.equal(
    codeOf(() => verifyTerms(signTerms(plan, gateway), { keys: parseTrustedKeys(knownAnswers.jwk) })),
    'E_KEY_SCOPE',
  );
  assert.equal(
    codeOf(() => verifyTerms(signed, { keys, stale: true })),
    'E_TRUST_STALE',
  );
});

test('terms for other gateways are not taken', () => {
  const signed = signTerms({ ...reference, scope: { logs: ['example.org/gw-a', 'example.org/gw-b'] } }, alice);
  const code = (name?: string) => codeOf(() => verifyTerms(signed, { keys, gateway: name }));
  assert.equal(code('example.org/gw-b'), 'ok');
  assert.equal(code('example.org/gw-c'), 'E_KEY_SCOPE');
  assert.equal(code(), 'ok');
});

test('what the rules of plans and waivers forbid is neither signed nor taken', () => {
  const wrong: readonly Terms[] = [
    { ...waiver, expires_at: IAT + 91 * 86_400 },
    { ...plan, not_after_at: plan.not_before_at },
    { ...plan, dispatch: { dispatcher: 'grid', reference: '17' } },
    { kind: 'reference', ref_id: 'empty', version: 1, iat: IAT },
  ];
  for (const terms of wrong) {
    assert.equal(
      codeOf(() => signTerms(terms, alice)),
      'E_SCHEMA',
    );
    const forced = { doc: signMessage(terms, 'miner-ref+jwt', alice).toString(), sigs: [] };
    assert.equal(
      codeOf(() => verifyTerms(forced, { keys })),
      'E_SCHEMA',
    );
  }
});

test('members of a later version are carried at the top and refused where they would be kept to', () => {
  const signed = (terms: object) => ({ doc: signMessage(terms, 'miner-ref+jwt', alice).toString(), sigs: [] });
  const later = { ...plan, colour: 'red' };
  assert.deepEqual(verifyTerms(signed(later), { keys }).terms, later);
  assert.equal(
    codeOf(() => verifyTerms(signed({ ...plan, scope: { racks: ['r14'] } }), { keys })),
    'E_SCHEMA',
  );
  assert.equal(
    codeOf(() => verifyTerms(signed({ ...plan, kind: 'decree' }), { keys })),
    'E_SCHEMA',
  );
});

test('what no log entry could hold is refused before it is signed, and when it is read', () => {
  const values = (count: number, text: string): ReferenceTerms => ({
    ...reference,
    values: Array.from({ length: count }, () => ({ fact: 'config.strategy', class: 'exact', value: text })),
  });
  assert.equal(
    codeOf(() => signTerms(values(20, 'x'.repeat(800)), alice)),
    'ok',
  );
  const long = values(26, 'x'.repeat(800));
  assert.equal(
    codeOf(() => signTerms(long, alice)),
    'E_SIZE',
  );
  assert.equal(
    codeOf(() => signTerms(values(200, 'x'.repeat(800)), alice)),
    'E_SIZE',
  );
  assert.equal(
    codeOf(() => signTerms(values(1, 'x'.repeat(1_025)), alice)),
    'E_SCHEMA',
  );
  const doc = signMessage(long, 'miner-ref+jwt', alice).toString();
  assert.equal(
    codeOf(() => parseSignedTerms(Buffer.from(JSON.stringify({ doc })))),
    'E_SIZE',
  );
  assert.equal(
    codeOf(() => verifyTerms({ doc, sigs: [] }, { keys })),
    'E_SIZE',
  );
  // Within 20 480 bytes, but twice that in an entry: every quote and backslash is written with another one.
  assert.equal(
    codeOf(() => signTerms(values(10, '"'.repeat(900)), alice)),
    'E_SIZE',
  );
  assert.equal(
    codeOf(() => parseSignedTerms(Buffer.alloc(65_537, ' '))),
    'E_SIZE',
  );
});

test('anything else is refused with a code, never a crash', () => {
  for (const [text, code] of [
    ['', 'E_JSON'],
    ['{', 'E_JSON'],
    ['null', 'E_SCHEMA'],
    ['[]', 'E_SCHEMA'],
    ['{"doc":1}', 'E_SCHEMA'],
    ['{"doc":"{}","sigs":[]}', 'E_SCHEMA'],
    ['{"doc":"{}","sigs":["x"]}', 'E_SCHEMA'],
    ['{"doc":"{}","more":1}', 'E_SCHEMA'],
    ['\ufeff{"doc":"{}"}', 'E_JSON'],
  ] as const) {
    assert.equal(
      codeOf(() => parseSignedTerms(Buffer.from(text))),
      code,
      text,
    );
  }
  assert.equal(
    codeOf(() => parseSignedTerms(Uint8Array.of(0xff, 0xfe))),
    'E_ENCODING',
  );
  assert.equal(
    codeOf(() => verifyTerms(parseSignedTerms(Buffer.from('{"doc":"{}"}')), { keys })),
    'E_ENVELOPE',
  );
  fc.assert(
    fc.property(fc.oneof(fc.json(), fc.string()), (text) => {
      for (const whole of [text, JSON.stringify({ doc: text })]) {
        const code = codeOf(() => readClaimedTerms(parseSignedTerms(Buffer.from(whole))));
        assert.match(code, /^E_/);
      }
    }),
    { numRuns: 300 },
  );
});

test('the bytes that are signed are the canonical form of the terms', () => {
  const { doc } = signTerms(plan, alice);
  const { jws, ...content } = JSON.parse(doc);
  assert.ok(doc.startsWith(canonicalBytes(content).toString().slice(0, -1)));
  assert.match(jws, /^[\w-]+\.\.[\w-]{86}$/);
});
