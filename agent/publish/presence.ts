import { type GatewayPresence, parseAnyPresence } from '../../shared/collector/messages.ts';
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
    readonly receivers: Pick<Receivers, 'required' | 'confirmed' | 'contradictedBy'>;
  },
  line: { readonly atMs: number; readonly tls: boolean; readonly retained: boolean; readonly held?: Held | undefined },
): Uint8Array => {
  const { contradictedBy } = of.receivers;
  const presence: GatewayPresence = {
    state,
    session: of.session,
    log: of.log,
    size: of.outbox.size(),
    agent: of.version,
    proto: 1,
    at: Math.floor(line.atMs / 1000),
    ...(of.receivers.required ? { confirmed: of.receivers.confirmed() } : { unconfirmed: true }),
    ...(state === 'online' && contradictedBy.length > 0 ? { contradicted_by: contradictedBy } : {}),
    ...(line.held === undefined ? {} : { held: line.held.code }),
    ...(line.tls ? {} : { insecure: true }),
    ...(line.retained ? {} : { retained: false }),
  };
  return Buffer.from(JSON.stringify(presence));
};

/** The sessions this gateway ever used. One object lives as long as the process, so that `n` never repeats. */
export class Sessions {
  readonly #bootseed: string;
  readonly #earlierBoot: (bootseed: string) => boolean;
  #connects = 0;

  /** `earlierBoot` tells whether this gateway was ever started with that seed. */
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

/** A session that is not our own and says that it is there; `at` is its clock, Unix seconds. */
export interface Foreign {
  readonly session: string;
  readonly at: number;
}

/**
 * Who else is online as this gateway, if the message says so: another agent, or what one left that is known no more. `stopped` and
 * `lost` are of sessions that ended, whoever had them. A message older than `freshS` is left over: a living agent repeats its own sooner.
 */
export const foreignOnline = (
  payload: Uint8Array,
  sessions: Sessions,
  nowS: number,
  freshS: number,
): Foreign | undefined => {
  const presence = parseAnyPresence(payload);
  if (presence?.state !== 'online' || sessions.isOwn(presence.session)) return undefined;
  return Math.abs(nowS - presence.at) <= freshS
    ? { session: presence.session.slice(0, 128), at: presence.at }
    : undefined;
};
