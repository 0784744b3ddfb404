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
/** Documents that stand refused on their topics: so many are known with their bytes, to be judged again. Of more the oldest are forgotten. */
const MOST_STANDING = 64;
/** Characters of a message or name that are kept of one. */
const MOST_TEXT = 512;
/** Refusals that are told: so many at once, then one a minute. */
const TOLD_AT_ONCE = 16;
const TOLD_PER_SECOND = 1 / 60;

/** A document that was refused, and that its topic still hands over, as far as is known. */
export interface RefusedTerms {
  /** The last level of the topic. */
  readonly name: string;
  readonly kind?: string;
  readonly id?: string;
  /** Unix seconds. */
  readonly refused_at: number;
  readonly message: string;
  readonly remedy: string;
}

interface Standing extends RefusedTerms {
  readonly payload: Uint8Array;
  readonly digest: string;
  /** Digest of the document in it, where it can be read. */
  readonly sha256?: string;
}

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
  /** By name, the one refused last at the end. */
  readonly #standing = new Map<string, Standing>();

  constructor(deps: DeliveredDeps) {
    this.#deps = deps;
    this.#allowance = new Allowance(MOST_PER_SECOND, deps.wallMs());
    this.#telling = new Allowance(TOLD_PER_SECOND, deps.wallMs(), TOLD_AT_ONCE);
  }

  /**
   * Takes what came over the uplink into force, or says why not. Anyone who may publish there chose every byte of it, and
   * `name`, the last level of its topic. An empty message takes back what stood there.
   */
  take(payload: Uint8Array, name: string): void {
    const { wallMs } = this.#deps;
    const digest = hash('sha256', payload, 'base64url');
    const approvers = this.#deps.approvers();
    // Others may be trusted since.
    if (approvers !== this.#refusedBy) this.#refused = [];
    this.#refusedBy = approvers;
    const place = name.slice(0, MOST_TEXT);
    // A topic keeps one.
    if (this.#standing.get(place)?.digest !== digest) this.#standing.delete(place);
    if (payload.length === 0) return;
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
      this.#standing.delete(place);
    } catch (error) {
      if (!(error instanceof AgentError || error instanceof VerificationError)) throw error;
      if (!(error instanceof AgentError) || error.code.startsWith('terms.'))
        this.#refused = [...this.#refused, refused].slice(-MOST_REFUSED);
      const said = { message: error.message, remedy: error instanceof AgentError ? error.remedy : UNREADABLE };
      this.#stands(place, { ...claimed, ...said, payload, digest });
    }
  }

  /** Remembers what was refused, and tells it unless it was judged again and refused for the same reason. */
  #stands(name: string, refused: Omit<Standing, 'name' | 'refused_at'>): void {
    const before = this.#standing.get(name);
    const { kind, id, message, remedy } = refused;
    const named = { ...(kind === undefined ? {} : { kind }), ...(id === undefined ? {} : { id }) };
    const isKnown = before?.message === message;
    const now = Math.floor(this.#deps.wallMs() / 1000);
    this.#standing.delete(name);
    this.#standing.set(name, { ...refused, name, refused_at: isKnown ? before.refused_at : now });
    for (const oldest of this.#standing.keys()) {
      if (this.#standing.size <= MOST_STANDING) break;
      this.#standing.delete(oldest);
    }
    if (!isKnown) this.#tellRefused({ ...named, message, remedy });
  }

  /** Others count since: what was refused, and stands on its topic, is judged again. */
  reconsider(): void {
    this.#refused = [];
    for (const [name, { payload }] of [...this.#standing]) this.take(payload, name);
  }

  /** What stands refused. `isInForce`: of the digest of a document, which a person may have handed over since. */
  standing(isInForce: (sha256: string) => boolean): readonly RefusedTerms[] {
    return [...this.#standing.values()].flatMap(({ payload: _, digest: __, sha256, message, ...refused }) =>
      sha256 !== undefined && isInForce(sha256) ? [] : [{ ...refused, message: message.slice(0, MOST_TEXT) }],
    );
  }

  #tellRefused(refusal: Pick<RefusedTerms, 'kind' | 'id' | 'message' | 'remedy'>): void {
    const { wallMs, emit } = this.#deps;
    if (this.#telling.take(wallMs()) > 0) {
      this.#untold += 1;
      return;
    }
    const untold = this.#untold === 0 ? {} : { untold: this.#untold };
    this.#untold = 0;
    emit('warn', 'terms.refused', { ...refusal, ...untold });
  }
}

/** Nothing can be said of what it was meant to be. */
const UNREADABLE =
  'publish as it is the file that assayer baseline sign, assayer plan sign or assayer waiver sign wrote';

/** What a document calls itself, and its digest, where it can be read: anybody may have written it. */
const claimedName = (
  payload: Uint8Array,
): { readonly kind?: string; readonly id?: string; readonly sha256?: string } => {
  try {
    const { doc } = parseSignedTerms(payload);
    const { kind, ref_id, plan_id, waiver_id } = JSON.parse(doc) as { readonly [member: string]: unknown };
    const id = ref_id ?? plan_id ?? waiver_id;
    return {
      ...(typeof kind === 'string' ? { kind: kind.slice(0, 64) } : {}),
      ...(typeof id === 'string' ? { id: id.slice(0, 64) } : {}),
      sha256: hash('sha256', doc, 'base64url'),
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
