import { hash } from 'node:crypto';
import { parseSignedTerms } from '../../shared/signed-terms.ts';
import { VerificationError } from '../../shared/verification.ts';
import type { Approvers } from '../config/approvers.ts';
import { AgentError } from '../platform/errors.ts';
import type { Emit } from '../platform/events.ts';
import { Allowance } from '../publish/allowance.ts';
import type { Handed } from './adoption.ts';

interface DeliveredDeps {
  /** Takes a document into force, or throws why not. */
  readonly adopt: (handed: Handed) => unknown;
  readonly approvers: () => Approvers;
  readonly wallMs: () => number;
  readonly emit: Emit;
}

/** Messages on the topic of terms that are looked at. */
const MOST_PER_SECOND = 2000;
/** Refused documents that are remembered. */
const MOST_REFUSED = 256;
/** Refusals that are told: so many at once, then one a minute. */
const TOLD_AT_ONCE = 16;
const TOLD_PER_SECOND = 1 / 60;

/** Documents that come over the uplink: each refused one is judged once and told once, however often it comes. */
export class DeliveredTerms {
  readonly #deps: DeliveredDeps;
  readonly #allowance: Allowance;
  readonly #telling: Allowance;
  /** Refusals that were not told since the last one that was. */
  #untold = 0;
  /** Digests of what was refused, the newest last. */
  #refused: readonly string[] = [];
  #refusedBy: Approvers | undefined;

  constructor(deps: DeliveredDeps) {
    this.#deps = deps;
    this.#allowance = new Allowance(MOST_PER_SECOND, deps.wallMs());
    this.#telling = new Allowance(TOLD_PER_SECOND, deps.wallMs(), TOLD_AT_ONCE);
  }

  /**
   * Takes what came over the uplink into force, or says why not. Anyone who may publish there chose every byte of it, and
   * `name`, the last level of its topic.
   */
  take(payload: Uint8Array, name: string): void {
    const { wallMs } = this.#deps;
    const digest = hash('sha256', payload, 'base64url');
    const approvers = this.#deps.approvers();
    // Others may be trusted since.
    if (approvers !== this.#refusedBy) this.#refused = [];
    this.#refusedBy = approvers;
    // A broker hands over what it keeps at every connect.
    if (this.#refused.includes(digest) || this.#allowance.take(wallMs()) > 0) return;
    const claimed = claimedName(payload);
    const isElsewhere = claimed.id !== undefined && claimed.id !== name;
    // Under however many other names it comes, that is told once; under its own it may still be taken.
    const refused = isElsewhere ? `elsewhere ${digest}` : digest;
    if (this.#refused.includes(refused)) return;
    try {
      if (isElsewhere) throw otherName(claimed.id, name);
      this.#deps.adopt({ kind: 'signed', delivered: true, ...parseSignedTerms(payload) });
    } catch (error) {
      if (!(error instanceof AgentError || error instanceof VerificationError)) throw error;
      if (!(error instanceof AgentError) || error.code.startsWith('terms.'))
        this.#refused = [...this.#refused, refused].slice(-MOST_REFUSED);
      this.#tellRefused(claimed, error);
    }
  }

  /** Others count since: what was refused may be taken now. */
  reconsider(): void {
    this.#refused = [];
  }

  #tellRefused(claimed: ReturnType<typeof claimedName>, error: AgentError | VerificationError): void {
    const { wallMs, emit } = this.#deps;
    if (this.#telling.take(wallMs()) > 0) {
      this.#untold += 1;
      return;
    }
    const remedy = error instanceof AgentError ? error.remedy : UNREADABLE;
    const untold = this.#untold === 0 ? {} : { untold: this.#untold };
    this.#untold = 0;
    emit('warn', 'terms.refused', { ...claimed, message: error.message, remedy, ...untold });
  }
}

/** Nothing can be said of what it was meant to be. */
const UNREADABLE =
  'publish as it is the file that assayer baseline sign, assayer plan sign or assayer waiver sign wrote';

/** What a document calls itself, where it can be read: anybody may have written it. */
const claimedName = (payload: Uint8Array): { readonly kind?: string; readonly id?: string } => {
  try {
    const { doc } = parseSignedTerms(payload);
    const { kind, ref_id, plan_id, waiver_id } = JSON.parse(doc) as { readonly [member: string]: unknown };
    const id = ref_id ?? plan_id ?? waiver_id;
    return {
      ...(typeof kind === 'string' ? { kind: kind.slice(0, 64) } : {}),
      ...(typeof id === 'string' ? { id: id.slice(0, 64) } : {}),
    };
  } catch {
    return {};
  }
};

/** A broker keeps one document by topic: under another name a later version would not take its place there. */
const otherName = (id: string | undefined, name: string): AgentError =>
  new AgentError({
    code: 'terms.name',
    message: `it came on ref/${name.slice(0, 64)}, and calls itself ${id}`,
    remedy:
      'publish it on the topic that ends with its own ref_id, plan_id or waiver_id, and an empty message on the other one',
  });
