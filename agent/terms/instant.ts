/** Unix seconds of an ISO 8601 instant with its zone, `2026-12-01T14:00:00Z` or `…+01:00`; undefined where it is none. */
export const secondsOfIso = (text: string): number | undefined => {
  try {
    const { epochMilliseconds } = Temporal.Instant.from(text);
    return epochMilliseconds % 1000 === 0 ? epochMilliseconds / 1000 : undefined;
  } catch {
    return undefined;
  }
};

const UNITS_S = { s: 1, m: 60, h: 3600, d: 86_400 } as const;

const isUnit = (text: string | undefined): text is keyof typeof UNITS_S => text !== undefined && text in UNITS_S;

/** What `secondsOf` understands, for who wrote something else. */
export const INSTANT_FORMS =
  'an instant with its zone, 2026-12-01T14:00:00Z; or a time from now on, +90m, +4h, +30d; or now';

/** The same, or a time from `fromS` on: `+4h`, `+90m`, `2d`, `now`. */
export const secondsOf = (text: string, fromS: number): number | undefined => {
  if (text === 'now') return fromS;
  const [, count, unit] = /^\+?(\d{1,6})([smhd])$/.exec(text) ?? [];
  return isUnit(unit) ? fromS + Number(count) * UNITS_S[unit] : secondsOfIso(text);
};

/** An instant for people, and for files that people read. */
export const isoOf = (seconds: number): string => {
  try {
    return Temporal.Instant.fromEpochMilliseconds(seconds * 1000).toString();
  } catch {
    // Further off than a calendar reaches.
    return String(seconds);
  }
};

/** An instant as people read it in a table: `2026-11-27 02:29:24`, in UTC. */
export const utcText = (seconds: number): string =>
  new Date(seconds * 1000).toISOString().slice(0, 19).replace('T', ' ');

/** A length of time in its two largest units: `3 d 4 h`. */
export const durationText = (seconds: number): string => {
  const parts = (['d', 'h', 'm', 's'] as const).flatMap((unit, at, units) => {
    const larger = units[at - 1];
    const rest = larger === undefined ? seconds : seconds % UNITS_S[larger];
    const count = Math.floor(rest / UNITS_S[unit]);
    return count === 0 ? [] : [`${count} ${unit === 'm' ? 'min' : unit}`];
  });
  return parts.length === 0 ? '0 s' : parts.slice(0, 2).join(' ');
};
