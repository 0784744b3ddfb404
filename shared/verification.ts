/** The codes of verification (attestation.md §8). `E_…` is an error, `W_…` is used but shown, `I_…` is information. */
export type ErrorCode =
  | 'E_SIZE'
  | 'E_ENCODING'
  | 'E_ENVELOPE'
  | 'E_HEADER'
  | 'E_ALG'
  | 'E_TYP'
  | 'E_KEY_UNKNOWN'
  | 'E_KEY_SCOPE'
  | 'E_KEY_REVOKED'
  | 'E_TRUST_STALE'
  | 'E_SIGNATURE'
  | 'E_JSON'
  | 'E_NONCANONICAL'
  | 'E_PROFILE'
  | 'E_SCHEMA'
  | 'E_TOPIC'
  | 'E_INCARNATION'
  | 'E_FORK'
  | 'E_CHAIN'
  | 'E_BOOT'
  | 'E_MONO'
  | 'E_CLOCK'
  | 'E_FUTURE'
  | 'E_TIME_WINDOW'
  | 'E_BASELINE'
  | 'E_REFERENCE'
  | 'E_OVERCLAIM'
  | 'E_APPRAISAL'
  | 'E_COVERAGE'
  | 'E_FINDING'
  | 'E_CHECKPOINT'
  | 'E_ROLLBACK';

export type WarningCode = 'W_GAP' | 'W_NEW_LOG' | 'W_CLOCK' | 'W_EPOCH' | 'W_WITHHELD' | 'W_SILENT';

/**
 * `I_DUPLICATE` the same bytes again; `I_STALE` a heartbeat not newer than the last one; `I_START` the chain of this log begins here, at a `seq` above 0; `I_UNCHECKED` a
 * check needs an earlier entry that was not seen.
 */
export type NoteCode = 'I_DUPLICATE' | 'I_STALE' | 'I_START' | 'I_UNCHECKED';

export type Code = ErrorCode | WarningCode | NoteCode;

/** One result of one numbered step. `detail` is for people; it may quote what the sender wrote. */
export interface Remark {
  readonly code: Code;
  readonly step: number;
  readonly detail: string;
}

/** A step refused what it was given. Thrown by the functions that verify one message. */
export class VerificationError extends Error implements Remark {
  readonly code: ErrorCode;
  readonly step: number;
  readonly detail: string;

  constructor(code: ErrorCode, step: number, detail: string) {
    super(`${code} (step ${step}): ${detail}`);
    this.name = 'VerificationError';
    this.code = code;
    this.step = step;
    this.detail = detail;
  }
}

export const isError = (remark: Remark): boolean => remark.code.startsWith('E_');
