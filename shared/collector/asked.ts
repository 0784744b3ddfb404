/** What a request is about. */
export type Matter = { readonly gateway: string; readonly log: string } & (
  | { readonly op: 'resync'; readonly entries: number }
  | { readonly op: 'tiles' }
);

/** An answer that comes later than this is one to nothing: the request is repeated sooner. */
const ANSWER_MS = 360_000;
/** A broker may deliver every page twice (QoS 1). */
const DELIVERIES = 2;

/**
 * Requests of this collector that may still be answered. What comes on `rsp` without having been asked for is passed over, and of an
 * answer no more is taken than it can bring: a gateway cannot make a collector take whatever it likes.
 */
export class Asked {
  readonly #open = new Map<string, { readonly matter: Matter; readonly untilMs: number; left: number }>();

  note(id: string, matter: Matter, nowMs: number): void {
    for (const [each, { untilMs }] of this.#open) {
      if (untilMs > nowMs) break;
      this.#open.delete(each);
    }
    const left = DELIVERIES * (matter.op === 'resync' ? matter.entries : 1);
    this.#open.set(id, { matter, untilMs: nowMs + ANSWER_MS, left });
  }

  /** What an answer from this gateway is about; undefined where it answers nothing. */
  matter(id: string, gateway: string, nowMs: number): Matter | undefined {
    const request = this.#open.get(id);
    return request?.matter.gateway === gateway && request.untilMs > nowMs ? request.matter : undefined;
  }

  /** Takes up to `count` of what the answer may still bring; gives how many of them. */
  take(id: string, count: number): number {
    const request = this.#open.get(id);
    if (request === undefined) return 0;
    const taken = Math.min(count, request.left);
    request.left -= taken;
    if (request.left === 0) this.#open.delete(id);
    return taken;
  }
}
