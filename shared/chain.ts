import type { EntryNote } from './entry-window.ts';
import type { LogState, Predecessor } from './log-state.ts';
import { comparedFacts } from './reference.ts';
import { type LogEnd, NO_PREVIOUS, type Statement } from './statement.ts';
import { appendLeaf, leafHash } from './tree.ts';
import type { Code, Remark } from './verification.ts';
import { isStart, rereadMessage, type VerifiedMessage } from './verify.ts';

/**
 * Verification of a message at its place in the log: steps 8 to 13 and 15 of attestation.md §8. From step 10 on a
 * message takes its place whatever is found, so these steps return remarks; an `E_…` quarantines the content.
 */

const remark = (code: Code, step: number, detail: string): Remark => ({ code, step, detail });

/** Step 8: an entry known by its number is the same message again, or proves a fork. */
export const compareKnown = (message: VerifiedMessage, known: Pick<EntryNote, 'leaf'>): Remark =>
  message.leaf.equals(known.leaf)
    ? remark('I_DUPLICATE', 8, `entry ${message.statement.seq} again`)
    : remark('E_FORK', 8, `two messages are entry ${message.statement.seq} of ${message.statement.log}`);

/** Step 9: what is missing between the chain and a message above it. */
export const describeGap = (from: number, to: number): Remark =>
  remark('W_GAP', 9, `entries ${from} to ${to} are missing`);

/** Step 10: the message names its predecessor. `former` is the known end of the former incarnation, for entry 0. */
export const checkPrevious = (
  state: LogState,
  { statement }: VerifiedMessage,
  former: Partial<LogEnd> | undefined,
): readonly Remark[] => {
  const expected = state.before?.leaf.toString('base64url') ?? (statement.seq === 0 ? NO_PREVIOUS : undefined);
  if (expected === undefined) return [remark('I_START', 10, `the chain begins at entry ${statement.seq}`)];
  if (statement.prev !== expected) return [remark('E_CHAIN', 10, `prev is not the hash of entry ${statement.seq - 1}`)];
  return statement.seq === 0 ? checkPrior(statement, former) : [];
};

const checkPrior = (statement: Statement, former: Partial<LogEnd> | undefined): readonly Remark[] => {
  const prior = isStart(statement) ? (statement.session.prior ?? undefined) : undefined;
  if (prior === undefined && former === undefined) return [];
  const isKnownEnd =
    prior !== undefined &&
    former !== undefined &&
    prior.log === former.log &&
    prior.size === former.size &&
    (former.root === undefined || prior.root === former.root);
  return isKnownEnd ? [] : [remark('W_NEW_LOG', 10, 'begins after another end of the former log than the known one')];
};

/** Step 10: a log ends where the incarnation after it says that it ended. `successor` is what its entry 0 names. */
export const checkSuccessor = (
  { statement: { log, seq } }: VerifiedMessage,
  successor: LogEnd | null | undefined,
): readonly Remark[] =>
  successor?.log === log && seq >= successor.size
    ? [remark('W_NEW_LOG', 10, `the log that replaced this one says that it ended at ${successor.size}`)]
    : [];

/** Step 11: starts are counted, and between them the monotonic clock does not fall. */
export const checkBoot = (state: LogState, { statement }: VerifiedMessage): readonly Remark[] => {
  const { before } = state;
  const starts = isStart(statement);
  const error = (code: 'E_BOOT' | 'E_MONO', detail: string): readonly Remark[] => [remark(code, 11, detail)];
  if (statement.seq === 0 && !starts) return error('E_BOOT', 'entry 0 is not the start of a session');
  if (before === undefined) return [];
  if (statement.bootcount < before.bootcount) return error('E_BOOT', 'the start counter fell');
  if (statement.bootseed !== before.bootseed) {
    const isNext = starts && statement.bootcount === before.bootcount + 1;
    return isNext ? [] : error('E_BOOT', 'a new seed without the next start of a session');
  }
  if (statement.bootcount !== before.bootcount) return error('E_BOOT', 'two starts with the same seed');
  if (starts) return error('E_BOOT', 'a start with the seed of the run before');
  return statement.mono_ms < before.monoMs ? error('E_MONO', 'the monotonic clock fell') : [];
};

const FUTURE_S = 120;

