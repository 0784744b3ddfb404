import assert from 'node:assert/strict';
import { generateKeyPairSync, hash } from 'node:crypto';
import { suite, test } from 'node:test';
import { skippedBody, testBody, transitionBody } from '../../agent/notify/body.ts';
import {
  addSignature,
  formatSignedTerms,
  formatVkey,
  type Jwk,
  jwkOf,
  NOTE_TYPE,
  type Plan,
  parseTrustedKeys,
  type Role,
  type Signer,
  signerOf,
  signMessage,
  signTerms,
  verifyDocument,
  verifyManifest,
  verifyMessage,
} from '../../shared/index.ts';
import { stated } from '../notify/memory-feed.ts';
import { Writing } from '../shared/writing.ts';
import { judge } from './judged.ts';

/** What the gateway of `messages.test.ts` does not send, but every verifier reads: made here, and verified by the product first. */

const newKey = (role: Role): { readonly signer: Signer; readonly record: { kid: string; jwk: Jwk; role: Role } } => {
  const { privateKey } = generateKeyPairSync('ed25519');
  const signer = signerOf(privateKey);
  return { signer, record: { kid: signer.kid, jwk: jwkOf(privateKey), role } };
};

const gateway = newKey('gateway');
const approver = newKey('approver');
const authority = newKey('authority');
const file = { keys: [gateway, approver, authority].map(({ record }) => record) };
const keys = parseTrustedKeys(file);

const writing = (): Writing => {
  const log = new Writing();
  log.signer = gateway.signer;
  return log;
};

const reference = (kind: 'reference' | 'plan'): Buffer =>
  signMessage(
    kind === 'plan'
      ? { kind, plan_id: 'p-1' }
      : {
          kind,
          ref_id: 'ref-1',
          version: 3,
          iat: 1795339200,
          entries: [{ device: 'rig-7', seq: 4, leaf: hash('sha256', 'x', 'base64url') }],
        },
    'miner-ref+jwt',
    approver.signer,
  );

suite('schemas of what a gateway without change control does not send', () => {
  test('entries about plans and waivers, and about keys', () => {
    const doc = reference('plan').toString();
    const changes = [
      { action: 'adopted', type: 'plan', id: 'p-1', sha256: hash('sha256', doc, 'base64url'), doc },
      { action: 'expired', type: 'waiver', id: 'w-1', by: 'ada', terms: { reason: 'test' } },
    ] as const;
    const next = newKey('gateway').record.jwk;
    const log = writing();
    for (const change of changes) log.write({ kind: 'change', change });
    log.write({ kind: 'key', key: { action: 'rotate', next_jwk: next, pop: 'a.b.c' } });
    log.write({ kind: 'key', key: { action: 'retire' } });
    for (const message of log.messages) {
      const { statement } = verifyMessage(message, { keys });
      judge(statement.kind, JSON.parse(message.toString()));
    }
    assert.equal(log.messages.length, 4);
  });

  test('documents of an approver, and the manifest of an authority', () => {
    for (const kind of ['reference', 'plan'] as const) {
      assert.equal(verifyDocument(reference(kind), { keys }).kind, kind);
      judge('reference', JSON.parse(reference(kind).toString()));
    }
    const plan: Plan = {
      kind: 'plan',
      plan_id: 'p-1',
      iat: 1795339200,
      type: 'change',
      scope: {},
      ids: ['firmware.*'],
      not_before_at: 1795339200,
      not_after_at: 1795339260,
      author: 'ada',
    };
    const signed = addSignature(signTerms(plan, approver.signer), newKey('approver').signer);
    judge('terms', JSON.parse(formatSignedTerms(signed)));
    const manifest = signMessage(
      {
        version: 2,
        prev_sha256: hash('sha256', 'the one before', 'base64url'),
        iat: 1795339200,
        exp: 1795425600,
        keys: [{ ...gateway.record, logs: ['example.org/gw-test'], status: 'active' }],
        witnesses: [formatVkey('example.org/w', NOTE_TYPE.cosignature, authority.record.jwk)],
        quorum: 1,
      },
      'miner-trust+jwt',
      authority.signer,
    );
    assert.equal(verifyManifest(manifest, { authority: keys }).version, 2);
    judge('trust', JSON.parse(manifest.toString()));
  });

  test('notifications: a transition, what was passed over, a test', () => {
    const sender = { target: 'pager', gateway: 'gw-1', log: 'example.org/gw-1/1' };
    const transition = { seq: 7, iat: 1_795_339_200, finding: stated({ part: 'slot 0', before: 'a', after: 'b' }) };
    const skipped = { count: 2, bySeverity: { high: 2 }, fromAt: 1_795_339_200, toAt: 1_795_339_201, ended: [5] };
    for (const body of [
      transitionBody(transition, sender),
      skippedBody(skipped, { next: 9, sender }),
      testBody(sender, { atS: 1_795_339_200, nonce: 'n' }),
    ])
      judge('notification', JSON.parse(JSON.stringify(body)));
  });

  test('the three forms of a file of trusted keys', () => {
    const [{ jwk }] = file.keys as [typeof gateway.record];
    for (const form of [jwk, [jwk], file]) {
      assert.ok(parseTrustedKeys(form).size > 0);
      judge('keys', form);
    }
  });
});
