import { randomBytes } from 'node:crypto';
import { type CollectorPresence, parseAnyPresence } from '../../shared/collector/messages.ts';

/** Presence of a collector on `_fleet/collector/<col>` (mqtt.md §2–§4): unsigned, gateways start and stop sending by it. */
export class OwnPresence {
  readonly #wallMs: () => number;
  readonly #start = randomBytes(9).toString('base64url');
  #connects = 0;

  constructor(wallMs: () => number) {
    this.#wallMs = wallMs;
  }

  /** The next connection is another session. */
  begin(): void {
    this.#connects += 1;
  }

  bytes(state: CollectorPresence['state']): Buffer {
    const at = Math.floor(this.#wallMs() / 1000);
    const presence: CollectorPresence = { state, session: this.#session, at };
    return Buffer.from(JSON.stringify(presence));
  }

  /**
   * True for the end of another session: of a worker that serves other gateways under this id, or of our own former
   * connection. Gateways that believe it would stop sending to us.
   */
  isContradictedBy(payload: Uint8Array): boolean {
    const said = parseAnyPresence(payload);
    return said !== undefined && said.state !== 'online' && said.session !== this.#session;
  }

  get #session(): string {
    return `${this.#start}.${this.#connects}`;
  }
}
