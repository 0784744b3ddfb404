/** base64url without padding (b64u of attestation.md §2). */
export const toBase64url = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64url');

/** The bytes of strict base64url: no padding, no other characters, unused bits zero. Undefined when it is not that. */
export const fromBase64url = (text: string): Buffer | undefined => {
  const bytes = Buffer.from(text, 'base64url');
  // Node skips what it does not know and ignores unused bits; only what encodes back to the same text was strict.
  return bytes.toString('base64url') === text ? bytes : undefined;
};
