import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cases } from '../shared/vectors.ts';
import { validatorOf } from './documents.ts';

/** The messages of the committed vectors that only their schema or the limits of the data model refuse, and those beside them. */
const judged = cases
  .filter(({ id }) => id === 'TV-16' || id === 'TV-26')
  .flatMap(({ id, title, messages }) => messages.map((message) => ({ id, title, ...message })))
  .filter(({ verdicts }) => verdicts.every((verdict) => !/E_(?:JSON|ENCODING|NONCANONICAL)/.test(verdict)));

test('the published schemas refuse what the vectors refuse for its limits, and take what is beside it', () => {
  let refused = 0;
  for (const { id, title, bytes, verdicts } of judged) {
    const message = JSON.parse(Buffer.from(bytes).toString('utf8'));
    const isRefused = verdicts[0] === 'refused E_SCHEMA';
    const validate = validatorOf(message.kind);
    assert.equal(validate(message), !isRefused, `${id} ${title}: ${JSON.stringify(validate.errors?.slice(0, 2))}`);
    if (isRefused) refused += 1;
  }
  assert.ok(refused >= 2, `${refused} of ${judged.length}`);
});

test('a published schema of what is signed is that of the whole message: the content alone lacks its signature', () => {
  const taken = cases
    .flatMap(({ messages }) => messages)
    .filter(({ verdicts }) => /^(?:chained|quarantined)/.test(verdicts[0] ?? ''))
    .map(({ bytes }): { readonly kind: string; readonly jws: string } =>
      JSON.parse(Buffer.from(bytes).toString('utf8')),
    );
  const kinds = new Set<string>();
  for (const message of taken) {
    const { jws: _signature, ...content } = message;
    const validate = validatorOf(message.kind);
    if (!validate(message)) continue;
    kinds.add(message.kind);
    assert.equal(validate(content), false, message.kind);
    assert.deepEqual(
      validate.errors?.map(({ keyword, params }) => [keyword, params.missingProperty]),
      [['required', 'jws']],
      message.kind,
    );
  }
  assert.deepEqual([...kinds].sort(), ['attestation', 'change', 'session']);
});
