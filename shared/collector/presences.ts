import type { Presence } from './messages.ts';

/**
 * What gateways, and the broker in their name, say of their presence (mqtt.md §4). A `lost` or `stopped` of a session
 * that a newer `online` has replaced is stale.
 */
export class Presences {
  readonly #known = new Map<string, Pick<Presence, 'state' | 'session'>>();

  /** The new state of a gateway, undefined where nothing changed. */
  take(gateway: string, { state, session }: Presence): Presence['state'] | undefined {
    const known = this.#known.get(gateway);
    if (known !== undefined && state !== 'online' && session !== known.session) return undefined;
    this.#known.set(gateway, { state, session });
    return known?.state === state ? undefined : state;
  }

  /** An `online` of a session that was not heard of: the gateway has connected, and may have been put back meanwhile. */
  isArrival(gateway: string, { state, session }: Presence): boolean {
    return state === 'online' && this.#known.get(gateway)?.session !== session;
  }

  get(gateway: string): Presence['state'] | undefined {
    return this.#known.get(gateway)?.state;
  }
}
