import type { GatewayPresence } from '../../shared/collector/messages.ts';
import type { Outbox } from './outbox.ts';
import type { Held, Receivers } from './receivers.ts';

/** A presence message as it is published, or left with the broker as the will. */
export const presenceBytes = (
  state: GatewayPresence['state'],
  of: {
    readonly session: string;
    readonly log: string;
    readonly version: string;
    readonly outbox: Pick<Outbox, 'size'>;
    readonly receivers: Pick<Receivers, 'required' | 'confirmed'>;
  },
  line: { readonly atMs: number; readonly tls: boolean; readonly retained: boolean; readonly held?: Held | undefined },
): Uint8Array => {
  const presence: GatewayPresence = {
    state,
    session: of.session,
    log: of.log,
    size: of.outbox.size(),
    agent: of.version,
    proto: 1,
    at: Math.floor(line.atMs / 1000),
    ...(of.receivers.required ? { confirmed: of.receivers.confirmed() } : { unconfirmed: true }),
    ...(line.held === undefined ? {} : { held: line.held.code }),
    ...(line.tls ? {} : { insecure: true }),
    ...(line.retained ? {} : { retained: false }),
  };
  return Buffer.from(JSON.stringify(presence));
};

/** What matters of a presence message somebody published; undefined for anything else. */
const parsePresence = (
  payload: Uint8Array,
): { readonly state: string; readonly session: string; readonly at: number } | undefined => {
  try {
    const { state, session, at } = JSON.parse(Buffer.from(payload).toString('utf8'));
    return typeof state === 'string' && typeof session === 'string' && Number.isInteger(at)
      ? { state, session, at }
      : undefined;
  } catch {
    return undefined;
  }
};

/** What somebody said that this gateway, or a collector, is; undefined for what is no presence. */
export const presenceState = (payload: Uint8Array): string | undefined => parsePresence(payload)?.state;

/** The sessions this store ever used. One object lives as long as the process, so that `n` never repeats. */
export class Sessions {
  readonly #bootseed: string;
  readonly #earlierBoot: (bootseed: string) => boolean;
  #connects = 0;

  /** `earlierBoot` tells whether the store was ever started with that seed. */
  constructor(bootseed: string, earlierBoot: (bootseed: string) => boolean) {
    this.#bootseed = bootseed;
    this.#earlierBoot = earlierBoot;
  }

  next(): string {
    this.#connects += 1;
    return `${this.#bootseed}.${this.#connects}`;
  }

  isOwn(session: string): boolean {
    const dot = session.lastIndexOf('.');
    const bootseed = session.slice(0, dot);
    const n = Number(session.slice(dot + 1));
    if (bootseed !== this.#bootseed) return this.#earlierBoot(bootseed);
    return Number.isInteger(n) && n >= 1 && n <= this.#connects;
  }
}

/**
 * The session of another living agent that uses this identity, if the message shows one. `stopped` ended cleanly. A
 * message older than `freshS` is left over from a store that is gone; a living agent repeats its own sooner.
 */
export const rivalSession = (
  payload: Uint8Array,
  sessions: Sessions,
  nowS: number,
  freshS: number,
): string | undefined => {
  const presence = parsePresence(payload);
  if (presence === undefined || presence.state === 'stopped' || sessions.isOwn(presence.session)) return undefined;
  return Math.abs(nowS - presence.at) <= freshS ? presence.session.slice(0, 128) : undefined;
};
