import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { readDraft } from '../../agent/terms/draft.ts';
import {
  addSignature,
  formatSignedTerms,
  jwkOf,
  parseSignedTerms,
  parseTrustedKeys,
  signerOf,
  signTerms,
  verifyTerms,
} from '../../shared/index.ts';
import { validatorOf } from './documents.ts';
import { judge } from './judged.ts';

/** What approvers sign: the examples of docs/approvers.md, signed, verified and held against the published schemas. */

const newKey = () => {
  const { privateKey } = generateKeyPairSync('ed25519');
  const signer = signerOf(privateKey);
  return { signer, jwk: { ...jwkOf(privateKey), kid: signer.kid, role: 'approver', name: 'alice' } };
};

const [alice, bob] = [newKey(), newKey()];
const keys = parseTrustedKeys([alice.jwk, bob.jwk]);

const page = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'approvers.md'), 'utf8');
const KINDS = { ref_id: 'reference', plan_id: 'plan', waiver_id: 'waiver' } as const;

const examples = [...page.matchAll(/```yaml\n((?:ref|plan|waiver)_id:[\s\S]*?)```/g)].map(([, text = '']) => {
  const kind = KINDS[text.slice(0, text.indexOf(':')) as keyof typeof KINDS];
  const draft = readDraft(text, { kind, nowS: Date.parse('2036-12-01T12:00:00Z') / 1000 });
  if (draft.kind === 'bad') throw new Error(JSON.stringify(draft.problems));
  return draft.terms;
});

suite('schemas of what approvers sign', () => {
  test('references, plans and waivers, and the file that holds them', () => {
    assert.ok(examples.length >= 5);
    for (const terms of examples) {
      const signed = addSignature(signTerms(terms, alice.signer), bob.signer);
      assert.deepEqual(verifyTerms(parseSignedTerms(Buffer.from(formatSignedTerms(signed))), { keys }).terms, terms);
      judge(`${terms.kind}-terms`, JSON.parse(signed.doc));
      judge('terms', JSON.parse(formatSignedTerms(signed)));
      // A verifier of logs takes them, too.
      assert.ok(validatorOf('reference')(JSON.parse(signed.doc)));
    }
  });

  test('the public half of a key, with role and name', () => {
    judge('keys', alice.jwk);
  });
});
