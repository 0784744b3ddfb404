import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import type { Approvers } from '../../agent/config/approvers.ts';
import { jwkOf, type Signer, signerOf, thumbprint, trustKey } from '../../shared/keys.ts';
import { addSignature, type SignedTerms, signTerms } from '../../shared/signed-terms.ts';
import type { Jwk } from '../../shared/statement.ts';
import { type Terms, termsSchema } from '../../shared/terms.ts';

/** People whose keys a gateway trusts, and what they sign. */
export class People implements Approvers {
  readonly keys: Approvers['keys'];
  readonly names: Approvers['names'];
  readonly #private: ReadonlyMap<string, KeyObject>;

  constructor(...names: readonly string[]) {
    const made = names.map((name) => ({ name, key: generateKeyPairSync('ed25519').privateKey }));
    this.#private = new Map(made.map(({ name, key }) => [name, key]));
    const records = made.map(({ name, key }) => ({ name, kid: thumbprint(jwkOf(key)), jwk: jwkOf(key) }));
    this.keys = new Map(records.map(({ kid, jwk }) => [kid, trustKey({ kid, jwk, role: 'approver' })]));
    this.names = new Map(records.map(({ kid, name }) => [kid, name]));
  }

  /** Those of these names only. */
  among(...names: readonly string[]): Approvers {
    const named = [...this.names].filter(([, name]) => names.includes(name));
    return {
      keys: new Map([...this.keys].filter(([kid]) => named.some(([one]) => one === kid))),
      names: new Map(named),
    };
  }

  /** The public key of one of them, as their public file has it. */
  jwk(name: string): Jwk & { readonly role: string; readonly name: string } {
    return { ...jwkOf(this.#private.get(name) as KeyObject), role: 'approver', name };
  }

  signer(name: string): Signer {
    return signerOf(this.#private.get(name) as KeyObject);
  }

  /** Their keys, as a verifier trusts them. */
  trusted(): object {
    return { keys: [...this.keys.values()].map(({ kid, jwk, role }) => ({ kid, jwk, role })) };
  }

  /** The terms, signed by these people. */
  sign(terms: Omit<Terms, 'iat'> & { readonly iat?: number }, ...by: readonly string[]): SignedTerms {
    const whole = termsSchema.parse({ iat: 1_795_339_200, ...terms });
    const [first, ...others] = by.map((name) => this.signer(name));
    if (first === undefined) throw new Error('nobody signs');
    return others.reduce(addSignature, signTerms(whole, first));
  }
}

/** A document that says which user every pool has; two people approve such a thing. */
export const poolUser = (value: string) =>
  ({
    kind: 'reference',
    ref_id: 'site-pools',
    version: 1,
    values: [{ fact: 'pools.user', class: 'set', value: [value] }],
  }) as const;

/** A document that admits this key. */
export const admission = (people: People, name: string, version = 1) =>
  ({ kind: 'reference', ref_id: 'approver-1', version, admits: [{ name, kid: people.signer(name).kid }] }) as const;

/** A plan to raise the power limit of every device, from `now` on; Unix seconds. */
export const summerPlan = (now: number, lastsS = 7200) =>
  ({
    kind: 'plan',
    plan_id: 'summer',
    iat: now,
    type: 'change',
    scope: {},
    ids: ['config.performance-changed'],
    expected_after: [{ fact: 'config.power_limit_w', class: 'exact', value: 3400 }],
    not_before_at: now,
    not_after_at: now + lastsS,
    author: 'alice',
  }) as const;
