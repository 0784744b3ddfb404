import assert from 'node:assert/strict';
import { PAYLOADS, type PayloadName } from '../../scripts/docs/interface/payloads.ts';
import type { Statement } from '../../shared/statement.ts';
import { lacksPrior } from '../../shared/verify.ts';
import { mutationsOf } from './changed.ts';
import { validatorOf } from './documents.ts';

/** How many changed copies of a message were judged, and how many of them refused. */
export interface Judged {
  readonly judged: number;
  readonly refused: number;
}

/** Holds the published schema against the one that the product uses: both take the message, and agree on every changed copy of it. */
export const judge = (name: string, payload: unknown): Judged => {
  const { schema } = PAYLOADS[name as PayloadName];
  const validate = validatorOf(name);
  assert.ok(validate(payload), `${name}: ${JSON.stringify(validate.errors?.slice(0, 3))}`);
  assert.ok(schema.safeParse(payload).success, name);
  let refused = 0;
  let judged = 0;
  for (const { path, value } of mutationsOf(payload)) {
    const byProduct = schema.safeParse(value).success && !(name === 'session' && lacksPrior(value as Statement));
    assert.equal(validate(value), byProduct, `${name} ${path.join('.')}: ${JSON.stringify(value)}`);
    judged += 1;
    if (!byProduct) refused += 1;
  }
  assert.ok(refused > 5, `${name}: ${refused} of ${judged} are refused`);
  return { judged, refused };
};
