import type { Endpoint } from './connection.ts';

/**
 * Interfaces that sent bytes which nobody had asked for, behind a reply. Over a connection that is kept alive such bytes
 * could be taken for the answer to the next question, so these are asked one question per connection from then on.
 */
export class Surplus {
  readonly #known = new Set<string>();
  readonly #tell: (endpoint: Endpoint) => void;

  /** `tell` hears of each interface once. */
  constructor(tell: (endpoint: Endpoint) => void = () => {}) {
    this.#tell = tell;
  }

  isOf({ host, port }: Endpoint): boolean {
    return this.#known.size > 0 && this.#known.has(`${host} ${port}`);
  }

  note(endpoint: Endpoint): void {
    if (this.isOf(endpoint)) return;
    this.#known.add(`${endpoint.host} ${endpoint.port}`);
    this.#tell(endpoint);
  }
}
