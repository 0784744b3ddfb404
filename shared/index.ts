/** What a collector, a client or an auditor needs: statements, canonical bytes, signatures, the tree, verification. */
export * from './appraisal.ts';
export { fromBase64url, toBase64url } from './base64url.ts';
export type { EpochTable } from './chain.ts';
export { documentSchema, type ReferenceDocument } from './document.ts';
export type { EntryNote } from './entry-window.ts';
export { recoverMessage, SIGNATURE_BYTES, signMessage, type Typ } from './envelope.ts';
export * from './facts.ts';
export { canonicalBytes, canonicalJson } from './jcs.ts';
export * from './keys.ts';
export { type Arrival, LogVerifier, type LogVerifierOptions, type Status, type Verdict } from './log-verifier.ts';
export * from './model.ts';
export { comparedFacts, itemsInForce, type ReferenceItem, weakerApproval } from './reference.ts';
export * from './statement.ts';
export * from './tree.ts';
export * from './verification.ts';
export { gatewayOf, isStart, type VerifiedMessage, verifyDocument, verifyMessage } from './verify.ts';
