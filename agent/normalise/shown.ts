/** What would be shown like another text: of other scripts, unseen, or a blank where nobody looks for one; and what looks quoted. */
const DECEIVES = /[^ -~]|^[ "]| $/;

/** A value of a device as people are shown it: a text that may look like another one is quoted, so that what differs looks different. */
export const shownValue = (value: unknown): string =>
  typeof value === 'string' && !DECEIVES.test(value) ? value : quoted(value);

/** The same where there is room for a line: a pool begins with its URL and user, and what only helps those who look closer is left out. */
export const briefValue = (value: unknown): string => shownValue(brief(value));

const ASIDE: ReadonlySet<string> = new Set(['nearest', 'assigned_from', 'assigned_until']);

const brief = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(brief);
  if (typeof value !== 'object' || value === null) return value;
  const told = Object.entries(value).filter(([name]) => !ASIDE.has(name));
  return Object.fromEntries(told.map(([name, member]) => [name, brief(member)]).sort(byRank));
};

const FIRST = ['user', 'url'];

const byRank = ([one]: readonly unknown[], [other]: readonly unknown[]): number =>
  FIRST.indexOf(String(other)) - FIRST.indexOf(String(one));

/** A value as JSON of ASCII alone. */
export const quoted = (value: unknown): string =>
  JSON.stringify(value).replace(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
