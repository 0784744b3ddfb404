import { createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type Jwk, type Signer, signerOf } from '../../shared/index.ts';

/** The committed vectors as tests read them, and the keys they are signed with (seeds of RFC 8032 §7.1, tests 1 to 3). */

const read = (name: string) => JSON.parse(readFileSync(new URL(`../vectors/${name}.json`, import.meta.url), 'utf8'));

/** The frozen answers of attestation.md §12. */
export const knownAnswers: {
  readonly jwk: Jwk;
  readonly kid: string;
  readonly header: string;
  readonly messages: readonly string[];
  readonly leaves: readonly string[];
  readonly roots: { readonly '2': string; readonly '3': string };
  readonly inclusion_1_in_3: readonly string[];
  readonly consistency_2_to_3: readonly string[];
  readonly checkpoint: string;
  readonly note: string;
  readonly vkey: string;
  readonly cosignature: string;
} = read('known-answers');

/** One case: messages in the order of arrival, each with the verdicts it brings, as status and sorted codes. */
export interface VectorCase {
  readonly id: string;
  readonly title: string;
  readonly keys?: unknown;
  readonly now_ms?: number;
  readonly epochs?: { readonly [id: string]: { readonly iss: string; readonly iat: number } };
  readonly messages: readonly { readonly bytes: Buffer; readonly verdicts: readonly string[] }[];
  readonly finish?: readonly string[];
}

interface RawMessage {
  readonly message?: string;
  readonly base64?: string;
  readonly verdicts: readonly string[];
}

export const cases: readonly VectorCase[] = read('cases').map(
  (each: Omit<VectorCase, 'messages'> & { readonly messages: readonly RawMessage[] }) => ({
    ...each,
    messages: each.messages.map(({ message, base64, verdicts }) => ({
      bytes: message === undefined ? Buffer.from(base64 ?? '', 'base64') : Buffer.from(message),
      verdicts,
    })),
  }),
);

/** One case of checkpoints and cosignatures: what comes on which topic, the codes that it brings, and what is witnessed then. */
export const checkpointCases: readonly {
  readonly id: string;
  readonly title: string;
  readonly witnessed: number;
  readonly deliveries: readonly {
    readonly topic: string;
    readonly message: string;
    readonly codes: readonly string[];
  }[];
}[] = read('checkpoints');

const privateKeyOf = (seed: string) =>
  createPrivateKey({
    format: 'der',
    type: 'pkcs8',
    key: Buffer.from(`302e020100300506032b657004220420${seed}`, 'hex'),
  });

const gatewayKey = privateKeyOf('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60');

export const gateway: Signer = signerOf(gatewayKey);
