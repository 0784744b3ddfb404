/**
 * What OpenSSL's Ed25519 leaves open: public keys that are not canonical, not on the curve or of low order. Also the
 * bound on S, which OpenSSL does check, stated here so that no platform can differ (attestation.md §8 step 6, §10).
 */

const P = 2n ** 255n - 19n;
const L = 2n ** 252n + 27742317777372353535851937790883648493n;
const D = 37095705934669439343138083508754565189542113879843219016388785533085940283555n;

/** The y coordinates of the eight points whose order divides 8 (three orders: 1 and 2, 4, 8). */
const LOW_ORDER_Y: readonly bigint[] = [
  0n,
  1n,
  P - 1n,
  2707385501144840649318225287225658788936804267575313519463743609750303402022n,
  55188659117513257062467267217118295137698188065244968500265048394206261417927n,
];

const littleEndian = (bytes: Uint8Array): bigint => BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`);

const power = (base: bigint, exponent: bigint): bigint => {
  let result = 1n;
  let square = base % P;
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = (result * square) % P;
    square = (square * square) % P;
  }
  return result;
};

/** True for the 32 bytes of a canonical point of the curve that is not of low order. */
export const isPublicKey = (bytes: Uint8Array): boolean => {
  if (bytes.length !== 32) return false;
  const y = littleEndian(bytes) & (2n ** 255n - 1n);
  if (y >= P || LOW_ORDER_Y.includes(y)) return false;
  // x² = u/v with u = y²-1, v = dy²+1 has a root exactly if u·v is a square (Euler).
  const u = y * y - 1n;
  const v = D * y * y + 1n;
  return power(u * v, (P - 1n) / 2n) === 1n;
};

/** True if S, the second half of a signature, is below the order of the group: no second signature for one message. */
export const isReducedSignature = (signature: Uint8Array): boolean => {
  if (signature.length !== 64) return false;
  // The highest byte of L is 0x10: only a signature that shares it needs the long comparison.
  const last = signature[63] ?? 0xff;
  return last < 0x10 || (last === 0x10 && littleEndian(signature.subarray(32)) < L);
};
