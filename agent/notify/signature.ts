import { createHmac } from 'node:crypto';
import { secretError } from '../platform/secrets.ts';

/** What a webhook is signed with: the secrets in force, the newest first. */
export type SigningKeys = readonly Buffer[];

const REMEDY = 'make one: printf \'whsec_%s\\n\' "$(openssl rand -base64 32)" > <file>';

/**
 * The keys in the text of a secret, `whsec_` and base64. Two of them, one behind the other, sign both, so that a receiver can
 * be given a new one in its own time. Throws `config.secret`; the secret itself is in no message.
 */
export const parseSigningSecret = (text: string): SigningKeys => {
  const words = text.trim().split(/\s+/);
  if (words.length > 2) throw secretError('a signing secret is one or two words', REMEDY);
  return words.map(keyIn);
};

/** Standard Webhooks 1.0: 24 to 64 random bytes. */
const keyIn = (word: string): Buffer => {
  const base64 = word.replace(/^whsec_/, '');
  const key = Buffer.from(base64, 'base64');
  const isBase64 = key.toString('base64').replace(/=+$/, '') === base64.replace(/=+$/, '');
  if (isBase64 && key.length >= 24 && key.length <= 64) return key;
  throw secretError('a signing secret is `whsec_` and 24 to 64 bytes in base64', REMEDY);
};

/** The headers that say who sends this, when, and that nobody changed it (Standard Webhooks 1.0). */
export const signatureHeaders = (
  { id, atS, body }: { readonly id: string; readonly atS: number; readonly body: string },
  keys: SigningKeys,
): { readonly [header: string]: string } => ({
  'webhook-id': id,
  'webhook-timestamp': String(atS),
  'webhook-signature': keys
    .map((key) => `v1,${createHmac('sha256', key).update(`${id}.${atS}.${body}`).digest('base64')}`)
    .join(' '),
});
