import assert from 'node:assert/strict';
import { createPrivateKey } from 'node:crypto';
import { test } from 'node:test';
import {
  canonicalBytes,
  checkpointText,
  cosign,
  formatNote,
  formatVkey,
  jwkOf,
  NOTE_TYPE,
  noteKeyOf,
  parseNote,
  parseTrustedKeys,
  parseVkey,
  type Report,
  signCheckpoint,
  signerOf,
  verifyCosigned,
} from '../../../shared/index.ts';
import { checkpointCases, knownAnswers } from '../vectors.ts';
import { gatewayKey, keys, NOW, open } from './bench.ts';

const keyOfSeed = (seed: string) => {
  const der = Buffer.from(`302e020100300506032b657004220420${seed}`, 'hex');
  const key = createPrivateKey({ format: 'der', type: 'pkcs8', key: der });
  return { ...signerOf(key), jwk: jwkOf(key), role: 'authority' };
};
/** Seeds of RFC 8032 §7.1, tests 2 and 3: the witness and the authority of the vectors. */
const witness = keyOfSeed('4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb');
const authority = keyOfSeed('c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7');

const codesOf = ({ verdicts, notices }: Report): readonly string[] =>
  [...verdicts, ...notices]
    .flatMap((each) => ('remarks' in each ? each.remarks : []))
    .map(({ code }) => code)
    .filter((code) => !code.startsWith('I_'));

for (const { id, title, witnessed, deliveries } of checkpointCases) {
  test(`${id}: ${title}`, async () => {
    const { kid, jwk, role } = authority;
    const collector = await open({
      trust: { kind: 'authority', authority: parseTrustedKeys({ keys: [{ kid, jwk, role }] }) },
    });
    for (const { topic, message, codes } of deliveries) {
      assert.deepEqual(codesOf(await collector.take([{ topic, payload: Buffer.from(message) }], NOW)), codes);
    }
    assert.equal((await collector.logs())[0]?.witnessed ?? 0, witnessed);
  });
}

test('the vectors of checkpoints cover TV-21, 22 and 23', () => {
  assert.deepEqual([...new Set(checkpointCases.map(({ id }) => id))], ['TV-21', 'TV-22', 'TV-23']);
  assert.ok(checkpointCases.length >= 10);
});

const end = {
  log: 'example.org/gw-test/1',
  size: 3,
  root: Buffer.from(knownAnswers.roots['3'], 'hex').toString('base64url'),
};

test('the product makes the known answers: vkey, note and cosignature', () => {
  assert.equal(formatVkey(end.log, NOTE_TYPE.signature, gatewayKey.jwk), knownAnswers.vkey);
  assert.equal(checkpointText(end), knownAnswers.checkpoint);
  const note = signCheckpoint(end, gatewayKey);
  assert.equal(note, `${knownAnswers.checkpoint}\n${knownAnswers.note}\n`);
  const cosigned = cosign(note, { ...witness, name: 'example.org/witness-a' }, 1795339260);
  assert.equal(cosigned, `${note}${knownAnswers.cosignature}\n`);
  const key = noteKeyOf('example.org/witness-a', NOTE_TYPE.cosignature, witness.jwk);
  const known = verifyCosigned(canonicalBytes({ log: end.log, size: 3, note: cosigned }), {
    keys: keys.values(),
    witnesses: [key],
  });
  assert.deepEqual([known?.end, [...(known?.times ?? [])]], [end, [['example.org/witness-a', 1795339260]]]);
});

test('a vkey is read back; one that is altered is none', () => {
  const { vkey } = knownAnswers;
  assert.deepEqual(parseVkey(vkey)?.keyId.toString('hex'), '968f990c');
  for (const wrong of [
    '',
    'x',
    vkey.replace('968f', '968e'),
    vkey.replace('+Adda', '+Addb'),
    vkey.replace('+Ad', '+Bd'),
    `${vkey}=`,
    vkey.replace('gw', 'g w'),
  ]) {
    assert.equal(parseVkey(wrong), undefined, wrong);
  }
});

test('a note is read back as it was written; what is none is refused', () => {
  const note = signCheckpoint(end, gatewayKey);
  const parsed = parseNote(note);
  assert.equal(parsed && formatNote(parsed), note);
  const line = note.split('\n').at(-2) ?? '';
  const wrong = [
    '',
    note.trimEnd(),
    note.replace('\n\n', '\n'),
    note.replace('— ', '- '),
    `${note}x`,
    note.replace('1\n3', '1\r\n3'),
    `${note}${`${line}\n`.repeat(64)}`,
    note.replace(/=\n$/, '\n'),
    note.replace(/[A-Za-z0-9+/=]+\n$/, 'AAAA\n'),
  ];
  for (const each of wrong) assert.equal(parseNote(each), undefined, JSON.stringify(each));
});

test('what a broker sends as a note is read in no time, however it is made', () => {
  const lines = [
    `${'a\n'.repeat(4_000)}`,
    `${'a'.repeat(4_000)}${'\n'.repeat(4_000)}`,
    `a\n\n${'— a AAAA\n'.repeat(800)}`,
    `a\n\n— ${'a'.repeat(8_000)}`,
  ];
  for (const each of lines) assert.equal(parseNote(each), undefined);
});