/** Step 12: wall clock and monotonic clock agree, and time is not ahead of ours, where that is given. */
export const checkClock = (
  state: LogState,
  { statement }: VerifiedMessage,
  nowMs: number | undefined,
): readonly Remark[] => {
  const remarks: Remark[] = [];
  if (isStepped(state.before, statement)) {
    remarks.push(remark('E_CLOCK', 12, 'the wall clock was stepped without a statement'));
  }
  if (nowMs !== undefined && statement.iat * 1000 > nowMs + FUTURE_S * 1000) {
    remarks.push(remark('E_FUTURE', 12, `iat ${statement.iat} is ahead of local time`));
  }
  if (statement.clock.state !== 'synced') remarks.push(remark('W_CLOCK', 12, `clock is ${statement.clock.state}`));
  return remarks;
};

const isStepped = (before: Predecessor | undefined, statement: Statement): boolean => {
  if (before === undefined || statement.bootseed !== before.bootseed) return false;
  if (statement.kind === 'session' && statement.session.event === 'clock-step') return false;
  const monoMs = statement.mono_ms - before.monoMs;
  return Math.abs((statement.iat - before.iat) * 1000 - monoMs) > 2_000 + monoMs / 1000;
};

/** Epoch markers that listed collectors signed, by `id`. The caller verifies them. */
export type EpochTable = ReadonlyMap<string, { readonly iss: string; readonly iat: number }>;

const BACKDATED_S = 120;

/** Step 13: the entry does not claim a time before a marker that it, or an earlier entry, contains. */
export const checkEpoch = (state: LogState, { statement }: VerifiedMessage, epochs: EpochTable): readonly Remark[] => {
  const remarks: Remark[] = [];
  const marker = markerOf(statement, epochs);
  if (statement.epoch !== undefined && marker === undefined) {
    remarks.push(remark('W_EPOCH', 13, `epoch ${statement.epoch.id} is not known`));
  }
  const bound = Math.max(marker?.iat ?? 0, state.epochIat ?? 0);
  if (statement.iat + BACKDATED_S < bound) {
    remarks.push(remark('E_TIME_WINDOW', 13, `iat ${statement.iat}, but an epoch marker of ${bound} came before`));
  }
  return remarks;
};

const markerOf = ({ epoch }: Statement, epochs: EpochTable): { readonly iat: number } | undefined => {
  const marker = epoch === undefined ? undefined : epochs.get(epoch.id);
  return marker?.iss === epoch?.iss ? marker : undefined;
};

/** Step 15: the entry is part of the log; the state now ends with it. */
export const advance = (state: LogState, { statement, leaf }: VerifiedMessage, epochs: EpochTable): void => {
  const marker = markerOf(statement, epochs);
  if (marker !== undefined) state.epochIat = Math.max(marker.iat, state.epochIat ?? 0);
  if (state.range !== undefined) state.range = appendLeaf(state.range, leaf);
  state.entries.push({ leaf, ...noteOf(statement) });
  state.before = {
    leaf,
    bootcount: statement.bootcount,
    bootseed: statement.bootseed,
    monoMs: statement.mono_ms,
    iat: statement.iat,
  };
  if (statement.seq === 0 && isStart(statement)) state.prior = statement.session.prior ?? null;
  state.latestIat = Math.max(state.latestIat, statement.iat);
  state.next = statement.seq + 1;
};

/** What later entries may ask about this one. */
const noteOf = (statement: Statement): Omit<EntryNote, 'leaf'> => {
  switch (statement.kind) {
    case 'attestation':
      return {
        kind: statement.kind,
        about: statement.subject.device,
        facts: comparedFacts(statement.evidence.claims ?? {}),
      };
    case 'finding':
      return { kind: statement.kind, about: statement.finding.id, facts: [] };
    default:
      return { kind: statement.kind, about: '', facts: [] };
  }
};

/** The same of a message that was verified before. */
export const noteOfMessage = (bytes: Uint8Array): EntryNote => {
  const leaf = leafHash(bytes);
  return { leaf, ...noteOf(rereadMessage({ bytes, leaf, kid: '' }).statement) };
};

/** A key that handed over in this log signs nothing more in it (step 14, `key`): such a message is kept out. */
export const checkRetired = (state: LogState, { kid }: VerifiedMessage): readonly Remark[] =>
  state.retiredKeys.has(kid) ? [remark('E_KEY_SCOPE', 14, `key ${kid} handed over before this entry`)] : [];
