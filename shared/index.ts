/** What a collector, a client or an auditor needs: statements, canonical bytes, signatures, the tree, verification. */
export * from './appraisal.ts';
export { fromBase64url, toBase64url } from './base64url.ts';
export type { EpochTable } from './chain.ts';
export { CHANNELS, type ChannelName, GONE_EXPIRY_S, type Publishing, publishingOn, topicOn } from './channels.ts';
export {
  type CheckpointContent,
  checkpointSchema,
  checkpointText,
  parseCheckpointText,
  signCheckpoint,
  signHeartbeat,
  type VerifiedCheckpoint,
  verifyCheckpoint,
} from './checkpoint.ts';
export * from './collector/index.ts';
export { type Cosigned, cosign, cosignedSchema, verifyCosigned, type Witness } from './cosignature.ts';
export { documentSchema, type ReferenceDocument } from './document.ts';
export type { EntryNote } from './entry-window.ts';
export { recoverMessage, SIGNATURE_BYTES, signMessage, type Typ } from './envelope.ts';
export { type EpochMarker, epochSchema, signEpoch, verifyEpoch } from './epoch.ts';
export * from './facts.ts';
export type { Standing } from './heartbeats.ts';
export { canonicalBytes, canonicalJson } from './jcs.ts';
export * from './keys.ts';
export { type Arrival, LogVerifier, type LogVerifierOptions } from './log-verifier.ts';
export * from './model.ts';
export * from './note.ts';
export { comparedFacts, itemsInForce, type ReferenceItem, weakerApproval } from './reference.ts';
export * from './signed-terms.ts';
export * from './statement.ts';
export {
  documentIdSchema,
  type ExpectedValue,
  namesRule,
  type Plan,
  planTermsSchema,
  type ReferenceTerms,
  referenceTermsSchema,
  type Schedule,
  type Scope,
  type Terms,
  termsId,
  termsProblem,
  termsSchema,
  type Waiver,
  waiverTermsSchema,
} from './terms.ts';
export * from './tree.ts';
export { type Manifest, manifestSchema, type VerifiedManifest, verifyManifest } from './trust.ts';
export type { Status, Verdict } from './verdict.ts';
export * from './verification.ts';
export { gatewayOf, isStart, type Trust, type VerifiedMessage, verifyDocument, verifyMessage } from './verify.ts';
